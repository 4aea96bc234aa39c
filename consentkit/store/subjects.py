"""The person's row: who a random handle is, their key, and their place in the chain.

Locking this row is what orders one person's acts; two acts of two people never wait
for each other on PostgreSQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consentkit.core.act import Millis
from consentkit.core.act import SubjectHandle
from consentkit.store import schema
from consentkit.store.statement import Statement
from consentkit.store.statement import Upsert

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Person", "begin_chains", "find_person", "lock_person", "move_head"]

_TABLE = schema.subject
_SELECT = sa.select(
    _TABLE.c.handle, _TABLE.c.data_key, _TABLE.c.seq, _TABLE.c.head
).where(_TABLE.c.subject == sa.bindparam("subject"))
_FIND = Statement(_SELECT)
# SQLite has no lock on a row and needs none: BEGIN IMMEDIATE holds the file.
_LOCK = Statement(_SELECT.with_for_update())
_INSERT = Upsert(_TABLE)
_MOVE = Statement(
    sa.update(_TABLE)
    .where(_TABLE.c.subject == sa.bindparam("who"))
    .values(seq=sa.bindparam("next_seq"), head=sa.bindparam("new_head"))
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


def move_head(connection: sa.Connection, subject: str, seq: int, head: str) -> None:
    """Note that the person's chain now ends with the leaf of hash ``head``."""
    _MOVE.run(connection, who=subject, next_seq=seq + 1, new_head=head)
