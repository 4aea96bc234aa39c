"""SQLite: one file in a folder of the app's, any number of processes of one machine.

SQLite 3.7.0-3.51.2 can lose committed pages in WAL mode when several processes write
(fixed in 3.51.3, 3.50.7 and 3.44.6). On an affected version the rollback journal is
used instead. ``synchronous=FULL`` in both modes: a signed promise was already handed
out when a commit returns.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.store.addresses import shown
from consentkit.store.sqlite_reader import SqliteReader
from consentkit.store.sqlite_sends import FileSends

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

__all__ = ["BUSY_TIMEOUT", "Sqlite", "journal_mode"]

_LOGGER = logging.getLogger("consentkit")

BUSY_TIMEOUT = 30.0
"""Seconds a writer waits for its turn before it gives up."""

_FIXED = {(3, 44): 6, (3, 50): 7}  # WAL-reset bug: back-ported fixes by release line
_PATIENCE = 5_000  # milliseconds that a rewrite of the file waits for its readers


def journal_mode(version: tuple[int, int, int] | None = None) -> str:
    """The journal mode that is safe on a SQLite version: WAL, or DELETE if affected."""
    major, minor, patch = version or sqlite3.sqlite_version_info
    if (major, minor, patch) >= (3, 51, 3):
        return "WAL"
    fixed_from = _FIXED.get((major, minor))
    return "WAL" if fixed_from is not None and patch >= fixed_from else "DELETE"


class Sqlite:
    """One SQLite file (a ``Kind`` of database).

    One that is ``shared`` is the app's: its folder and its journal mode, which is a
    property of the file and not of a connection, stay as they are.

    Raises:
        ConfigurationError: the URL names no file.
    """

    conflicts: tuple[type[Exception], ...] = (sqlite3.IntegrityError,)
    failures: tuple[type[Exception], ...] = (sqlite3.Error,)

    def __init__(self, url: sa.URL, *, shared: bool = False) -> None:
        name = url.database or ""
        # A database in memory is another one for each connection.
        if not name or name == ":memory:" or name.startswith("file:"):
            raise ConfigurationError(
                "CONSENTKIT_DATABASE_URI must name an SQLite file or a PostgreSQL "
                f"database; got {shown(url)!r}"
            )
        self._url = url
        self._shared = shared
        self.file = Path(name)

    def connect(self) -> sa.Engine:
        """See ``Kind.connect``."""
        engine = sa.create_engine(
            self._url,
            connect_args={"timeout": BUSY_TIMEOUT},
            hide_parameters=True,  # errors are logged, and rows hold people's ids
        )
        if not self._shared:
            event.listen(engine, "connect", _set_journal)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin_immediate)
        return engine

    def make_room(self) -> None:
        """See ``Kind.make_room``: the folder, which no other account may look into."""
        if self._shared:
            self._warn_of_journal()
            return
        try:
            # Who is behind a handle stands in here.
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LogUnavailableError(
                f"the folder of the consent database cannot be made ({error.strerror})"
            ) from error

    def take_turn(self, connection: sa.Connection, *, alone: bool) -> None:
        """Nothing: whoever writes has the whole file since ``BEGIN IMMEDIATE``."""

    def read_by(self, connection: sa.Connection) -> None:
        """Nothing: a file holds our tables once."""

    def is_lost(self, _error: Exception) -> bool:
        """See ``Kind.is_lost``: there is no server that could go away."""
        return False

    def reader(self) -> SqliteReader:
        """See ``Kind.reader``."""
        return SqliteReader(self.file, timeout=BUSY_TIMEOUT)

    def send_locks(self) -> FileSends:
        """See ``Kind.send_locks``: files in a folder beside the database's."""
        return FileSends(self.file.with_name(f"{self.file.name}-sends"))

    def rewrite(self, connection: sa.Connection) -> None:
        """See ``Kind.rewrite``. Needs as much free space as the file takes."""
        waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
        connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE}")
        try:
            _rewrite(connection)
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={waits}")

    def describe(self, connection: sa.Connection) -> str:
        """See ``Kind.describe``."""
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        return f"SQLite {sqlite3.sqlite_version}, journal mode {mode.upper()}"

    def _warn_of_journal(self) -> None:
        """Say once at the start that this SQLite may lose what the app's file holds."""
        if journal_mode() == "WAL" or not self.file.exists():
            return
        try:
            with contextlib.closing(sqlite3.connect(self.file)) as connection:
                (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        except sqlite3.Error:
            return  # what is wrong with it is told by whoever opens it to write
        if mode == "wal":
            _LOGGER.warning(
                "consentkit: the app's database is in WAL mode, in which SQLite %s can "
                "lose what several processes committed; install SQLite 3.51.3 or set "
                "journal_mode=DELETE",
                sqlite3.sqlite_version,
                extra={"event": "journal-unsafe"},
            )


def _rewrite(connection: sa.Connection) -> None:
    connection.exec_driver_sql("VACUUM")
    # Of no effect with a rollback journal, which every transaction deletes.
    busy = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
    if busy:
        raise LogUnavailableError(
            "the write-ahead log could not be emptied while somebody reads from it"
        )


def _set_journal(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    driver: Any = connection
    driver.execute(f"PRAGMA journal_mode={journal_mode()}")


def _prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    driver: Any = connection
    driver.isolation_level = None  # SQLAlchemy sends BEGIN itself, see below
    for pragma in (
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",  # erased bytes are overwritten, not just unlinked
        "recursive_triggers=ON",  # else INSERT OR REPLACE deletes past the triggers
    ):
        driver.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: sa.Connection) -> None:
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return
    # A deferred BEGIN that reads first gets SQLITE_BUSY at its first write at once,
    # whatever the timeout: take the write lock at the start.
    driver: Any = connection.connection.driver_connection
    driver.execute("BEGIN IMMEDIATE")
