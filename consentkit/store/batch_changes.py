"""Whose standing may have changed since a batch was last asked about.

Whatever changes what somebody has answered puts a leaf into the log with it, in one
transaction. A leaf that was committed after a mark was read has no number yet, or one
from the mark on: numbers are given to leaves that are committed, in order. Positions
would not do, since a transaction may take one and be committed after a later one.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from consentkit.core.act import Kind
from consentkit.core.decision import Reason
from consentkit.store import schema

__all__ = ["MOST", "Mark", "read_mark", "touched"]

MOST = 2_000
"""Handles that are told one by one; where it may be more, all are asked about."""

_LEAF, _LOG, _ENTRY = schema.leaf, schema.log, schema.batch_entry
# Leaves about nobody that change nobody's standing.
_HARMLESS = (Kind.DISCLOSURE_BATCH, Kind.NOTICE, Kind.KEY, Kind.GENESIS)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the newest log was numbered."""

    log: int
    size: int


def read_mark(connection: sa.Connection) -> Mark:
    """What was committed before now is behind it, or waits for its number."""
    numbered = (
        sa.select(sa.func.max(_LEAF.c.idx))
        .where(_LEAF.c.log == _LOG.c.id, _LEAF.c.idx >= 0)
        .scalar_subquery()
    )
    query = sa.select(_LOG.c.id, numbered).order_by(_LOG.c.id.desc()).limit(1)
    log, newest = connection.execute(query).one()
    return Mark(log, 0 if newest is None else newest + 1)


def touched(
    connection: sa.Connection, number: int, *, since: Mark, until: str
) -> list[str] | None:
    """The handles up to ``until`` in a batch about whom there are leaves since then.

    None where that cannot be said, or of too many: then anybody's may have changed.
    """
    newest = read_mark(connection)
    if (newest.log, newest.size) < (since.log, since.size):
        return None  # another database was put in its place
    later = sa.union_all(
        *(
            sa.select(_LEAF.c.handle, _LEAF.c.kind).where(condition)
            for condition in (
                (_LEAF.c.log >= since.log) & _LEAF.c.idx.is_(None),
                (_LEAF.c.log == since.log) & (_LEAF.c.idx >= since.size),
                (_LEAF.c.log > since.log) & (_LEAF.c.idx >= 0),
            )
        )
    ).cte("later")
    about_all = sa.select(sa.literal(1)).where(
        sa.exists().where(
            later.c.handle.is_(None),
            later.c.kind.not_in([each.value for each in _HARMLESS]),
        )
    )
    if connection.scalar(about_all) is not None:
        return None
    query = (
        sa.select(_ENTRY.c.handle)
        .where(
            _ENTRY.c.batch == number,
            _ENTRY.c.handle <= until,
            _ENTRY.c.reason == Reason.GRANTED.value,
            _ENTRY.c.handle.in_(sa.select(later.c.handle)),
        )
        .limit(MOST + 1)
    )
    found = list(connection.scalars(query))
    return found if len(found) <= MOST else None
