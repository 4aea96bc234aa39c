"""The periods: one log after the other, and what became of those that ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consentkit.core.act import Millis
from consentkit.errors import ConfigurationError
from consentkit.store import schema
from consentkit.store.entries import not_left_out
from consentkit.store.rights import find_rights

if TYPE_CHECKING:
    from consentkit.store.database import Database

__all__ = [
    "Period",
    "PeriodWriter",
    "Periods",
    "check_may_archive",
    "check_may_begin",
]

_LOG = schema.log


@dataclass(frozen=True, slots=True)
class Period:
    """One log of the database: how much is published of it, and when what happened.

    ``closed``, ``archived`` and ``dropped`` are None where that did not happen.
    """

    id: int
    origin: str
    begun: Millis
    size: int
    closed: Millis | None = None
    archived: Millis | None = None
    dropped: Millis | None = None


_COLUMNS = tuple(
    _LOG.c[name]
    for name in ("id", "origin", "created", "size", "closed", "archived", "dropped")
)


class Periods:
    """Reads of the table of logs, each seeing the newest commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Period]:
        """Every log that this database ever held, oldest first.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        with self._database.read() as connection:
            rows = connection.execute(sa.select(*_COLUMNS).order_by(_LOG.c.id))
            return [Period(*row) for row in rows]

    def find(self, origin: str) -> Period | None:
        """The log of that origin, None if there never was one.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        with self._database.read() as connection:
            return _find(connection, origin)

    def newest_entry(self) -> Millis | None:
        """When the newest entry of the log in use was made; None without a log.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        leaf = schema.leaf
        newest = sa.select(sa.func.max(_LOG.c.id)).scalar_subquery()
        query = sa.select(sa.func.max(leaf.c.time)).where(
            leaf.c.log == newest, not_left_out(leaf)
        )
        with self._database.read() as connection:
            found: int | None = connection.scalar(query)
        return None if found is None else Millis(found)


class PeriodWriter:
    """What one write transaction notes about a log that ended."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def find(self, origin: str) -> Period | None:
        """The log of that origin as it is within this transaction."""
        return _find(self._connection, origin)

    def mark_archived(self, log_id: int, now: Millis) -> None:
        """Note that all of its files were found in an archive."""
        self._connection.execute(
            sa.update(_LOG).where(_LOG.c.id == log_id).values(archived=now)
        )


def _find(connection: sa.Connection, origin: str) -> Period | None:
    query = sa.select(*_COLUMNS).where(_LOG.c.origin == origin)
    row = connection.execute(query).one_or_none()
    return Period(*row) if row else None


def check_may_begin(database: Database) -> None:
    """Refuse what would end half way: a log begins with tables of its own.

    Raises:
        ConfigurationError: this process does not own the tables (PostgreSQL).
        LogUnavailableError: the database cannot be reached.
    """
    _check_owns(
        database,
        "begin a log, as that takes tables of its own",
        so_far="nothing was closed",
    )


def check_may_archive(database: Database) -> None:
    """Refuse what would end half way: an archive that could not be noted.

    Raises:
        ConfigurationError: this process does not own the tables (PostgreSQL).
        LogUnavailableError: the database cannot be reached.
    """
    _check_owns(database, "note that a log was archived", so_far="nothing was copied")


def _check_owns(database: Database, what: str, *, so_far: str) -> None:
    with database.read() as connection:
        rights = find_rights(connection)
    if rights is not None and not rights.owns:
        raise ConfigurationError(
            f"the database role {rights.role!r} may not {what}: for this command let "
            "CONSENTKIT_DATABASE_URI name the owner of the tables, "
            f"{rights.owner!r}; {so_far}"
        )
