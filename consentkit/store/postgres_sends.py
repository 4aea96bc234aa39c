"""Locks of what is being sent, on PostgreSQL: for all processes of all machines.

A send holds a shared advisory lock by an open transaction that does nothing else, on a
connection of its own: a slow network must not take the connections that acts need. It
is a lock of the transaction, not of the session, so that it works behind a pooler that
hands connections out by transaction, and ends with the connection of whoever dies.

Nobody ever asks for the same lock exclusively, so no send waits for anything. Whoever
waits for sends looks at who holds it (``pg_locks``), once the end is committed, and
then until these very transactions are over: sends that begin later keep nobody waiting.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError

from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless
from consentkit.store.connections import KEPT_SENDS
from consentkit.store.connections import Connections
from consentkit.store.forks import ForkedEngine
from consentkit.store.postgres_pooling import is_pooled
from consentkit.store.postgres_timeline import Cluster
from consentkit.store.reasons import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

__all__ = ["PostgresSends"]

# Numbers nobody else uses for an advisory lock, as far as that can be chosen.
_OURS = int.from_bytes(hashlib.sha256(b"consentkit sends").digest()[:3])
_ANYBODY = -1  # nobody's number; ``pg_locks`` tells it without its sign
# A machine that vanished from the network is forgotten after this; nobody waits for
# one send as long (milliseconds).
_FORGOTTEN = 300_000
_HOLD = (
    f"BEGIN; SET LOCAL idle_in_transaction_session_timeout = {_FORGOTTEN}; "
    f"SELECT pg_catalog.pg_advisory_xact_lock_shared({_OURS}, {{person}})"
)
_UNDER_WAY = f"""
SELECT DISTINCT virtualtransaction FROM pg_catalog.pg_locks
WHERE locktype = 'advisory' AND classid = {_OURS} AND objsubid = 2
  AND (%(everybody)s OR objid = ANY(%(persons)s::pg_catalog.oid[]))
  AND database = (
    SELECT oid FROM pg_catalog.pg_database
    WHERE datname = pg_catalog.current_database()
  )
"""  # noqa: S608  a number of ours


class PostgresSends:
    """The advisory locks of one database (a ``SendLocks``)."""

    def __init__(
        self,
        url: sa.URL,
        failures: tuple[type[Exception], ...],
        connections: Connections | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        self._connections = connections or Connections()
        self._failures: tuple[type[Exception], ...] = (SQLAlchemyError, *failures)
        # Autocommit: the transaction is begun by hand, in one message with its lock,
        # and rolled back when the pool takes the connection back.
        engine = sa.create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=KEPT_SENDS,
            max_overflow=-1,
            pool_pre_ping=True,  # the server may have closed what was kept
            hide_parameters=True,
        )
        (cluster or Cluster()).serve(engine)
        event.listen(engine, "connect", _preparer(self._connections, self._failures))
        self._engine = ForkedEngine(engine)
        self._places = _Places(self._connections)

    @contextlib.contextmanager
    def held(self, subject: str | None = None) -> Iterator[None]:
        """See ``SendLocks.held``."""
        with self._places.taken(), self._ran(_HOLD.format(person=_person(subject))):
            yield

    def under_way(self, *subjects: str) -> frozenset[str]:
        """See ``SendLocks.under_way``: the transactions that hold a lock."""
        values = {
            "everybody": not subjects,
            "persons": [_ANYBODY % 2**32, *map(_person, subjects)],
        }
        with self._ran(_UNDER_WAY, values) as cursor:
            return frozenset(name for (name,) in cursor.fetchall())

    def close(self) -> None:
        """See ``SendLocks.close``."""
        self._engine.current().dispose()

    @contextlib.contextmanager
    def _ran(
        self, statement: str, values: dict[str, Any] | None = None
    ) -> Iterator[Any]:
        """A cursor that has run the statement; its transaction ends with the block.

        To end it never raises: what was sent is sent, and a connection that is lost
        holds nothing any more.
        """
        with contextlib.ExitStack() as stack:
            try:
                connection = self._engine.current().raw_connection()
                stack.callback(connection.close)
                driver: Any = connection.driver_connection
                cursor = driver.execute(statement, values)
            except self._failures as error:
                raise LogUnavailableError(
                    "the consent database did not give a lock for a send "
                    f"({reason_of(error)})"
                ) from wordless(error)
            yield cursor


def _preparer(
    connections: Connections, failures: tuple[type[Exception], ...]
) -> Callable[[DBAPIConnection, ConnectionPoolEntry], None]:
    """What the engine does with each new connection; it knows nobody who has a pool."""

    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        driver: Any = connection
        try:
            if is_pooled(driver, known=connections.pooler):
                driver.prepare_threshold = None
        except failures:
            driver.close()  # SQLAlchemy only forgets it
            raise

    return prepare


class _Places:
    """As many as may send at once in one process, where that is bounded at all."""

    def __init__(self, connections: Connections) -> None:
        self._most, self._patience = connections.sends, connections.pool_wait
        self._of = os.getpid(), threading.Semaphore(self._most)
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """One place. Whoever finds none waits.

        Raises:
            LogUnavailableError: none became free.
        """
        if not self._most:
            yield
            return
        places = self._current()
        if not places.acquire(timeout=self._patience):
            raise LogUnavailableError(
                f"{self._most} sends go on in this process, as many as "
                "CONSENTKIT_DATABASE_SENDS permits, and none of them ended within "
                f"{self._patience} seconds"
            )
        try:
            yield
        finally:
            places.release()

    def _current(self) -> threading.Semaphore:
        """The places of this process: a fork inherits none of its parent's sends."""
        with self._lock:
            if self._of[0] != os.getpid():
                self._of = os.getpid(), threading.Semaphore(self._most)
            return self._of[1]


def _person(subject: str | None) -> int:
    """A number for a person; those who share one wait for each other's sends."""
    if subject is None:
        return _ANYBODY
    return int.from_bytes(hashlib.sha256(subject.encode()).digest()[:4]) >> 1
