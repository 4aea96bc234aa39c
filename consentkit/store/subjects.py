"""The person's row: who a random handle is, their key, and their place in the chain.

Locking this row is what orders one person's acts; two acts of two people never wait
for each other on PostgreSQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import SubjectHandle
from consentkit.errors import LogConflictError
from consentkit.store import entries
from consentkit.store import schema
from consentkit.store.statement import Statement
from consentkit.store.statement import Upsert

if TYPE_CHECKING:
    from collections.abc import Callable

    from consentkit.log.leaf import Leaf

__all__ = ["Person", "begin_chains", "find_person", "lock_person", "move_head"]

_TABLE, _LEAF = schema.subject, schema.leaf
_SELECT = sa.select(
    _TABLE.c.handle, _TABLE.c.data_key, _TABLE.c.seq, _TABLE.c.head
).where(_TABLE.c.subject == sa.bindparam("subject"))
_FIND = Statement(_SELECT)
# SQLite has no lock on a row and needs none: BEGIN IMMEDIATE holds the file.
_LOCK = Statement(_SELECT.with_for_update())
_INSERT = Upsert(_TABLE)
_MOVE = Statement(
    sa.update(_TABLE)
    .where(
        _TABLE.c.subject == sa.bindparam("who"),
        (sa.bindparam("last", type_=sa.BigInteger) < sa.literal_column("0"))
        | sa.exists().where(
            _LEAF.c.log == sa.bindparam("in_log"),
            _LEAF.c.handle == sa.bindparam("by"),
            _LEAF.c.seq == sa.bindparam("last", type_=sa.BigInteger),
            _LEAF.c.hash == sa.bindparam("before"),
            _LEAF.c.kind != sa.literal_column(f"'{Kind.ERASURE.value}'"),
            entries.not_left_out(_LEAF),
        ),
    )
    .values(seq=sa.bindparam("next_seq"), head=sa.bindparam("new_head"))
    .returning(
        sa.exists().where(
            _LEAF.c.log == sa.bindparam("in_log"),
            _LEAF.c.handle == sa.bindparam("by"),
            _LEAF.c.seq == sa.bindparam("last", type_=sa.BigInteger),
            _LEAF.c.idx.is_(None),
        )
    )
)


@dataclass(frozen=True, slots=True)
class Person:
    """One subject as the log knows them.

    ``seq`` is the number their next leaf gets, ``head`` the hash of the last, in hex.
    ``wrapped_key`` is the key of their private evidence, itself encrypted.
    """

    handle: SubjectHandle
    wrapped_key: bytes
    seq: int
    head: str


def find_person(connection: sa.Connection, subject: str) -> Person | None:
    """The person with that id, if the log ever heard of them."""
    rows = _FIND.rows(connection, subject=subject)
    return Person(*rows[0]) if rows else None


def lock_person(
    connection: sa.Connection,
    subject: str,
    *,
    new: Callable[[], Person],
    now: Millis,
) -> Person:
    """The person with that id, locked until the transaction ends; made if unknown.

    ``new`` makes handle and key for somebody who was never seen before.
    """
    while not (rows := _LOCK.rows(connection, subject=subject)):
        person = new()
        # Of two processes that meet somebody new at once, one makes the row.
        _INSERT.run(
            connection,
            subject=subject,
            handle=person.handle,
            data_key=person.wrapped_key,
            seq=person.seq,
            head=person.head,
            created=now,
        )
    return Person(*rows[0])


def begin_chains(connection: sa.Connection) -> None:
    """Let everybody's chain begin anew, in a log that has none of their leaves yet."""
    connection.execute(sa.update(_TABLE).values(seq=0, head=""))


def move_head(connection: sa.Connection, log_id: int, subject: str, leaf: Leaf) -> bool:
    """Note that the person's chain now ends with that leaf.

    Returns:
        Whether the entry that it continues waits for its number.

    Raises:
        LogConflictError: what it continues is not in the log.
    """
    seq = leaf.seq or 0
    moved = _MOVE.rows(
        connection,
        who=subject,
        next_seq=seq + 1,
        new_head=leaf.hash.hex(),
        in_log=log_id,
        by=leaf.subject,
        last=seq - 1,
        before=bytes.fromhex(leaf.prev or ""),
    )
    if not moved:
        raise LogConflictError(
            "the end of this person's chain is not the entry that the table of persons "
            "says: it was changed by hand, and nothing was stored; 'flask consent "
            "rebuild --check' names it"
        )
    return bool(moved[0][0])
