"""The hot read behind every check, on PostgreSQL: one prepared statement.

As on SQLite, each thread of each process holds a driver connection of its own in
autocommit, so that no older snapshot can stand between a check and the newest commit.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeAlias

from sqlalchemy.dialects.postgresql import psycopg

from consentkit.errors import LogUnavailableError
from consentkit.store import standings
from consentkit.store.rows import STATUS_COLUMNS
from consentkit.store.rows import standing_from

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence
    from types import ModuleType

    import sqlalchemy as sa

    from consentkit.core.decision import Standing
    from consentkit.store.standings import Key
    from consentkit.store.statement import Row

__all__ = ["PostgresReader"]

_STATE = ", ".join(f"state.{name}" for name in STATUS_COLUMNS)
_TRANSFER = ", ".join(f"transfer.{name}" for name in STATUS_COLUMNS)
# One statement, so that all of it held at one instant; always one row, so that a
# suspension is seen whoever is asked about. The few suspensions are read through, by
# expressions that no index holds: to open theirs takes longer than all of them.
_READ = f"""
SELECT {_STATE}, EXISTS (
    SELECT 1 FROM consent_suspension
    WHERE purpose || '' IN ('', $2) AND recipient || '' IN ('', $3)
) AS suspended, (
    SELECT at FROM consent_coming_of_age WHERE subject = $1
) AS of_age FROM (SELECT 1) AS one LEFT JOIN consent_state AS state
    ON state.subject = $1 AND state.purpose = $2 AND state.recipient = $3
"""  # noqa: S608  names of columns, constants of this room
_READ_ABROAD = (
    _READ.replace("AS of_age", f"AS of_age, {_TRANSFER}")
    + """LEFT JOIN consent_state AS transfer
    ON transfer.subject = $1 AND transfer.purpose = $4 AND transfer.recipient = $3
"""
)
_ONE, _ONE_ABROAD = "consentkit_check", "consentkit_check_abroad"
_PREPARED = {_ONE: _READ, _ONE_ABROAD: _READ_ABROAD}
_BINARY = 1  # how libpq is handed a value: by its length, so that no NUL ends it early
_CONNECT_SECONDS = "10"
_Read: TypeAlias = "Callable[[str, Sequence[Any]], list[Row]]"
# Connections of a parent process: they must not even be closed after a fork.
_INHERITED: list[Any] = []


class _Held(threading.local):
    """What one thread holds: a connection that the process ``pid`` opened, 0: none.

    It is closed with the thread.
    """

    pid = 0
    connection: Any
    cursor: Any
    loaders: Any

    def __del__(self) -> None:
        if self.pid == os.getpid():
            self.connection.close()


class PostgresReader:
    """Reads what a decision rests on, from one PostgreSQL database (a ``Reader``).

    Fork- and thread-safe: a connection is opened by, and used in, one thread of one
    process only.
    """

    def __init__(self, url: sa.URL, driver: ModuleType) -> None:
        self._driver = driver
        dialect: Any = psycopg.dialect  # without annotations in SQLAlchemy
        _, self._address = dialect().create_connect_args(url)
        self._address.setdefault("connect_timeout", _CONNECT_SECONDS)
        self._address["client_encoding"] = "utf8"
        self._held = _Held()

    def standing(
        self, subject: str, purpose: str, recipient: str, transfer: str = ""
    ) -> Standing:
        """See ``Reader.standing``."""
        name, key = _ONE, [subject, purpose, recipient]
        if transfer:
            name, key = _ONE_ABROAD, [*key, transfer]
        (row,) = self._ask(self._run, name, key)
        return standing_from(row)

    def standings(self, keys: Sequence[Key]) -> list[Standing | None]:
        """See ``Reader.standings``: one statement, however many there are."""
        columns = standings.columns_of(keys)
        arrays = [[key[column] for key in keys] for column in range(columns)]
        rows = self._ask(self._rows, standings.postgres_query(columns), arrays)
        return standings.found_in(rows, len(keys))

    def close(self) -> None:
        """See ``Reader.close``."""
        held = self._held
        if held.pid == os.getpid():
            held.connection.close()
        elif held.pid:
            _INHERITED.append(held.connection)
        held.pid = 0

    def _ask(self, read: _Read, query: str, values: Sequence[Any]) -> list[Row]:
        """All rows. A kept connection that the server has closed is opened anew."""
        held = self._held
        kept = held.pid == os.getpid()
        try:
            if not kept:
                self._open()
            return read(query, values)
        except (self._driver.Error, ValueError) as error:  # text that is no UTF-8
            lost = kept and held.connection.closed
            self.close()
            if not lost:
                raise _unreadable(error) from error
        try:
            self._open()
            return read(query, values)
        except (self._driver.Error, ValueError) as error:
            self.close()
            raise _unreadable(error) from error

    def _run(self, name: str, values: Sequence[str]) -> list[Row]:
        """What a statement finds that ``_open`` prepared.

        By libpq itself: to wait for it as a cursor does takes a third of the read.
        """
        held = self._held
        texts = [each.encode() for each in values]
        result = held.connection.pgconn.exec_prepared(
            name.encode(), texts, [_BINARY] * len(texts)
        )
        self._check(result)
        held.loaders.set_pgresult(result)
        found: list[Row] = held.loaders.load_rows(0, result.ntuples, tuple)
        return found

    def _check(self, result: Any) -> None:
        status = self._driver.pq.ExecStatus
        if result.status not in (status.TUPLES_OK, status.COMMAND_OK):
            raise self._driver.errors.error_from_result(result)

    def _rows(self, query: str, values: Sequence[Any]) -> list[Row]:
        # To make a cursor for each read takes a fifth of the read.
        cursor = self._held.cursor
        found: list[Row] = cursor.execute(query, values, prepare=True).fetchall()
        return found

    def _open(self) -> None:
        self.close()
        held = self._held
        held.connection = self._driver.connect(**self._address, autocommit=True)
        held.pid = os.getpid()
        held.cursor = held.connection.cursor()
        held.loaders = self._driver.adapt.Transformer(held.connection)
        for name, query in _PREPARED.items():
            self._check(held.connection.pgconn.prepare(name.encode(), query.encode()))


def _unreadable(error: Exception) -> LogUnavailableError:
    return LogUnavailableError(
        f"the consent database cannot be read ({type(error).__name__})"
    )
