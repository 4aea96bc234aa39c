"""What a connection of the app's has to be, for an act of ours to be written on it.

Its pool and its settings are the app's: what the promise of a commit rests on is looked
at and refused where it is missing, and what counts for our own statements alone is set
for them and put back.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless
from consentkit.store import schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from sqlalchemy.orm import Session

    Work: TypeAlias = "Session | sa.Connection"

__all__ = [
    "TABLES",
    "begin_write",
    "check_same",
    "connection_of",
    "follow_savepoints",
    "is_going_on",
    "set_for_act",
]

_LOCK_SECONDS = 30  # as long as a writer waits for its turn on SQLite
_FULL = 2  # PRAGMA synchronous
_IN_TRANSACTION = 2  # psycopg's TransactionStatus.INTRANS
TABLES = "ARRAY[{}]::text".format(
    ", ".join(f"to_regclass('{name}')::oid" for name in sorted(schema.METADATA.tables))
)
"""What each bare name of our tables stands for: another schema could shadow one."""
_PLACE = f"""
SELECT extract(epoch FROM pg_postmaster_start_time())::text,
       (SELECT oid FROM pg_database WHERE datname = current_database())::bigint,
       {TABLES}
"""  # noqa: S608  names of our own
_MANNER = """
SELECT current_setting('transaction_isolation'),
       current_setting('transaction_read_only')
