"""A database that keeps its promises: what was committed stays, and writers queue."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import SQLAlchemyError

from consentkit.errors import ConfigurationError
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless
from consentkit.store.addresses import parse_url
from consentkit.store.addresses import shown
from consentkit.store.enclosing import check_commits
from consentkit.store.forks import ForkedEngine
from consentkit.store.joining import joined_to
from consentkit.store.joining import joining
from consentkit.store.postgres import Postgres
from consentkit.store.reasons import reason_of
from consentkit.store.rights import REFUSED
from consentkit.store.rights import is_refused
from consentkit.store.sqlite import Sqlite

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from consentkit.store.connections import Connections
    from consentkit.store.engine import Kind
    from consentkit.store.engine import Reader
    from consentkit.store.engine import SendLocks
    from consentkit.store.joining import Joined

__all__ = ["Database", "newest_migration"]

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOGGER = logging.getLogger("consentkit")


class Database:
    """One database: its engine, its migrations, and write transactions.

    ``shared`` says that the app keeps its own tables in it. The connections are ours
    either way: what an act needs of one is nothing to leave on a connection of theirs.

    Raises:
        ConfigurationError: the URI is not one of a database we support.
    """

    def __init__(
        self,
        uri: str,
        *,
        shared: bool = False,
        connections: Connections | None = None,
    ) -> None:
        try:
            self.url = parse_url(uri)
        except sa.exc.ArgumentError as error:
            raise ConfigurationError(
                "CONSENTKIT_DATABASE_URI must be a database URL such as "
                "'sqlite:////var/lib/app/consent.sqlite3' or "
                "'postgresql://app@db.example/consent'"
            ) from wordless(error)
        self.shared = shared
        self._kind = _kind_of(self.url, connections, shared=shared)
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
    def write(
        self, *, alone: bool = True, joins: bool = False
    ) -> Iterator[sa.Connection]:
        """One write transaction: commits at the end, leaves nothing behind on an error.

        One that is not ``alone`` may overlap with others that are not; each of them
        has to lock what it changes. What ``joins`` is a savepoint of the app's
        transaction, where this runs in a block of one; all else is refused there: it
        would wait for what this very thread holds until the block ends.

        Raises:
            LogConflictError: a row contradicts what is already there.
            LogUnavailableError: the database cannot be reached or is locked.
            ConfigurationError: it does not join, and runs in such a block.
        """
        if self._writing.connection is not None:
            raise ConfigurationError(
                "a function under @consent.within_act writes its own row and nothing "
                "else: an act within an act would wait for itself"
            )
        if not joins:
            self.check_not_joined()
        joined = self.joined
        begun = self._begun() if joined is None else joined.savepoint()
        with self.translated(), begun as connection:
            self._kind.take_turn(connection, alone=alone)
            self._writing.connection = connection
            try:
                yield connection
            finally:
                self._writing.connection = None

    @contextlib.contextmanager
    def _begun(self) -> Iterator[sa.Connection]:
        with self.engine.connect() as connection, connection.begin() as begun:
            yield connection
            check_commits(connection, begun)

    def joining(self, given: object) -> AbstractContextManager[Joined]:
        """A block whose acts are written in the transaction of the app's session.

        Raises (on entering the block): see ``consentkit.store.joining.joining``.
        """
        return joining(self, given)

    def check_not_joined(self) -> None:
        """Refuse in a block of the app's what cannot wait for its commit.

        Raises:
            ConfigurationError: this code runs in such a block.
        """
        if self.joined is not None:
            raise ConfigurationError(
                "this cannot be done within 'with consent.joining(…):', where nothing "
                "is durable before its end (docs/joining.md lists what can): do it "
                "before the block, or after it"
            )

    @property
    def joined(self) -> Joined | None:
        """The block of the app's that this code runs in, None if in none."""
        return joined_to(self)

    def when_durable(
        self, call: Callable[[], object], *, leaves: Collection[str] = ()
    ) -> None:
        """Call it now; in a block of the app's, once that has committed these leaves.

        A call that names no leaves is made if any of the block's are there.
        """
        joined = self.joined
        if joined is None:
            call()
        else:
            joined.afterwards(call, leaves=leaves)

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
        with self.translated(), self.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            self._kind.read_by(connection)
            yield connection

    def describe(self) -> str:
        """Which database this is and how it keeps what was committed, for the log.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        with self.read() as connection:
            return self._kind.describe(connection)

    def upgrade(self) -> None:
        """Create the tables, or bring them to this version; safe to race.

        Raises:
            ConfigurationError: a newer consentkit made the tables, or they are to be
                changed, and this process may not.
            LogUnavailableError: the database cannot be reached or written.
        """
        self._kind.make_room()
        with self.read() as connection:
            if connection.dialect.has_table(connection, "consent_alembic_version"):
                current = connection.scalar(
                    sa.text("SELECT version_num FROM consent_alembic_version")
                )
                if current == newest_migration():
                    return
        with self.write() as connection:
            _migrate(connection)
            _LOGGER.info(
                "consentkit: tables ready, %s",
                self._kind.describe(connection),
                extra={"event": "tables-ready"},
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
    def translated(self) -> Iterator[None]:
        """Let no exception of SQLAlchemy or of the driver out of the room."""
        conflicts: tuple[type[Exception], ...] = (IntegrityError, *self._kind.conflicts)
        failures: tuple[type[Exception], ...] = (SQLAlchemyError, *self._kind.failures)
        try:
            yield
        except conflicts as error:
            raise LogConflictError(
                "the write contradicts a row that is already there"
            ) from wordless(error)
        except failures as error:
            if is_refused(error):
                raise LogUnavailableError(REFUSED) from wordless(error)
            if self._kind.is_lost(error):  # and so are all that were opened with it
                self.engine.dispose()
            raise LogUnavailableError(
                f"the consent database did not answer ({reason_of(error)}); check "
                "that it can be reached and written, and is not locked"
            ) from wordless(error)


class _Writing(threading.local):
    """The connection by which this thread writes just now, None if it does not."""

    connection: sa.Connection | None = None


def _kind_of(url: sa.URL, connections: Connections | None, *, shared: bool) -> Kind:
    backend = url.get_backend_name()
    if backend == "sqlite":
        return Sqlite(url, shared=shared)
    if backend == "postgresql":
        return Postgres(url, connections)
    raise ConfigurationError(
        "CONSENTKIT_DATABASE_URI must name an SQLite file or a PostgreSQL database; "
        f"got {shown(url)!r}"
    )


def _migrate(connection: sa.Connection) -> None:
    """Bring the tables to this version, in the transaction of that connection.

    Raises:
        ConfigurationError: see ``Database.upgrade``.
    """
    # Takes a quarter of the start of an app, most of whose starts change no table.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(
            "the tables of the consent database are of a version that this "
            "consentkit does not know: install the one that made them, or newer"
        ) from wordless(error)
    except SQLAlchemyError as error:
        if not is_refused(error):
            raise
        raise ConfigurationError(
            "the tables of the consent database are not those of this version "
            "yet, and the role of this process may not change them: run 'flask "
            "consent init' as the owner of the tables, then start again"
        ) from wordless(error)


@functools.cache
def newest_migration() -> str:
    """The newest migration of this version, by the name of its file."""
    return max(path.name[:4] for path in _MIGRATIONS.glob("versions/[0-9]*.py"))
