"""Numbers of leaves: each given once, and durable before a tree is signed over it.

A number alone publishes nothing: a leaf is published once the log's size is beyond its
number. Nothing after a closure gets one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from consentkit.core.act import Kind
from consentkit.errors import LogConflictError
from consentkit.store import schema
from consentkit.store.statement import Statement

__all__ = [
    "PUBLISHED_INDEX",
    "count_waiting",
    "find_waiting",
    "give_numbers",
    "is_durable_first",
    "numbered_from",
]

_LEAF, _LOG = schema.leaf, schema.log
_SIZE = (
    sa.select(_LOG.c.size)
    .where(_LOG.c.id == _LEAF.c.log)
    .correlate(_LEAF)
    .scalar_subquery()
)
# The index of a leaf that is published, NULL of any other.
PUBLISHED_INDEX = sa.case((_LEAF.c.idx < _SIZE, _LEAF.c.idx)).label("idx")
# All numbers in one statement: on a partitioned table, one each would be planned anew.
_GIVEN = (
    sa.func.unnest(sa.bindparam("positions", type_=postgresql.ARRAY(sa.BigInteger)))
    .table_valued(
        sa.column("position", sa.BigInteger), with_ordinality="number", name="waiting"
    )
    .render_derived()
)
_NUMBER = Statement(
    sa.update(_LEAF)
    .values(idx=sa.bindparam("before", type_=sa.BigInteger) + _GIVEN.c.number)
    .where(
        _LEAF.c.log == sa.bindparam("of_log"),
        _LEAF.c.idx.is_(None),
        _LEAF.c.position == _GIVEN.c.position,
    ),
    "idx",
)


def is_durable_first(dialect: sa.Dialect) -> bool:
    """Whether numbers need a commit of their own before the tree is signed.

    Where writers overlap, a leaf may come to light with a position below one that was
    signed. SQLite has one writer: the order of positions is that of commits.
    """
    return dialect.name == "postgresql"


def give_numbers(
    connection: sa.Connection, log_id: int, size: int, *, most: int
) -> None:
    """Number what has none yet, in the order of positions.

    The caller holds the lock on the log's row, which whoever closes the log needs, too.
    """
    positions = _unnumbered(connection, log_id, _LEAF.c.position, most=most)
    if not positions:
        return
    newest = _newest(connection, log_id)
    first = size if newest is None else max(size, newest[0] + 1)
    if connection.dialect.name == "postgresql":
        _NUMBER.run(connection, of_log=log_id, before=first - 1, positions=positions)
        return
    connection.execute(
        sa.update(_LEAF)
        .where(
            _LEAF.c.log == log_id,
            _LEAF.c.position == sa.bindparam("at"),
            _LEAF.c.idx.is_(None),
        )
        .values(idx=sa.bindparam("number")),
        [
            {"at": position, "number": number}
            for number, position in enumerate(positions, first)
        ],
    )


def numbered_from(
    connection: sa.Connection, log_id: int, size: int, *, most: int
) -> list[tuple[object, object]]:
    """Bytes and hash of the leaves that come next, in the order of their numbers.

    Raises:
        LogConflictError: a number is missing.
    """
    query = (
        sa.select(_LEAF.c.idx, _LEAF.c.bytes, _LEAF.c.hash)
        .where(_LEAF.c.log == log_id, _LEAF.c.idx >= size)
        .order_by(_LEAF.c.idx)
        .limit(most)
    )
    rows = connection.execute(query).all()
    if [row[0] for row in rows] != list(range(size, size + len(rows))):
        raise LogConflictError(
            "the numbers of the leaves that wait have a gap: nothing was signed; they "
            "were changed by hand"
        )
    return [(row[1], row[2]) for row in rows]


def find_waiting(
    connection: sa.Connection,
    log_id: int,
    size: int,
    column: sa.ColumnElement[Any],
    *,
    most: int,
) -> list[Any]:
    """That column of what is not published yet, in the order of publication."""
    numbered = (
        sa.select(column)
        .where(_LEAF.c.log == log_id, _LEAF.c.idx >= size)
        .order_by(_LEAF.c.idx)
        .limit(most)
    )
    found = list(connection.scalars(numbered))
    if len(found) < most:
        missing = most - len(found)
        found += _unnumbered(connection, log_id, column, most=missing)
    return found


def count_waiting(connection: sa.Connection, log_id: int) -> int:
    """How many leaves are committed and not published yet."""
    size = sa.select(_LOG.c.size).where(_LOG.c.id == log_id).scalar_subquery()
    of_this = sa.select(sa.func.count()).where(_LEAF.c.log == log_id)
    numbered: int = connection.scalar(of_this.where(_LEAF.c.idx >= size)) or 0
    unnumbered = _may_be_numbered(connection, log_id)
    if unnumbered is None:
        return numbered
    return numbered + (connection.scalar(of_this.where(unnumbered)) or 0)


def _unnumbered(
    connection: sa.Connection,
    log_id: int,
    column: sa.ColumnElement[Any],
    *,
    most: int,
) -> Sequence[Any]:
    wanted = _may_be_numbered(connection, log_id)
    if wanted is None:
        return []
    query = sa.select(column).where(_LEAF.c.log == log_id, wanted)
    return list(connection.scalars(query.order_by(_LEAF.c.position).limit(most)))


def _may_be_numbered(
    connection: sa.Connection, log_id: int
) -> sa.ColumnElement[bool] | None:
    """Which leaves of the log get numbers; None if none ever will again."""
    unnumbered = _LEAF.c.idx.is_(None)
    closed = connection.scalar(sa.select(_LOG.c.closed).where(_LOG.c.id == log_id))
    if closed is None:
        return unnumbered
    newest = _newest(connection, log_id)
    if newest is not None and newest[1] == Kind.CLOSURE.value:
        return None
    other = _LEAF.alias("closing")
    closure = sa.select(sa.func.min(other.c.position)).where(
        other.c.log == log_id,
        other.c.idx.is_(None),
        other.c.kind == Kind.CLOSURE.value,
    )
    return unnumbered & (_LEAF.c.position <= closure.scalar_subquery())


def _newest(connection: sa.Connection, log_id: int) -> tuple[int, str] | None:
    """The highest number in the log, and the kind of leaf that has it."""
    query = (
        sa.select(_LEAF.c.idx, _LEAF.c.kind)
        .where(_LEAF.c.log == log_id, _LEAF.c.idx.is_not(None))
        .order_by(_LEAF.c.idx.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row[0], row[1])
