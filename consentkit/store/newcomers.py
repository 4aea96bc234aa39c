"""Who came and was erased in a short time: told by leaves, since no row is left."""

from __future__ import annotations

import sqlalchemy as sa

from consentkit.core.act import Kind
from consentkit.store import entries
from consentkit.store import schema
from consentkit.store.statement import Statement

__all__ = ["erased_newcomer_since", "newest_position"]

# Leaves that were being written when a position was read, and were committed later: far
# more than a database has transactions at a time.
_IN_FLIGHT = 1_000
_LEAF = schema.leaf
_FIRST = schema.leaf.alias("first")
_AFTER = sa.bindparam("after", type_=sa.BigInteger)
_NEWEST = Statement(sa.select(sa.func.max(_LEAF.c.position)))
# Read from the position on: as long as the form was open, and mostly that is minutes.
_ERASED = Statement(
    sa.select(_LEAF.c.id).where(
        _LEAF.c.position > _AFTER,
        _LEAF.c.kind == sa.literal_column(f"'{Kind.ERASURE.value}'"),
        entries.not_left_out(_LEAF),
        sa.exists().where(
            _FIRST.c.log == _LEAF.c.log,
            _FIRST.c.handle == _LEAF.c.handle,
            _FIRST.c.seq == sa.literal_column("0"),
            _FIRST.c.position > _AFTER - sa.literal_column(str(_IN_FLIGHT)),
        ),
    )
)


def newest_position(connection: sa.Connection) -> int:
    """The position of the newest leaf, in whichever log; 0 before the first."""
    return _NEWEST.scalar(connection) or 0


def erased_newcomer_since(connection: sa.Connection, position: int) -> bool:
    """Whether anybody both came and was erased after that position, or about then."""
    return _ERASED.scalar(connection, after=position) is not None
