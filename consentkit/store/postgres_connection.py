"""Connections of psycopg that wait for nobody for ever, and believe no half commit.

Loaded only where psycopg is (``store.postgres``).

A server can fall silent with its connections open: its machine left the network, or its
disk hangs. No time-out of PostgreSQL ends that, for it is the server that would have to
notice. So when nothing came for some time, another connection to the same server is
tried: if that gets no answer either, the first one is given up. A statement that takes
long on a server that is well takes as long as it likes.

A commit that waits for a synchronous standby is not tried for ever, either. And where
an operator cancels that wait (``pg_cancel_backend``), PostgreSQL calls the commit done
and only warns that no standby has it: whoever was promised something then would lose it
with this one server. It is an error here. What was committed is there when the same
form is sent again, and is answered once the standby has it.
"""

from __future__ import annotations

import select
import time
from contextlib import closing
from typing import TYPE_CHECKING
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.errors import ConnectionTimeout
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["PatientConnection"]

_SILENCE = 10.0  # seconds without a word, unless the address has a connect_timeout
_COMMIT = 30.0  # seconds that a commit may take; as long as one waits for a lock
_WARNING = "01"  # the class of SQLSTATE that warnings of this kind are in


class PatientConnection(psycopg.Connection[Any]):
    """Waits for a server that is well, and for no other."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._warned = False
        self._commits_until = 0.0
        self.add_notice_handler(self._hear)

    def commit(self) -> None:
        """Commit; what is committed here alone, and not on a standby, is an error.

        So is a commit that PostgreSQL answers with a rollback: after a statement that
        failed it does so, and calls it no error.

        Raises:
            psycopg.OperationalError: nobody can say that it is durable.
            psycopg.errors.InFailedSqlTransaction: a statement in it failed.
        """
        if self.info.transaction_status is TransactionStatus.INERROR:
            raise psycopg.errors.InFailedSqlTransaction(
                "a statement of the transaction failed: nothing of it can be stored"
            )
        self._warned = False
        self._commits_until = time.monotonic() + _COMMIT
        try:
            super().commit()
        finally:
            self._commits_until = 0.0
        if self._warned:
            raise psycopg.OperationalError(
                "the commit was cancelled while it waited for a synchronous standby"
            )

    def wait(self, gen: Generator[Any, Any, Any], *how: Any, **more: Any) -> Any:
        """As psycopg does it, while there is somebody to wait for.

        Raises:
            psycopg.OperationalError: the server is silent, or a commit took too long.
        """
        return super().wait(self._watched(gen), *how, **more)

    def _watched(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """Sends what comes from outside on; there, nothing comes ten times a second."""
        heard = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    heard = time.monotonic()
                elif self._is_hopeless(heard):
                    self.pgconn.finish()
                    raise psycopg.OperationalError("the server has fallen silent")
                elif time.monotonic() - heard > self._silence:
                    heard = time.monotonic()  # it is well, and busy
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value

    def _is_hopeless(self, heard: float) -> bool:
        now = time.monotonic()
        if self._commits_until:
            return now > self._commits_until
        return now - heard > self._silence and not self._answers_another()

    def _answers_another(self) -> bool:
        """Whether somebody new gets through to this very server, and is answered.

        A pooler lets one in by itself: only a statement asks who is behind it. Being
        turned away is an answer, such as that there are too many connections.
        """
        address = make_conninfo(
            self.info.dsn,
            host=self.info.host,
            port=self.info.port,
            password=self.info.password or None,
            connect_timeout=int(self._silence),
        )
        try:
            with closing(psycopg.connect(address, autocommit=True)) as other:
                return _says_something(other, within=self._silence)
        except ConnectionTimeout:
            return False
        except psycopg.Error:
            return True

    @property
    def _silence(self) -> float:
        asked = float(self.info.get_parameters().get("connect_timeout", 0))
        return asked if asked > 0 else _SILENCE  # to libpq 0 is for ever

    def _hear(self, told: psycopg.errors.Diagnostic) -> None:
        self._warned = self._warned or (told.sqlstate or "").startswith(_WARNING)


def _says_something(connection: psycopg.Connection[Any], *, within: float) -> bool:
    """Whether anything comes back for a statement, be it an error or the end."""
    connection.pgconn.send_query(b"SELECT 1")
    ready = select.poll()
    ready.register(connection.pgconn.socket, select.POLLIN)
    return bool(ready.poll(within * 1000))
