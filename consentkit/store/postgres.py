"""PostgreSQL: any number of processes on any number of machines (extra ``postgres``).

Acts of different people overlap; the acts of one person wait for each other at the
person's row. What changes the log as a whole, such as the rotation of a key, waits for
everybody and lets nobody overlap, as every transaction does on SQLite. Both is said by
advisory locks of the transaction: they need no table, end with the transaction however
it ends, and work through a pooler that hands connections out by transaction.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from consentkit.errors import ConfigurationError
from consentkit.store.connections import TABLE_WAIT
from consentkit.store.connections import Connections
from consentkit.store.postgres_pooling import is_lost
from consentkit.store.postgres_pooling import is_pooled
from consentkit.store.postgres_pooling import rewrite_if_free
from consentkit.store.postgres_reader import PostgresReader
from consentkit.store.postgres_schema import Home
from consentkit.store.postgres_schema import prefix_of
from consentkit.store.postgres_sends import PostgresSends
from consentkit.store.postgres_timeline import Cluster
from consentkit.store.rights import check_may_rewrite
from consentkit.store.statement import Statement

if TYPE_CHECKING:
    from types import ModuleType

    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

    from consentkit.store.postgres_schema import Place

__all__ = ["Postgres", "load_driver", "take_log_turn"]

_POOLED = "consentkit_pooled"  # what is known of a connection in the pool

# A number nobody else uses for an advisory lock, as far as that can be chosen.
_OURS = int.from_bytes(hashlib.sha256(b"consentkit").digest()[:3])
_LOCK = sa.bindparam("ours", type_=sa.Integer), sa.bindparam("log", type_=sa.Integer)
_ALONE = Statement(sa.select(sa.func.pg_advisory_xact_lock(*_LOCK)))
_TOGETHER = Statement(sa.select(sa.func.pg_advisory_xact_lock_shared(*_LOCK)))
# Behind a pooler the same statement says how long to wait, that the commit is to be on
# disk, and where our tables lie; all of it for this transaction, since whoever had the
# session before was not ours, nor is whoever gets it next.
_SETTING = """
WITH settings AS MATERIALIZED (
    SELECT pg_catalog.set_config('lock_timeout', :wait, true),
        pg_catalog.set_config('synchronous_commit',
            CASE pg_catalog.current_setting('synchronous_commit') WHEN 'off' THEN 'on'
            ELSE pg_catalog.current_setting('synchronous_commit') END, true),
        pg_catalog.set_config('search_path', COALESCE(CAST(:path AS text),
            pg_catalog.current_setting('search_path')), true)
) SELECT pg_catalog.{lock}(CAST(:ours AS integer), CAST(:log AS integer)) FROM settings
"""
_SETTING_ALONE, _SETTING_TOGETHER = (
    Statement(sa.text(_SETTING.format(lock=lock)))
    for lock in ("pg_advisory_xact_lock", "pg_advisory_xact_lock_shared")
)
_EVERY_LOG = 0


def load_driver() -> ModuleType:
    """Psycopg 3, loaded only where there is a PostgreSQL to talk to.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        import psycopg  # noqa: PLC0415  an extra
    except ImportError as error:
        raise ConfigurationError(
            "PostgreSQL needs the extra 'postgres': pip install 'consentkit[postgres]'"
        ) from error
    return psycopg


