"""Rows that are in no log and never will be: what ``Admission`` turned away.

They cannot be deleted, as nothing can among the leaves. In place of a number such a row
gets one below zero, by its position: so it neither waits nor is found any more.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from typing import NamedTuple

import sqlalchemy as sa

from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.store import schema
from consentkit.store.admission import Admission
from consentkit.store.admission import Applicant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

__all__ = ["LeftOut", "count_left_out", "judge", "leave_out", "tell"]

_LOGGER = logging.getLogger("consentkit")
_LEAF = schema.leaf


class LeftOut(NamedTuple):
    """A row that is in no log: the leaf hash of its bytes, in hex, and why."""

    hash: str
    reason: str


def judge(
    connection: sa.Connection, log_id: int, rows: Iterable[Applicant], first: int
) -> tuple[list[int], list[LeftOut]]:
    """The positions of those that get the numbers from ``first`` on; others are out.

    ``rows`` were read before, in the order of their positions.

    Raises:
        LogConflictError: what becomes of one of them is for somebody to say.
    """
    admission = Admission.now(connection, log_id)
    positions: list[int] = []
    left_out: dict[int, LeftOut] = {}
    for row in rows:
        fault = admission.fault(row, first + len(positions))
        if fault is None:
            positions.append(row.position)
            continue
        told = LeftOut(row.found_hash.hex(), fault.what)
        if fault.stops:
            raise LogConflictError(_stopped(told))
        left_out[row.position] = told
    _mark(connection, log_id, list(left_out))
    return positions, list(left_out.values())


def leave_out(
    connection: sa.Connection,
    log_id: int,
    rows: Iterable[Applicant],
    first: int,
    *,
    leaf_hash: str,
) -> LeftOut:
    """Leave out the row whose bytes have that hash, as somebody decided.

    Raises:
        InvalidRequestError: no such row waits, or nothing speaks against it (code
            ``left-out``).
    """
    admission, number, genuine = Admission.now(connection, log_id), first, False
    for row in rows:
        fault = admission.fault(row, number)
        number += fault is None
        if row.found_hash.hex() != leaf_hash:
            continue
        if fault is not None:
            _mark(connection, log_id, [row.position])
            return LeftOut(leaf_hash, fault.what)
        genuine = True
    raise InvalidRequestError(
        "nothing speaks against that entry: it is published as any other"
        if genuine
        else "no entry of that hash waits to be published: nothing was left out",
        code="left-out",
    )


def count_left_out(connection: sa.Connection, log_id: int) -> int:
    """How many rows were left out of that log."""
    query = sa.select(sa.func.count()).where(_LEAF.c.log == log_id, _LEAF.c.idx < 0)
    return connection.scalar(query) or 0


def _mark(connection: sa.Connection, log_id: int, positions: Sequence[int]) -> None:
    if positions:
        connection.execute(
            sa.update(_LEAF)
            .where(
                *(_LEAF.c.log == log_id, _LEAF.c.idx.is_(None)),
                _LEAF.c.position.in_(positions),
            )
            .values(idx=-1 - sa.func.abs(_LEAF.c.position))
        )


def tell(rows: Sequence[LeftOut]) -> None:
    """Say that somebody adds rows to the log past consentkit."""
    if rows:
        first = rows[0]
        _LOGGER.error(
            "consentkit: %d rows among the entries were left out of the log, the first "
            "of them %s: %s; no process of this app wrote them (docs/roles.md)",
            *(len(rows), first.hash, first.reason),
            extra={"event": "entries-left-out", "count": len(rows), **first._asdict()},
        )


def _stopped(row: LeftOut) -> str:
    return (
        f"an entry waits that may not be signed, {row.hash}: {row.reason}; nothing was "
        "signed. If a newer version wrote it, publish with that; else find out who "
        "did, compare the database with the promises given, and leave it out with "
        "'flask consent log leave-out' (docs/recovery.md)"
    )
