"""Which log a database holds, and how one begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consentkit.errors import ConfigurationError
from consentkit.store import schema
from consentkit.store.ledger import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

    from consentkit.core.act import Millis
    from consentkit.log.leaf import Leaf
    from consentkit.store.database import Database

__all__ = ["LogRow", "find_log", "open_log"]

_FIND = sa.select(schema.log.c.id, schema.log.c.origin)


@dataclass(frozen=True, slots=True)
class LogRow:
    """A log by its number in this database and its origin."""

    id: int
    origin: str


def find_log(database: Database) -> LogRow | None:
    """The log that this database holds, or None while it is empty.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    with database.read() as connection:
        row = connection.execute(_FIND).one_or_none()
    return LogRow(*row) if row else None


def open_log(
    database: Database,
    origin: str,
    *,
    first_leaves: Callable[[], Iterable[Leaf]],
    now: Millis,
) -> LogRow:
    """The log with that origin; begun with ``first_leaves`` if there is none yet.

    Safe to race: whoever comes second finds the first one's log.

    Raises:
        ConfigurationError: the database already holds a log with another origin.
        LogUnavailableError: the database cannot be reached or written.
    """
    with database.write() as connection:
        row = connection.execute(_FIND).one_or_none()
        if row is None:
            log_id = _begin(connection, origin, now)
            transaction = Transaction(connection, log_id)
            for leaf in first_leaves():
                transaction.append(leaf)
            return LogRow(log_id, origin)
    if row.origin != origin:
        raise ConfigurationError(
            f"CONSENTKIT_LOG_ORIGIN is {origin!r}, but this database holds the log "
            f"{row.origin!r}: a log never changes its name; set the key back, or "
            "point CONSENTKIT_DATABASE_URI at a new database"
        )
    return LogRow(row.id, row.origin)


def _begin(connection: sa.Connection, origin: str, now: Millis) -> int:
    inserted = connection.execute(
        sa.insert(schema.log).values(origin=origin, size=0, created=now)
    )
    key = inserted.inserted_primary_key
    return int(key[0]) if key else 0