"""
# An update of no row takes the lock of a writer all the same.
_TAKE_LOCK = "UPDATE consent_subject SET seq = seq WHERE 0"


def connection_of(given: object) -> tuple[Work, sa.Connection]:
    """What ends the transaction, and the connection it is on; it is begun from here on.

    Raises:
        ConfigurationError: it is neither session nor connection, or its end would not
            be the end of the transaction.
        SQLAlchemyError: the database cannot be reached.
    """
    # A fifth of our whole import; an app that has a session has loaded it.
    from sqlalchemy.orm import Session  # noqa: PLC0415
    from sqlalchemy.orm import scoped_session  # noqa: PLC0415

    work = given() if isinstance(given, scoped_session) else given
    if not isinstance(work, (Session, sa.Connection)):
        raise ConfigurationError(
            "consent.joining(…) takes a Session of SQLAlchemy, such as db.session, or "
            "a Connection; of an AsyncSession its sync_session, within run_sync; got "
            f"{type(work).__name__}"
        )
    if work.in_nested_transaction():
        raise ConfigurationError(
            "consent.joining(…) ends the transaction: enter the block before the "
            "savepoint, not within it"
        )
    connection = _of_session(work) if isinstance(work, Session) else work
    if connection.closed:
        raise ConfigurationError("consent.joining(…) was given a closed Connection")
    if not connection.in_transaction():
        connection.begin()
    return work, connection


def _of_session(session: Session) -> sa.Connection:
    try:
        bind = session.get_bind()
    except sa.exc.InvalidRequestError as error:  # bound to nothing, or by table alone
        raise ConfigurationError(
            "consent.joining(…) takes a Session whose default database is the one with "
            "the consents; this one has no default"
        ) from wordless(error)
    if isinstance(bind, sa.Connection) or session.twophase:
        raise ConfigurationError(
            "consent.joining(…) takes a Session whose commit is that of the database; "
            "this one is bound to a Connection, or commits in two phases"
        )
    return session.connection()


def check_same(connection: sa.Connection, own: sa.Engine, file: Path | None) -> None:
    """Refuse a connection to another database than ``own``, or by another driver.

    Raises:
        ConfigurationError: it is one of these.
        SQLAlchemyError: the database cannot be reached.
    """
    backend, driver = connection.dialect.name, connection.dialect.driver
    if (backend, driver) not in {("sqlite", "pysqlite"), ("postgresql", "psycopg")}:
        raise ConfigurationError(
            "consent.joining(…) writes by sqlite3 or psycopg 3: the URL of the app's "
            "engine has to begin with 'sqlite://' or 'postgresql+psycopg://'; got "
            f"'{backend}+{driver}://'"
        )
    if backend != own.dialect.name or not _is_there(connection, own, file):
        raise ConfigurationError(
            "consent.joining(…) was given a connection to another database than that "
            "of the consents, or to another schema of it"
        )


def _is_there(connection: sa.Connection, own: sa.Engine, file: Path | None) -> bool:
    if file is not None:
        names = connection.exec_driver_sql("PRAGMA database_list").all()
        main = next(row[2] for row in names if row[1] == "main")
        return bool(main) and Path(main).samefile(file)
    # By what the server says of itself: two addresses may lead to one, through a
    # pooler, and one address to two.
    theirs = connection.exec_driver_sql(_PLACE).one()
    with own.connect() as ours:
        return tuple(ours.exec_driver_sql(_PLACE).one()) == tuple(theirs)


def begin_write(connection: sa.Connection) -> None:
    """Begin what the acts are written in, or refuse where it could not hold them.

    Raises:
        ConfigurationError: the connection commits each statement, does not see the
            newest commit, or does not make a commit durable.
        LogUnavailableError: on SQLite, somebody else writes.
    """
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        raise _refused("commits each statement by itself (AUTOCOMMIT)")
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        _begin_sqlite(driver)
        return
    if driver.autocommit:
        raise _refused("commits each statement by itself (AUTOCOMMIT)")
    isolation, read_only = driver.execute(_MANNER).fetchone()
    if isolation != "read committed":
        # Else what it reads of a person is older than what it then writes.
        raise _refused(f"is in isolation level {isolation}: make it READ COMMITTED")
    if read_only == "on":
        raise _refused("is read-only")


def _begin_sqlite(driver: Any) -> None:
    if getattr(driver, "autocommit", None) is True:  # Python 3.12
        raise _refused("commits each statement by itself (autocommit=True)")
    if driver.row_factory is not None or driver.text_factory is not str:
        raise _refused("has a row_factory or text_factory of its own")
    if driver.execute("PRAGMA synchronous").fetchone()[0] < _FULL:
        raise _refused(
            "has synchronous=OFF or NORMAL, with which a power cut takes back what was "
            "committed: run 'PRAGMA synchronous=FULL' in a 'connect' listener of the "
            "app's engine"
        )
    try:
        # A deferred transaction that reads first fails at its first write at once.
        driver.execute(_TAKE_LOCK if driver.in_transaction else "BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        raise LogUnavailableError(
            "somebody else writes to the database, or did since this transaction began "
            "to read: enter 'with consent.joining(…):' before the first statement"
        ) from wordless(error)


def _refused(how: str) -> ConfigurationError:
    return ConfigurationError(
        f"consent.joining(…) was given a connection that {how}; an act needs one that "
        "commits all at once, durably, and sees the newest commit"
    )


def follow_savepoints(work: Work) -> None:
    """Begin the savepoints of the app's that a session has not told the database yet.

    It does so at its own next statement only: ours would go before them.
    """
    if not isinstance(work, sa.Connection):
        work.connection()


def is_going_on(connection: sa.Connection, root: sa.RootTransaction) -> bool:
    """Whether that transaction is open, and would commit if it were told to."""
    if not root.is_active or connection.get_transaction() is not root:
        return False
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        return bool(driver.in_transaction)
    return int(driver.info.transaction_status) == _IN_TRANSACTION


@contextlib.contextmanager
def set_for_act(connection: sa.Connection) -> Iterator[None]:
    """While an act is written: erased bytes are overwritten, and no wait is endless.

    After an error the settings of PostgreSQL go back with the savepoint. What makes
    the commit durable stays set until then.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        (before,) = driver.execute("PRAGMA secure_delete").fetchone()
        driver.execute("PRAGMA secure_delete=ON")
        try:
            yield
        finally:
            driver.execute(f"PRAGMA secure_delete={before}")
        return
    before, durable = driver.execute(
        "SELECT current_setting('lock_timeout'), current_setting('synchronous_commit')"
    ).fetchone()
    driver.execute(f"SET LOCAL lock_timeout TO '{_LOCK_SECONDS}s'")
    if durable == "off":  # else a commit that was answered could be lost
        driver.execute("SET LOCAL synchronous_commit TO on")
    yield
    driver.execute("SELECT set_config('lock_timeout', %s, true)", [before])
