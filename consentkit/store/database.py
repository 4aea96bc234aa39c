"""A database that keeps its promises: what was committed stays, and writers queue."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import SQLAlchemyError

from consentkit.errors import ConfigurationError
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.store.forks import ForkedEngine
from consentkit.store.postgres import Postgres
from consentkit.store.sqlite import Sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.store.engine import Kind
    from consentkit.store.engine import Reader
    from consentkit.store.engine import SendLocks

__all__ = ["Database"]

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOGGER = logging.getLogger("consentkit")


class Database:
    """One database: its engine, its migrations, and write transactions.

    ``shared`` says that the app keeps its own tables in it. The connections are ours
    either way: what an act needs of one is nothing to leave on a connection of theirs.

    Raises:
        ConfigurationError: the URI is not one of a database we support.
    """

    def __init__(self, uri: str, *, shared: bool = False) -> None:
        try:
            self.url = make_url(uri)
        except sa.exc.ArgumentError as error:
            raise ConfigurationError(
                "CONSENTKIT_DATABASE_URI must be a database URL such as "
                "'sqlite:////var/lib/app/consent.sqlite3' or "
                "'postgresql://app@db.example/consent'"
            ) from error
        self.shared = shared
        self._kind = _kind_of(self.url, shared=shared)
        self._engine = ForkedEngine(self._kind.connect())
        self._writing = _Writing()

    @property
    def engine(self) -> sa.Engine:
        """The engine, with a new pool if this process is a fork of its maker's."""
        return self._engine.current()

    @property
    def file(self) -> Path | None:
        """The file that everything is in, None if there is a server."""
        return self._kind.file

    @contextlib.contextmanager
    def write(self, *, alone: bool = True) -> Iterator[sa.Connection]:
        """One write transaction: commits at the end, leaves nothing behind on an error.

        One that is not ``alone`` may overlap with others that are not; each of them
        has to lock what it changes.

        Raises:
            LogConflictError: a row contradicts what is already there.
            LogUnavailableError: the database cannot be reached or is locked.
        """
        with (
            self._translated(),
            self.engine.connect() as connection,
            connection.begin(),
        ):
            self._kind.take_turn(connection, alone=alone)
            self._writing.connection = connection
            try:
                yield connection
            finally:
                self._writing.connection = None

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that sees the newest commit at each statement.

        Within a write transaction of the same thread it is that one: a second
        connection would not see what was written, and threads that each hold one and
        wait for another would wait for each other.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        if self._writing.connection is not None:
            yield self._writing.connection
            return
        with self._translated(), self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def upgrade(self) -> None:
        """Create the tables, or bring them to this version; safe to race.

        Raises:
            ConfigurationError: a newer consentkit made the tables.
            LogUnavailableError: the database cannot be reached or written.
        """
        self._kind.make_room()
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
                "consentkit: tables ready, %s", self._kind.describe(connection)
            )

    def reader(self) -> Reader:
        """The hot read behind every check."""
        return self._kind.reader()

    def send_locks(self) -> SendLocks:
        """The locks of what leaves, for whoever has to wait until it is out."""
        return self._kind.send_locks()

    def rewrite(self) -> None:
        """Leave no byte of what was deleted, as far as that is ours to do.

        Raises:
            LogUnavailableError: somebody reads or writes for too long, or the disk is
                full.
        """
        with self.read() as connection:
            self._kind.rewrite(connection)

    def dispose(self) -> None:
        """Close the pooled connections of this process."""
        self.engine.dispose()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Let no exception of SQLAlchemy or of the driver out of the room."""
        conflicts: tuple[type[Exception], ...] = (IntegrityError, *self._kind.conflicts)
        failures: tuple[type[Exception], ...] = (SQLAlchemyError, *self._kind.failures)
        try:
            yield
        except conflicts as error:
            raise LogConflictError(
                "the write contradicts a row that is already there"
            ) from error
        except failures as error:
            raise LogUnavailableError(
                f"the consent database did not answer ({type(error).__name__}); check "
                "that it can be reached and written, and is not locked"
            ) from error


class _Writing(threading.local):
    """The connection by which this thread writes just now, None if it does not."""

    connection: sa.Connection | None = None


def _kind_of(url: sa.URL, *, shared: bool) -> Kind:
    backend = url.get_backend_name()
    if backend == "sqlite":
        return Sqlite(url, shared=shared)
    if backend == "postgresql":
        return Postgres(url)
    raise ConfigurationError(
        "CONSENTKIT_DATABASE_URI must name an SQLite file or a PostgreSQL database; "
        f"got {url.render_as_string(hide_password=True)!r}"
    )


@functools.cache
def _head() -> str | None:
    """The newest migration of this version, which no process changes."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415  slow, start-up only

    return ScriptDirectory(str(_MIGRATIONS)).get_current_head()
