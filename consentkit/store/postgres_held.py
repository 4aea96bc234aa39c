"""What the hot read goes by on PostgreSQL: a connection for each thread of a process.

In autocommit, so that no older snapshot can stand between a check and the newest
commit. What is asked all the time is prepared: to plan it takes several times as long
as to run it. Behind a pooler each read may meet another session of the server, and one
that has not prepared it yet does so then.
"""

from __future__ import annotations

import hashlib
import logging
import os
import select
import threading
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeAlias

from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless
from consentkit.store.postgres_pooling import NOT_OURS
from consentkit.store.postgres_pooling import STALE
from consentkit.store.postgres_pooling import is_pooled
from consentkit.store.postgres_schema import Home
from consentkit.store.postgres_schema import prefix_of
from consentkit.store.postgres_timeline import Cluster
from consentkit.store.reasons import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence
    from types import ModuleType

    import sqlalchemy as sa

    from consentkit.store.connections import Connections
    from consentkit.store.statement import Row

__all__ = ["HeldConnections", "Query"]

_MOST_MISSES = 1_000  # of one connection; more sessions than that no pooler has
_NOT_THERE, _THERE_ALREADY, _CHANGED = "26000", "42P05", "0A000"
_BINARY = 1  # how libpq is handed a value: by its length, so that no NUL ends it early
_Read: TypeAlias = "Callable[[Any, Sequence[Any]], list[Row]]"
_Build: TypeAlias = "Callable[[str], str]"
_LOGGER = logging.getLogger("consentkit")
# Connections of a parent process: they must not even be closed after a fork.
_INHERITED: list[Any] = []


class Query:
    """A statement with ``$1``, ``$2``… for its values, and its name when prepared.

    Its text is made by a function of what is written before the names of our tables,
    its name of its text: whichever of our processes prepared it on a session that a
    pooler hands to us, it is this statement and no other.
    """

    def __init__(self, build: _Build) -> None:
        self._build = build
        self._prefix: str | None = None
        self.settle("")

    def settle(self, prefix: str) -> None:
        """Read the tables there, whatever else a session would call by their names."""
        if prefix == self._prefix:
            return
        self.text = self._build(prefix).encode()
        self._generation = 0
        self.renew()
        self._prefix = prefix  # last: another thread may be here as well

    def renew(self) -> None:
        """Take another name: what is prepared under this one is of no more use."""
        digest = hashlib.sha256(self.text).hexdigest()[:24]
        self.name = f"consentkit_{digest}_{self._generation}".encode()
        self._generation += 1


