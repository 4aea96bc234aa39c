"""Numbers of leaves: each given once, and durable before a tree is signed over it.

A number alone publishes nothing: a leaf is published once the log's size is beyond its
number. Nothing after a closure gets one, and nothing that ``Admission`` turns away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from consentkit.core.act import Kind
from consentkit.errors import LogConflictError
from consentkit.store import left_out
from consentkit.store import schema
from consentkit.store.admission import APPLICANT
from consentkit.store.admission import Admission
from consentkit.store.admission import Applicant
from consentkit.store.left_out import LeftOut
from consentkit.store.statement import Statement

__all__ = [
    "PUBLISHED_INDEX",
    "check_waiting",
    "count_waiting",
    "find_waiting",
    "give_numbers",
    "is_durable_first",
    "leave_out",
    "next_number",
    "number_these",
    "numbered_from",
    "size_of",
]

_LEAF, _LOG = schema.leaf, schema.log
_AT_ONCE = 5_000  # leaves that are read whole before they get their numbers: 5 MB
_SIZE = (
    sa.select(_LOG.c.size)
    .where(_LOG.c.id == _LEAF.c.log)
    .correlate(_LEAF)
    .scalar_subquery()
)
# The index of a leaf that is published, NULL of any other.
PUBLISHED_INDEX = sa.case((_LEAF.c.idx.between(0, _SIZE - 1), _LEAF.c.idx)).label("idx")
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
) -> list[LeftOut]:
    """Number what has none yet, in the order of positions; what was left out instead.

    At ``most`` so many rows are looked at: somebody may add them faster than that. The
    caller holds the lock on the log's row, which whoever closes the log needs, too.

    Raises:
        LogConflictError: what becomes of a row that waits is for somebody to say.
    """
    first = next_number(connection, log_id, size)
    told: list[LeftOut] = []
    while rows := _applicants(connection, log_id, min(_AT_ONCE, most)):
        positions, strangers = left_out.judge(connection, log_id, rows, first)
        if positions:
            _number(connection, log_id, first, positions)
        first += len(positions)
        most -= len(rows)
        told += strangers
    return told


def number_these(
    connection: sa.Connection, log_id: int, leaf_ids: Sequence[str]
) -> None:
    """Number these leaves next, whatever waits beside them.

    They are the caller's own, who writes alone, and all honest ones before them have
    their numbers.
    """
    query = sa.select(_LEAF.c.position).where(
        _LEAF.c.log == log_id, _LEAF.c.id.in_(leaf_ids)
    )
    positions = list(connection.scalars(query.order_by(_LEAF.c.position)))
    first = next_number(connection, log_id, size_of(connection, log_id))
    _number(connection, log_id, first, positions)


def check_waiting(
    connection: sa.Connection, log_id: int, handle: str, seq: int
) -> None:
    """Refuse to go on from that entry of a subject if it waits and will be left out.

    Raises:
        LogConflictError: it is not one that a process of the app wrote.
    """
    query = sa.select(*APPLICANT).where(
        *(_LEAF.c.log == log_id, _LEAF.c.handle == handle, _LEAF.c.seq == seq),
        _LEAF.c.idx.is_(None),
    )
    # Not its number, but one that the same keys sign: what waited when a key changed
    # has its number since.
    number = max(1, next_number(connection, log_id, size_of(connection, log_id)))
    admission = Admission.now(connection, log_id)
    for row in connection.execute(query):
        if admission.apart and admission.fault(Applicant._make(row), number):
            raise LogConflictError(
                "this person's last entry was not written by this app, and will be in "
                "no log: nothing was stored"
            )


def leave_out(connection: sa.Connection, log_id: int, leaf_hash: str) -> LeftOut:
    """Leave out the row that stops the log, by the leaf hash of its bytes, in hex.

    Raises:
        InvalidRequestError: no such row waits, or nothing speaks against it.
    """
    rows = _applicants(connection, log_id, None)
    first = next_number(connection, log_id, size_of(connection, log_id))
    return left_out.leave_out(connection, log_id, rows, first, leaf_hash=leaf_hash)


def _number(
    connection: sa.Connection, log_id: int, first: int, positions: Sequence[int]
) -> None:
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
        found += [
            row[0] for row in _unnumbered(connection, log_id, column, most=missing)
        ]
    return found


def count_waiting(connection: sa.Connection, log_id: int) -> int:
    """How many leaves are committed and not published yet."""
    size = size_of(connection, log_id)
    of_this = sa.select(sa.func.count()).where(_LEAF.c.log == log_id)
    numbered: int = connection.scalar(of_this.where(_LEAF.c.idx >= size)) or 0
    unnumbered = _may_be_numbered(connection, log_id)
    if unnumbered is None:
        return numbered
    return numbered + (connection.scalar(of_this.where(unnumbered)) or 0)


def _applicants(
    connection: sa.Connection, log_id: int, most: int | None
) -> list[Applicant]:
    """What waits for its number, whole."""
    rows = _unnumbered(connection, log_id, *APPLICANT, most=most)
    return [Applicant._make(row) for row in rows]


def _unnumbered(
    connection: sa.Connection,
    log_id: int,
    *columns: sa.ColumnElement[Any],
    most: int | None,
) -> Sequence[sa.Row[Any]]:
    wanted = _may_be_numbered(connection, log_id)
    if wanted is None:
        return []
    query = sa.select(*columns).where(_LEAF.c.log == log_id, wanted)
    return connection.execute(query.order_by(_LEAF.c.position).limit(most)).all()


def size_of(connection: sa.Connection, log_id: int) -> int:
    """How many leaves of the log are published."""
    query = sa.select(_LOG.c.size).where(_LOG.c.id == log_id)
    return connection.scalar(query) or 0


def next_number(connection: sa.Connection, log_id: int, size: int) -> int:
    """What the next leaf to be numbered gets, in a log with ``size`` published ones."""
    newest = _newest(connection, log_id)
    return size if newest is None else max(size, newest[0] + 1)


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
        .where(_LEAF.c.log == log_id, _LEAF.c.idx >= 0)
        .order_by(_LEAF.c.idx.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else (row[0], row[1])
