"""An engine that keeps its promises: what was committed stays, and writers queue.

SQLite 3.7.0-3.51.2 can lose committed pages in WAL mode when several processes write
(fixed in 3.51.3, 3.50.7 and 3.44.6). On an affected version the rollback journal is
used instead. ``synchronous=FULL`` in both modes: a signed promise was already handed
out when a commit returns.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import SQLAlchemyError

from consentkit.errors import ConfigurationError
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry
    from sqlalchemy.pool import Pool

__all__ = ["BUSY_TIMEOUT", "Database", "journal_mode"]

BUSY_TIMEOUT = 30.0
"""Seconds a writer waits for its turn before it gives up."""

_FIXED = {(3, 44): 6, (3, 50): 7}  # WAL-reset bug: back-ported fixes by release line
_MIGRATIONS = Path(__file__).with_name("migrations")
_LOGGER = logging.getLogger("consentkit")


def journal_mode(version: tuple[int, int, int] | None = None) -> str:
    """The journal mode that is safe on a SQLite version: WAL, or DELETE if affected."""
    major, minor, patch = version or sqlite3.sqlite_version_info
    if (major, minor, patch) >= (3, 51, 3):
        return "WAL"
    fixed_from = _FIXED.get((major, minor))
    return "WAL" if fixed_from is not None and patch >= fixed_from else "DELETE"


class Database:
    """One database: its engine, its migrations, and write transactions.

    Raises:
        ConfigurationError: the URI is not one of a database we support.
    """

    def __init__(self, uri: str) -> None:
        try:
            self.url = make_url(uri)
        except sa.exc.ArgumentError as error:
            raise ConfigurationError(
                "CONSENTKIT_DATABASE_URI must be a database URL such as "
                "'sqlite:////var/lib/app/consent.sqlite3'"
            ) from error
        name = self.url.database or ""
        # A database in memory is another one for each connection.
        in_memory = not name or name == ":memory:" or name.startswith("file:")
        if self.url.get_backend_name() != "sqlite" or in_memory:
            raise ConfigurationError(
                "CONSENTKIT_DATABASE_URI must name an SQLite file; got "
                f"{self.url.render_as_string(hide_password=True)!r}"
            )
        self.path = Path(name)
        self._engine = self._create_engine()
        self._pid = os.getpid()
        self._fork_lock = threading.Lock()
        self._inherited: list[Pool] = []

    @property
    def engine(self) -> sa.Engine:
        """The engine, with a new pool if this process is a fork of its maker's."""
        if self._pid != os.getpid():
            with self._fork_lock:
                if self._pid != os.getpid():
                    # A SQLite connection must not be used, nor closed, across a fork:
                    # what is kept here is never collected, and so never closed.
                    self._inherited.append(self._engine.pool)
                    self._engine.dispose(close=False)
                    self._pid = os.getpid()
        return self._engine

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One write transaction: commits at the end, leaves nothing behind on an error.

        Raises:
            LogConflictError: a row contradicts what is already there.
            LogUnavailableError: the database cannot be reached or is locked.
        """
        with _translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that sees the newest commit at each statement.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        with _translated(), self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def upgrade(self) -> None:
        """Create the tables, or bring them to this version; safe to race.

        Raises:
            ConfigurationError: a newer consentkit made the tables.
            LogUnavailableError: the database cannot be reached or written.
        """
        try:
            # Who is behind a handle stands in here: no other account may look.
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise LogUnavailableError(
                f"the folder of the consent database cannot be made ({error.strerror})"
            ) from error
        with self.read() as connection:
            if connection.dialect.has_table(connection, "consent_alembic_version"):
                current = connection.scalar(
                    sa.text("SELECT version_num FROM consent_alembic_version")
                )
                if current == _head():
                    return
        with self.write() as connection:
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS))
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise ConfigurationError(
                    "the tables of the consent database are of a version that this "
                    "consentkit does not know: install the one that made them, or newer"
                ) from error
        _LOGGER.info(
            "consentkit: tables ready, journal mode %s (SQLite %s)",
            journal_mode(),
            sqlite3.sqlite_version,
        )

    def dispose(self) -> None:
        """Close the pooled connections of this process."""
        self.engine.dispose()

    def _create_engine(self) -> sa.Engine:
        engine = sa.create_engine(
            self.url,
            connect_args={"timeout": BUSY_TIMEOUT},
            hide_parameters=True,  # errors are logged, and rows hold people's ids
        )
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin_immediate)
        return engine


def _head() -> str | None:
    from alembic.script import ScriptDirectory  # noqa: PLC0415  slow, start-up only

    return ScriptDirectory(str(_MIGRATIONS)).get_current_head()


def _prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    driver: Any = connection
    driver.isolation_level = None  # SQLAlchemy sends BEGIN itself, see below
    for pragma in (
        f"journal_mode={journal_mode()}",
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


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Let no exception of SQLAlchemy or of the driver out of the room."""
    try:
        yield
    except (IntegrityError, sqlite3.IntegrityError) as error:
        raise LogConflictError(
            "the write contradicts a row that is already there"
        ) from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise LogUnavailableError(
            f"the consent database did not answer ({type(error).__name__}); check that "
            "its file can be written and is not locked"
        ) from error
