"""What a database says about itself, for whoever looks after it. Reads only.

Each question stands alone, so that one that this role may not ask leaves the others.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.core.act import Millis
from consentkit.store import partitions
from consentkit.store.database import newest_migration
from consentkit.store.postgres_pooling import is_pooled
from consentkit.store.rights import find_rights
from consentkit.store.sqlite import journal_mode

if TYPE_CHECKING:
    from consentkit.store.database import Database
    from consentkit.store.rights import Rights

__all__ = ["Durability", "Inspection", "Journal", "Migration", "Standby"]

_GUARDS = ("consent_leaf_no_delete", "consent_leaf_no_update")
_NO_TRUNCATE = "consent_leaf_no_truncate"
_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' "
    "AND tbl_name = 'consent_leaf'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A') "
    "AND tgrelid = to_regclass('consent_leaf')",
}
_SETTINGS = """
SELECT current_setting('synchronous_commit'),
    (SELECT reset_val FROM pg_settings WHERE name = 'synchronous_commit'),
    current_setting('synchronous_standby_names'), current_setting('fsync'),
    current_setting('full_page_writes'), pg_is_in_recovery()
"""
_STANDBYS = """
SELECT application_name, state, sync_state,
    extract(epoch FROM replay_lag)::float8
FROM pg_stat_replication ORDER BY application_name
"""
_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"


@dataclass(frozen=True, slots=True)
class Journal:
    """How an SQLite file keeps what was committed, and how this SQLite should."""

    mode: str
    safe: str
    version: str


@dataclass(frozen=True, slots=True)
class Migration:
    """Of which version the tables are, and of which this consentkit would have them."""

    found: str
    newest: str


@dataclass(frozen=True, slots=True)
class Durability:
    """What PostgreSQL waits for before it says that something is committed.

    ``commit`` is how our connections are set, ``by_default`` how others are.
    """

    commit: str
    by_default: str
    standbys: str
    fsync: str
    full_pages: str
    is_replica: bool


@dataclass(frozen=True, slots=True)
class Standby:
    """A replica that is connected; ``state`` is None if this role may not see more.

    ``lag`` is how long ago, in seconds, what it shows now was written; None where
    nothing is written.
    """

    name: str
    state: str | None
    sync: str | None
    lag: float | None


class Inspection:
    """The questions to one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._database.url.get_backend_name()

    def describe(self) -> str:
        """Which database it is, with its version.

        Raises:
            LogUnavailableError: it cannot be reached, as in all that follows.
        """
        if self.kind() == "sqlite":
            return f"SQLite {sqlite3.sqlite_version}"
        return f"PostgreSQL {self._scalar('SHOW server_version')}"

    def journal(self) -> Journal:
        """How an SQLite file is written."""
        mode = str(self._scalar("PRAGMA journal_mode")).upper()
        return Journal(mode, journal_mode(), sqlite3.sqlite_version)

    def migration(self) -> Migration:
        """Of which version the tables are."""
        found = self._scalar("SELECT version_num FROM consent_alembic_version")
        return Migration(str(found), newest_migration())

    def lost_partitions(self) -> list[str]:
        """What is missing of the partitions; nothing on SQLite."""
        with self._database.read() as connection:
            return partitions.missing(connection)

    def lost_triggers(self) -> list[str]:
        """Which triggers that keep leaves as they are, are gone or switched off."""
        with self._database.read() as connection:
            found = set(
                connection.exec_driver_sql(_TRIGGERS[self.kind()]).scalars().all()
            )
        wanted = [*_GUARDS, *([_NO_TRUNCATE] if self.kind() == "postgresql" else [])]
        return [each for each in wanted if each not in found]

    def rights(self) -> Rights | None:
        """What this process's role may do; None on SQLite."""
        with self._database.read() as connection:
            return find_rights(connection)

    def durability(self) -> Durability:
        """What PostgreSQL waits for at a commit."""
        with self._database.read() as connection:
            return Durability(*connection.exec_driver_sql(_SETTINGS).one())

    def standbys(self) -> list[Standby]:
        """The replicas that are connected to this PostgreSQL."""
        with self._database.read() as connection:
            return [Standby(*row) for row in connection.exec_driver_sql(_STANDBYS)]

    def clock(self) -> Millis:
        """What time it is there."""
        return Millis(self._scalar(_CLOCK))

    def is_pooled(self) -> bool:
        """Whether there is a pooler between us and PostgreSQL."""
        with self._database.read() as connection:
            driver: Any = connection.connection.driver_connection
            return is_pooled(driver, known=None)

    def _scalar(self, query: str) -> Any:
        with self._database.read() as connection:
            return connection.scalar(sa.text(query))
