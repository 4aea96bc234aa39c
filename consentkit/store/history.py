"""What has happened, read back: for the person, the centre and the replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import SubjectHandle
from consentkit.core.notice import Notice
from consentkit.errors import LogUnavailableError
from consentkit.store import bars
from consentkit.store import entries
from consentkit.store import newcomers
from consentkit.store import schema
from consentkit.store import subjects
from consentkit.store.lines import lines_about
from consentkit.store.numbers import PUBLISHED_INDEX
from consentkit.store.reminders import list_reminders
from consentkit.store.rows import STATUS_COLUMNS
from consentkit.store.rows import blob
from consentkit.store.rows import status_from
from consentkit.store.rows import statuses_of
from consentkit.store.statement import Statement
from consentkit.store.subjects import Person

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterator
    from collections.abc import Sequence

    from consentkit.core.status import Status
    from consentkit.store.database import Database
    from consentkit.store.reminders import Reminder

__all__ = ["DisclosureRow", "History", "StoredLeaf"]

_LEAF = schema.leaf
_DISCLOSURE = schema.disclosure
_STATE = schema.state
_NOTICE = Statement(
    sa.select(schema.notice.c.manifest, schema.notice.c.html).where(
        schema.notice.c.digest == sa.bindparam("digest")
    )
)
_CHAIN_END = (schema.subject.c.seq, schema.subject.c.head)
_DISCLOSED = ("time", "purpose", "recipient", "data", "reason", "record")
_NEVER = Millis(0)  # before the end of any bar
_PAGE = 1_000
_FEW = 8
_KEPT_NOTICES = 256  # some 10 kB each: a question in every language, a few versions


@dataclass(frozen=True, slots=True)
class StoredLeaf:
    """A leaf's bytes and its place in the tree, None until it is numbered."""

    data: bytes
    index: int | None


@dataclass(frozen=True, slots=True)
class DisclosureRow:
    """One share, or refused attempt, as the person's overview lists it."""

    id: str
    time: Millis
    purpose: str
    recipient: str
    data: tuple[str, ...]
    reason: str
    record: str


