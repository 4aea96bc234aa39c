"""Which leaves are entries of a log, or wait to be: conditions for a ``WHERE``."""

from __future__ import annotations

import sqlalchemy as sa

from consentkit.store import schema

__all__ = ["ANY_LOG", "not_left_out"]

_LOG = schema.log


def not_left_out(leaves: sa.FromClause) -> sa.ColumnElement[bool]:
    """Which of these leaves are in their log, or wait for it (see ``numbers``).

    None waits for a log that is closed: its closure is numbered, and they before it.
    """
    other = _LOG.alias("open_log")
    is_open = leaves.c.log.in_(sa.select(other.c.id).where(other.c.closed.is_(None)))
    return (leaves.c.idx >= sa.literal_column("0")) | (leaves.c.idx.is_(None) & is_open)


# Spelled out, because the indices for it begin with the log, and there are few logs.
ANY_LOG = schema.leaf.c.log.in_(sa.select(_LOG.alias("any_log").c.id)) & not_left_out(
    schema.leaf
)
"""A leaf by its id, challenge or handle, in whichever log it is."""