class _Kept:
    """Closes a connection with the thread that held it, in the process that opened it.

    By itself it would stay open until the garbage collector comes to it.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._opened_by = os.getpid()

    def close(self) -> None:
        """Close it, or keep it open for the parent process that opened it."""
        if self._opened_by == os.getpid():
            self._connection.close()
        else:
            _INHERITED.append(self._connection)

    __del__ = close


class _Held(threading.local):
    """What one thread holds: a connection that the process ``pid`` opened, 0: none."""

    pid = 0
    kept: _Kept
    connection: Any
    poll: Any
    cursor: Any
    loaders: Any
    prefix = ""
    pooled = False
    misses = 0


class HeldConnections:
    """The connections to one database by which few statements are asked over and over.

    Fork- and thread-safe: a connection is opened by, and used in, one thread of one
    process only.
    """

    def __init__(
        self,
        url: sa.URL,
        driver: ModuleType,
        connections: Connections,
        *queries: Query,
        cluster: Cluster | None = None,
        home: Home | None = None,
    ) -> None:
        self._driver = driver
        self._found = driver.pq.ExecStatus.TUPLES_OK
        dialect: Any = url.get_dialect()()  # not all of its options are texts
        _, self._address = dialect.create_connect_args(url)
        self._address.setdefault("connect_timeout", str(connections.connect_wait))
        self._address["client_encoding"] = "utf8"
        asked = float(self._address["connect_timeout"])
        # To libpq 0 is for ever; a check is not to hang, whatever a connection may.
        self._silence = asked if asked > 0 else connections.connect_wait
        self._cluster = cluster or Cluster()
        self._home = home or Home()
        self._pooler = connections.pooler
        self._queries = queries
        self._held = _Held()

    def run(self, query: Query, values: Sequence[str]) -> list[Row]:
        """All rows of one of the statements that were named at first.

        Raises:
            LogUnavailableError: the database cannot be read.
        """
        return self._ask(self._run, query, values)

    def rows(self, build: _Build, values: Sequence[Any]) -> list[Row]:
        """All rows of any statement, with ``%s`` for its values.

        Its text is made as that of a ``Query`` is, but for each read.

        Raises:
            LogUnavailableError: the database cannot be read.
        """
        return self._ask(self._rows, build, values)

    def close(self) -> None:
        """Close this thread's connection; the next read opens a new one."""
        held = self._held
        if held.pid:
            held.kept.close()
        held.pid = 0

    def _ask(self, read: _Read, query: Any, values: Sequence[Any]) -> list[Row]:
        """All rows. A read changes nothing: it is tried once more if that can help."""
        held = self._held
        kept = held.pid == os.getpid()
        try:
            if not kept:
                self._open()
            return read(query, values)
        except (self._driver.Error, ValueError) as error:  # text that is no UTF-8
            again = self._is_worth_another(error, query, kept=kept)
            self.close()
            if not again:
                raise _unreadable(error) from wordless(error)
        try:
            self._open()
            return read(query, values)
        except (self._driver.Error, ValueError) as error:
            self.close()
            raise _unreadable(error) from wordless(error)

    def _is_worth_another(self, error: Exception, query: Any, *, kept: bool) -> bool:
        """Whether a new connection could do better.

        It could where the server has closed the one that was kept, or where what was
        prepared on it is not there or no longer fits its tables.
        """
        state = getattr(error, "sqlstate", None)
        if state in NOT_OURS and not self._pooler:
            self._pooler = True
            _LOGGER.warning(
                "consentkit: prepared statements do not last on connections to this "
                "database, as behind a pooler that hands them out by transaction: set "
                "CONSENTKIT_DATABASE_POOLER = 'yes'",
                extra={"event": "pooler-undeclared"},
            )
        if state == _CHANGED and isinstance(query, Query):
            query.renew()
        return state in STALE or (kept and bool(self._held.connection.closed))

    def _run(self, query: Query, values: Sequence[str]) -> list[Row]:
        """What one of the named statements finds.

        By libpq itself: to wait for it as a cursor does takes a third of the read.
        """
        held = self._held
        texts = [each.encode() for each in values]
        formats = [_BINARY] * len(texts)
        held.connection.pgconn.send_query_prepared(query.name, texts, formats)
        result = self._heard()
        if result.status != self._found:
            result = self._mended(result, query, texts, formats)
        held.loaders.set_pgresult(result)
        found: list[Row] = held.loaders.load_rows(0, result.ntuples, tuple)
        return found

    def _mended(
        self, failed: Any, query: Query, texts: list[bytes], formats: list[int]
    ) -> Any:
        """The result after all, where the session had only not prepared it yet."""
        error = self._driver.errors.error_from_result(failed)
        if error.sqlstate != _NOT_THERE:
            raise error
        held = self._held
        held.misses += 1
        if held.misses <= _MOST_MISSES:  # else it forgets all of them all the time
            self._prepare(query)
        held.connection.pgconn.send_query_params(
            query.text, texts, param_formats=formats
        )
        return self._checked(self._heard())

    def _heard(self) -> Any:
        """The result, once it has come; libpq would wait for a silent server for ever.

        To wait for it here takes no longer than libpq itself does.

        Raises:
            psycopg.OperationalError: nothing came for too long.
        """
        held = self._held
        driver = held.connection.pgconn
        while driver.is_busy():
            if not held.poll.poll(self._silence * 1000):
                raise self._driver.OperationalError("the server has fallen silent")
            driver.consume_input()
        result = driver.get_result()
        while driver.get_result() is not None:
            pass  # there is one; what follows it is its end
        return result

    def _prepare(self, query: Query) -> None:
        """On the session that is next; another process may have done so before."""
        result = self._held.connection.pgconn.prepare(query.name, query.text)
        if result.status != self._driver.pq.ExecStatus.COMMAND_OK:
            error = self._driver.errors.error_from_result(result)
            if error.sqlstate != _THERE_ALREADY:
                raise error

    def _checked(self, result: Any) -> Any:
        if result.status != self._found:
            raise self._driver.errors.error_from_result(result)
        return result

    def _rows(self, build: _Build, values: Sequence[Any]) -> list[Row]:
        held = self._held
        query = build(held.prefix.replace("%", "%%"))  # with "%s" psycopg means a value
        # To make a cursor for each read takes a fifth of the read.
        cursor = held.cursor.execute(query, values, prepare=not held.pooled)
        found: list[Row] = cursor.fetchall()
        return found

    def _open(self) -> None:
        self.close()
        held = self._held
        connection = self._cluster.connect(**self._address, autocommit=True)
        held.kept = _Kept(connection)
        held.connection, held.pid = connection, os.getpid()
        held.poll = select.poll()
        held.poll.register(connection.pgconn.socket, select.POLLIN)
        held.cursor = connection.cursor()
        held.loaders = self._driver.adapt.Transformer(connection)
        held.pooled, held.misses = is_pooled(connection, known=self._pooler), 0
        if not held.pooled:
            # The state is partitioned: planned anew for each read, as PostgreSQL would
            # of its own accord, the plan takes three times as long as the read.
            connection.execute("SET plan_cache_mode TO force_generic_plan")
        held.prefix = prefix_of(self._home.find(connection))
        for query in self._queries:
            query.settle(held.prefix)
            self._prepare(query)


def _unreadable(error: Exception) -> LogUnavailableError:
    return LogUnavailableError(
        f"the consent database cannot be read ({reason_of(error)})"
    )
