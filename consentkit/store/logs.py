"""Which logs a database holds, how one begins, and how one follows another.

Only the newest is written to; those before it are closed, and each was followed by the
next (``docs/adr/0016``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consentkit.core.act import Millis
from consentkit.errors import ConfigurationError
from consentkit.store import closures
from consentkit.store import keys
from consentkit.store import numbers
from consentkit.store import partitions
from consentkit.store import schema
from consentkit.store import subjects
from consentkit.store.closures import Closure
from consentkit.store.ledger import Transaction

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable

    from consentkit.log.leaf import Leaf
    from consentkit.store.database import Database

__all__ = ["LogRow", "find_logs", "open_log"]

_LOG = schema.log


@dataclass(frozen=True, slots=True)
class LogRow:
    """A log by its number in this database and its origin.

    ``closed`` is when it was closed, None while it goes on; ``closure`` what it said
    then.
    """

    id: int
    origin: str
    closed: Millis | None = None
    closure: Closure | None = None


def find_logs(database: Database) -> list[LogRow]:
    """The logs that this database holds, oldest first.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    with database.read() as connection:
        return _find(connection)


def open_log(
    database: Database,
    origin: str,
    *,
    first_leaves: Callable[[LogRow | None], Iterable[Leaf]],
    now: Millis,
) -> LogRow:
    """The log with that origin; begun with ``first_leaves`` if there is none yet.

    ``first_leaves`` gets the closed log that the new one follows, if there is one.
    Safe to race: whoever comes second finds the first one's log.

    Raises:
        ConfigurationError: the database holds a log with another origin, and it is not
            closed, or names another successor.
        LogUnavailableError: the database cannot be reached or written.
    """
    with database.write() as connection:
        logs = _find(connection)
        newest = logs[-1] if logs else None
        if newest is not None and newest.origin == origin:
            return newest
        if newest is not None:
            _check_may_follow(connection, newest, origin, logs)
        return _begin(connection, origin, first_leaves(newest), now)


def _find(connection: sa.Connection) -> list[LogRow]:
    columns = (_LOG.c[name] for name in ("id", "origin", "closed"))
    rows = connection.execute(sa.select(*columns).order_by(_LOG.c.id)).all()
    return [
        LogRow(log_id, origin, closed, closures.find_closure(connection, log_id))
        for log_id, origin, closed in rows
    ]


def _check_may_follow(
    connection: sa.Connection, newest: LogRow, origin: str, logs: Iterable[LogRow]
) -> None:
    if origin in {each.origin for each in logs}:
        raise ConfigurationError(
            f"the log {origin!r} was closed: set CONSENTKIT_LOG_ORIGIN to "
            f"{newest.origin!r}"
        )
    if newest.closed is None:
        raise ConfigurationError(
            f"CONSENTKIT_LOG_ORIGIN is {origin!r}, but this database holds the log "
            f"{newest.origin!r}: a log never changes its name; set the key back, point "
            "CONSENTKIT_DATABASE_URI at a new database, or close that log with 'flask "
            "consent log close'"
        )
    if newest.closure is not None and newest.closure.successor not in ("", origin):
        raise ConfigurationError(
            f"CONSENTKIT_LOG_ORIGIN is {origin!r}, but the log {newest.origin!r} was "
            f"closed to be followed by {newest.closure.successor!r}: set the key so"
        )
    if numbers.count_waiting(connection, newest.id):
        raise ConfigurationError(
            f"the log {newest.origin!r} is closed, but not all of it is published: run "
            "'flask consent log close' once more as it was run before, with "
            f"CONSENTKIT_LOG_ORIGIN = {newest.origin!r} and its keys"
        )


def _begin(
    connection: sa.Connection, origin: str, leaves: Iterable[Leaf], now: Millis
) -> LogRow:
    first = list(leaves)
    inserted = connection.execute(
        sa.insert(_LOG).values(origin=origin, size=0, created=now)
    )
    key = inserted.inserted_primary_key
    log_id = int(key[0]) if key else 0
    partitions.make_room(connection, log_id)
    transaction = Transaction(connection, log_id)
    for leaf in first:  # the second registers the key that signs the first
        keys.note(connection, log_id, leaf)
    for leaf in first:
        transaction.append(leaf)
    subjects.begin_chains(connection)
    return LogRow(log_id, origin)
