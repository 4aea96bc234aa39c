"""What operators look up across all persons: grants by how they were taken, and acts.

Reads only, each seeing the newest commit. What is changed because of them goes through
the ledger, person by person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.core.act import AUTHORISING
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.decision import Reason
from consentkit.core.registry import CROSS_BORDER
from consentkit.store import entries
from consentkit.store import schema
from consentkit.store.rows import blob

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterator

    from consentkit.core.status import Status
    from consentkit.store.database import Database

__all__ = ["GrantFilter", "OfficialRow", "Oversight", "Share"]

_LEAF, _STATE, _EVIDENCE = schema.leaf, schema.state, schema.evidence
_DISCLOSURE = schema.disclosure
_BATCH, _ENTRY = schema.batch, schema.batch_entry
_PAGE = 1_000
# Spelled out, as the condition of the partial index is.
_OF_OFFICIALS = _LEAF.c.kind.in_(
    [sa.literal_column(f"'{kind.value}'") for kind in (Kind.ADMIN, Kind.SUSPENSION)]
)


@dataclass(frozen=True, slots=True)
class GrantFilter:
    """Standing grants by how they were taken; what is None does not narrow.

    ``notices`` are digests; ``since`` is the first instant, ``until`` the first one
    that is too late. ``covers`` and the SQL of this room agree on every row.
    """

    notices: frozenset[str] | None = None
    since: Millis | None = None
    until: Millis | None = None
    purpose: str | None = None
    recipient: str | None = None

    def covers(self, key: tuple[str, str], status: Status) -> bool:
        """Whether one standing answer is among them."""
        return status.state in AUTHORISING and self.took(
            key, status.notice, status.since
        )

    def took(self, key: tuple[str, str], notice: str, time: Millis) -> bool:
        """Whether an answer was taken that way, whatever became of it since.

        A purpose takes its cross-border consent with it.
        """
        return (
            self.purpose in (None, key[0], key[0].removesuffix(CROSS_BORDER))
            and self.recipient in (None, key[1])
            and (self.notices is None or notice in self.notices)
            and (self.since is None or time >= self.since)
            and (self.until is None or time < self.until)
        )


@dataclass(frozen=True, slots=True)
class OfficialRow:
    """The leaf of an administrative act, and its sealed part unless that is lost."""

    data: bytes
    sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Share:
    """One share under (purpose, recipient), and the leaf of the act it rests on."""

    key: tuple[str, str]
    leaf: bytes


class Oversight:
    """Reads about everybody, from any log of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def subjects(self, wanted: GrantFilter, *, after: str, limit: int) -> list[str]:
        """The next persons, in the order of their ids, who have such a grant."""
        query = (
            sa.select(_STATE.c.subject)
            .distinct()
            .where(*_conditions(wanted), _STATE.c.subject > after)
            .order_by(_STATE.c.subject)
            .limit(limit)
        )
        with self._database.read() as connection:
            return list(connection.scalars(query).all())

    def count(self, wanted: GrantFilter) -> tuple[int, int]:
        """How many persons have such a grant, and how many grants those are."""
        query = sa.select(
            sa.func.count(_STATE.c.subject.distinct()), sa.func.count()
        ).where(*_conditions(wanted))
        with self._database.read() as connection:
            persons, grants = connection.execute(query).one()
        return persons, grants

    def shares(self) -> Iterator[Share]:
        """Every share that was made, with the act it rests on, page by page.

        Each person of a batch is one. No read is held open meanwhile: in a rollback
        journal it would stop writers.
        """
        yield from self._alone()
        yield from self._in_batches()

    def _in_batches(self) -> Iterator[Share]:
        place = sa.tuple_(_ENTRY.c.batch, _ENTRY.c.handle)
        query = (
            sa.select(
                *(_ENTRY.c[name] for name in ("batch", "handle")),
                *(_BATCH.c[name] for name in ("purpose", "recipient")),
                _LEAF.c.bytes,
            )
            .join_from(_ENTRY, _BATCH, _BATCH.c.number == _ENTRY.c.batch)
            .join(_LEAF, entries.ANY_LOG & (_LEAF.c.id == _ENTRY.c.record))
            .where(
                _ENTRY.c.reason == Reason.GRANTED.value,
                place > sa.tuple_(sa.bindparam("batch"), sa.bindparam("last")),
            )
            .order_by(_ENTRY.c.batch, _ENTRY.c.handle)
            .limit(_PAGE)
        )
        batch, last = 0, ""
        while True:
            with self._database.read() as connection:
                rows = connection.execute(query, {"batch": batch, "last": last}).all()
            if not rows:
                return
            yield from (Share((row[2], row[3]), blob(row[4])) for row in rows)
            batch, last = rows[-1][:2]

    def _alone(self) -> Iterator[Share]:
        lines = (
            sa.select(
                *(_DISCLOSURE.c[name] for name in ("purpose", "recipient", "record")),
                _DISCLOSURE.c.id,
            )
            .where(
                _DISCLOSURE.c.reason == Reason.GRANTED.value,
                _DISCLOSURE.c.id > sa.bindparam("last"),
            )
            .order_by(_DISCLOSURE.c.id)
            .limit(_PAGE)
        )
        last = ""
        while True:
            with self._database.read() as connection:
                rows = connection.execute(lines, {"last": last}).all()
                acts = _acts(connection, {row[2] for row in rows})
            if not rows:
                return
            yield from (
                Share((row[0], row[1]), acts[row[2]]) for row in rows if row[2] in acts
            )
            last = rows[-1][3]

    def acts_of_officials(self) -> list[OfficialRow]:
        """Administrative acts and suspensions, in the order they were written."""
        query: sa.Select[Any] = (
            sa.select(_LEAF.c.bytes, _EVIDENCE.c.sealed)
            .join_from(_LEAF, _EVIDENCE, _EVIDENCE.c.id == _LEAF.c.id, isouter=True)
            .where(entries.ANY_LOG, _OF_OFFICIALS)
            .order_by(_LEAF.c.position)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [OfficialRow(blob(data), sealed) for data, sealed in rows]

    def suspensions(self) -> dict[tuple[str, str], str]:
        """What is suspended now by (purpose, recipient), with the leaf that did it."""
        table = schema.suspension
        query = sa.select(table.c.purpose, table.c.recipient, table.c.leaf)
        with self._database.read() as connection:
            return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def _acts(connection: sa.Connection, ids: Collection[str]) -> dict[str, bytes]:
    """These leaves, those that are there; in a join all leaves would be read for it."""
    query = sa.select(_LEAF.c.id, _LEAF.c.bytes).where(
        entries.ANY_LOG, _LEAF.c.id.in_(ids)
    )
    return {row[0]: blob(row[1]) for row in connection.execute(query)} if ids else {}


def _conditions(wanted: GrantFilter) -> Iterator[sa.ColumnElement[bool]]:
    yield _STATE.c.state.in_(sorted(AUTHORISING))
    if wanted.purpose is not None:
        purposes = [wanted.purpose, wanted.purpose + CROSS_BORDER]
        yield _STATE.c.purpose.in_(purposes)
    if wanted.recipient is not None:
        yield _STATE.c.recipient == wanted.recipient
    if wanted.notices is not None:
        yield _STATE.c.notice.in_(sorted(wanted.notices))
    if wanted.since is not None:
        yield _STATE.c.since >= wanted.since
    if wanted.until is not None:
        yield _STATE.c.since < wanted.until