class History:
    """Reads of what is in any log of the database, each seeing the newest commit.

    Only a notice is kept once it was read: it never changes and is never deleted.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._notices: dict[str, Notice] = {}

    def person(self, subject: str) -> Person | None:
        """The person's row, if the log ever heard of them."""
        with self._database.read() as connection:
            return subjects.find_person(connection, subject)

    def position(self) -> int:
        """How far the logs are: the position of the newest leaf, 0 before the first."""
        with self._database.read() as connection:
            return newcomers.newest_position(connection)

    def some_persons(self) -> list[Person]:
        """A few of those whom the log ever heard of; none if there are none."""
        columns = (schema.subject.c[name] for name in ("handle", "data_key"))
        query: sa.Select[Any] = sa.select(*columns, *_CHAIN_END).limit(_FEW)
        with self._database.read() as connection:
            return [Person(*row) for row in connection.execute(query).all()]

    def statuses(self, subject: str) -> dict[tuple[str, str], Status]:
        """Every standing answer of one person, by (purpose, recipient)."""
        with self._database.read() as connection:
            return statuses_of(connection, subject)

    def acts(self, handle: SubjectHandle) -> list[StoredLeaf]:
        """The leaves of what the person did, newest first."""
        query = (
            self._leaves()
            .where(
                _LEAF.c.handle == handle,
                _LEAF.c.kind.in_(
                    [Kind.CHOICE.value, Kind.REVOCATION.value, Kind.IMPORT.value]
                ),
            )
            .order_by(_LEAF.c.log.desc(), _LEAF.c.seq.desc())
        )
        return self._stored(query)

    def leaf(self, leaf_id: str, handle: SubjectHandle) -> StoredLeaf | None:
        """One leaf of one person; somebody else's is as absent as none."""
        query = self._leaves().where(_LEAF.c.id == leaf_id, _LEAF.c.handle == handle)
        found = self._stored(query)
        return found[0] if found else None

    def disclosures(
        self, subject: str, *, limit: int, offset: int = 0, now: Millis = _NEVER
    ) -> tuple[list[DisclosureRow], int]:
        """A page of the person's disclosures, newest first, and how many there are.

        Without ``now`` what was ever kept from them is left out, though the bar ended.
        """
        lines = lines_about(subject, now=now)
        page = (
            sa.select(lines.c.id, *(lines.c[name] for name in _DISCLOSED))
            .order_by(lines.c.time.desc(), lines.c.id)
            .limit(limit)
            .offset(offset)
        )
        count = sa.select(sa.func.count()).select_from(lines)
        with self._database.read() as connection:
            total = connection.scalar(count) or 0
            rows = connection.execute(page).all()
        return [_disclosure(tuple(row)) for row in rows], total

    def reminders(self, subject: str) -> list[Reminder]:
        """Which yes of theirs a person was reminded of before its end.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        with self._database.read() as connection:
            return list_reminders(connection, subject)

    def times_of(self, ids: Collection[str]) -> dict[str, Millis]:
        """When each of these leaves was written."""
        query = sa.select(_LEAF.c.id, _LEAF.c.time).where(
            entries.ANY_LOG, _LEAF.c.id.in_(ids)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all() if ids else ()
            return {row[0]: Millis(row[1]) for row in rows}

    def has_shares(self) -> bool:
        """Whether anything was ever shared, or refused to be."""
        ids = (_DISCLOSURE.c.id, schema.batch.c.leaf)
        with self._database.read() as connection:
            found = (connection.scalar(sa.select(each).limit(1)) for each in ids)
            return any(each is not None for each in found)

    def began(self) -> Millis:
        """When the first log of this database was begun."""
        query = sa.select(sa.func.min(schema.log.c.created))
        with self._database.read() as connection:
            return Millis(connection.scalar(query) or 0)

    def notice(self, digest: str) -> Notice | None:
        """A notice by its digest, exactly as it was shown.

        Raises:
            MalformedError: what is stored is no longer what was stored.
        """
        known = self._notices.get(digest)
        if known is not None:
            return known
        with self._database.read() as connection:
            rows = _NOTICE.rows(connection, digest=digest)
        if not rows:
            return None
        if len(self._notices) >= _KEPT_NOTICES:
            self._notices.clear()
        return self._notices.setdefault(digest, Notice.from_bytes(*map(blob, rows[0])))

    def evidence(self, act: str, handle: SubjectHandle) -> bytes | None:
        """The sealed private part of one person's act."""
        table = schema.evidence
        query = sa.select(table.c.sealed).where(
            table.c.id == act, table.c.handle == handle
        )
        with self._database.read() as connection:
            found = connection.scalar(query)
        return blob(found) if found is not None else None

    def all_leaves(self) -> Iterator[bytes]:
        """Every leaf of every log as it was written, numbered or not, page by page."""
        last = 0
        while True:
            query = (
                sa.select(_LEAF.c.position, _LEAF.c.bytes)
                .where(_LEAF.c.position > last, entries.not_left_out(_LEAF))
                .order_by(_LEAF.c.position)
                .limit(_PAGE)
            )
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            yield from (blob(row[1]) for row in rows)
            last = rows[-1][0]

    def all_statuses(
        self,
    ) -> Iterator[tuple[tuple[SubjectHandle, str, str], Status | None]]:
        """Every row of the state table, keyed as the log keys it; None if corrupt."""
        columns = (
            schema.subject.c.handle,
            *(_STATE.c[name] for name in ("purpose", "recipient", *STATUS_COLUMNS)),
        )
        query: sa.Select[Any] = sa.select(*columns).join_from(
            _STATE,
            schema.subject,
            _STATE.c.subject == schema.subject.c.subject,
            isouter=True,
        )
        with self._database.read() as connection:
            for row in connection.execute(query).all():
                key = (SubjectHandle(row[0] or ""), row[1], row[2])
                try:
                    status = status_from(tuple(row[3:]))
                except LogUnavailableError:
                    status = None
                yield key, status

    def all_disclosures(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every line of the disclosure table by its leaf's id, as it is stored.

        ``subject`` is the handle, empty where the log never heard of the person.
        """
        query: sa.Select[Any] = sa.select(
            _DISCLOSURE.c.id,
            sa.func.coalesce(schema.subject.c.handle, "").label("subject"),
            *(_DISCLOSURE.c[name] for name in _DISCLOSED),
        ).join_from(
            _DISCLOSURE,
            schema.subject,
            _DISCLOSURE.c.subject == schema.subject.c.subject,
            isouter=True,
        )
        with self._database.read() as connection:
            for leaf_id, *values in connection.execute(query):
                yield leaf_id, dict(zip(("subject", *_DISCLOSED), values, strict=True))

    def all_bars(self) -> dict[str, Millis]:
        """Until when lines of the disclosure table are kept from their persons."""
        with self._database.read() as connection:
            return bars.find_bars(connection)

    def all_chain_ends(self) -> Iterator[tuple[str, tuple[Any, Any]]]:
        """Where the table says each person's chain ends: (next seq, last hash)."""
        query = sa.select(schema.subject.c.handle, *_CHAIN_END)
        with self._database.read() as connection:
            for handle, seq, head in connection.execute(query):
                yield handle, (seq, head)

    def all_notices(self) -> Iterator[tuple[str, Any, Any]]:
        """Every stored notice as it is stored: digest, manifest and HTML."""
        query = sa.select(
            *(schema.notice.c[name] for name in ("digest", "manifest", "html"))
        )
        with self._database.read() as connection:
            for row in connection.execute(query):
                yield row[0], row[1], row[2]

    def _leaves(self) -> sa.Select[Any]:
        return sa.select(_LEAF.c.bytes, PUBLISHED_INDEX).where(entries.ANY_LOG)

    def _stored(self, query: sa.Select[Any]) -> list[StoredLeaf]:
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [StoredLeaf(blob(row[0]), row[1]) for row in rows]


def _disclosure(row: Sequence[Any]) -> DisclosureRow:
    return DisclosureRow(
        id=row[0],
        time=Millis(row[1]),
        purpose=row[2],
        recipient=row[3],
        data=tuple(row[4].split()),
        reason=row[5],
        record=row[6],
    )