class Postgres:
    """One PostgreSQL database (a ``Kind`` of database).

    Raises:
        ConfigurationError: the URL asks for another driver than psycopg, or the extra
            is not installed.
    """

    file = None

    def __init__(self, url: sa.URL, connections: Connections | None = None) -> None:
        if url.drivername not in ("postgresql", "postgresql+psycopg"):
            raise ConfigurationError(
                "CONSENTKIT_DATABASE_URI must begin with 'postgresql://' (psycopg 3 is "
                f"used); got {url.drivername!r}"
            )
        driver = self._driver = load_driver()
        # Which driver "postgresql://" stands for differs between SQLAlchemy's versions.
        self._url = url.set(drivername="postgresql+psycopg")
        self._connections = connections or Connections()
        self._cluster = Cluster()
        self._home = Home()
        self.conflicts: tuple[type[Exception], ...] = (driver.IntegrityError,)
        self.failures: tuple[type[Exception], ...] = (driver.Error,)

    def connect(self) -> sa.Engine:
        """See ``Kind.connect``."""
        engine = sa.create_engine(
            self._with_timeout(),
            isolation_level="READ COMMITTED",
            # All are kept: to open one more for each act takes longer than the act.
            pool_size=self._connections.pooled,
            max_overflow=0,
            pool_timeout=self._connections.pool_wait,
            hide_parameters=True,  # errors are logged, and rows hold people's ids
        )
        self._cluster.serve(engine)
        event.listen(engine, "connect", self._prepare)
        return engine

    def make_room(self) -> None:
        """Nothing: whoever runs the server made the database."""

    def take_turn(self, connection: sa.Connection, *, alone: bool) -> None:
        """See ``Kind.take_turn``."""
        if _POOLED in connection.info:
            turn = _SETTING_ALONE if alone else _SETTING_TOGETHER
            place: Place | None = connection.info[_POOLED]
            setting = {"wait": self._lock_wait, "path": place and place.path}
            turn.run(connection, ours=_OURS, log=_EVERY_LOG, **setting)
        else:
            turn = _ALONE if alone else _TOGETHER
            turn.run(connection, ours=_OURS, log=_EVERY_LOG)

    def read_by(self, connection: sa.Connection) -> None:
        """See ``Kind.read_by``."""
        place: Place | None = connection.info.get(_POOLED)
        if place is not None:
            connection.execution_options(schema_translate_map={None: place.schema})

    def is_lost(self, error: Exception) -> bool:
        """See ``Kind.is_lost``."""
        return is_lost(error)

    def reader(self) -> PostgresReader:
        """See ``Kind.reader``."""
        return PostgresReader(
            self._url, self._driver, self._connections, self._cluster, self._home
        )

    def send_locks(self) -> PostgresSends:
        """See ``Kind.send_locks``."""
        return PostgresSends(
            self._with_timeout(), self.failures, self._connections, self._cluster
        )

    def rewrite(self, connection: sa.Connection) -> None:
        """See ``Kind.rewrite``: the tables are written anew.

        Write-ahead log, replicas and backups keep what was deleted until they are
        recycled; that is for whoever runs the server.
        """
        check_may_rewrite(connection)
        of_persons = ("subject", "state", "evidence", "disclosure", "delivery", "hold")
        pooled = _POOLED in connection.info
        place: Place | None = connection.info.get(_POOLED)
        driver: Any = connection.connection.driver_connection
        for name in (*of_persons, "batch_entry", "batch_stranger"):
            table = f"{prefix_of(place)}consent_{name}"
            if not pooled:
                self._rewrite_alone(driver, table)
            elif not rewrite_if_free(driver, table):
                raise self._driver.errors.LockNotAvailable(f"{table} is in use")

    def _rewrite_alone(self, driver: Any, table: str) -> None:
        driver.execute(f"SET lock_timeout TO '{TABLE_WAIT}'")
        try:
            driver.execute(f"VACUUM (FULL) {table}")
        finally:
            if not driver.closed:
                driver.execute(f"SET lock_timeout TO '{self._lock_wait}'")

    def describe(self, connection: sa.Connection) -> str:
        """See ``Kind.describe``."""
        version = connection.scalar(sa.text("SHOW server_version"))
        durable = connection.scalar(sa.text("SHOW synchronous_commit"))
        return f"PostgreSQL {version}, synchronous_commit {durable}"

    def _with_timeout(self) -> sa.URL:
        timeout = {"connect_timeout": str(self._connections.connect_wait)}
        return self._url.update_query_dict({**timeout, **self._url.query})

    @property
    def _lock_wait(self) -> str:
        return f"{self._connections.lock_wait}s"

    def _prepare(
        self, connection: DBAPIConnection, record: ConnectionPoolEntry
    ) -> None:
        driver: Any = connection
        try:
            self._set_up(driver, record)
        except self.failures:
            driver.close()  # SQLAlchemy only forgets it
            raise

    def _set_up(self, driver: Any, record: ConnectionPoolEntry) -> None:
        if is_pooled(driver, known=self._connections.pooler):
            driver.prepare_threshold = None
            record.info[_POOLED] = self._home.find(driver)
        else:
            found = driver.execute("SHOW synchronous_commit").fetchone()
            if found == ("off",):  # else a commit that was answered could be lost
                driver.execute("SET synchronous_commit TO on")
            driver.execute(f"SET lock_timeout TO '{self._lock_wait}'")
        driver.commit()


def take_log_turn(connection: sa.Connection, log: int) -> None:
    """Wait until nobody else who waited so adds to that log, up to the end.

    Nothing on SQLite, where nobody else writes anyhow.
    """
    if connection.dialect.name == "postgresql":
        _ALONE.run(connection, ours=_OURS, log=log)
