"""What is taken out again: rows of a person, old lines, and the bytes that held them.

Deleting is done within the transaction that writes the leaf about it. The bytes come
after: SQLite overwrites what it deletes (``secure_delete``), and a rewrite of the file
takes along whatever a page, an index or a write-ahead log still held. Until that is
done ``consent_log.residue`` names the leaf that it is due for, so that a kill or a busy
database only puts it off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.core.act import AUTHORISING
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import SubjectHandle
from consentkit.core.decision import Reason
from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.store import entries
from consentkit.store import schema
from consentkit.store.deliveries import DeliveryStatus
from consentkit.store.lines import lines_about
from consentkit.store.rights import check_may_rewrite
from consentkit.store.rights import find_rights
from consentkit.store.rows import blob
from consentkit.store.subjects import Person

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from consentkit.store.database import Database

__all__ = ["Eraser", "Erasures", "Hold", "SealedRow"]

_LEAF, _SUBJECT, _STATE = schema.leaf, schema.subject, schema.state
_EVIDENCE, _DISCLOSURE, _HOLD = schema.evidence, schema.disclosure, schema.hold
_BATCH = 500  # ids in one statement; SQLite takes 32,766, older ones 999
_ACTS = (Kind.CHOICE.value, Kind.REVOCATION.value, Kind.IMPORT.value)


@dataclass(frozen=True, slots=True)
class Hold:
    """Evidence of somebody who was erased, kept for claims until ``until``."""

    handle: SubjectHandle
    wrapped_key: bytes
    reason: str
    since: Millis
    until: Millis


@dataclass(frozen=True, slots=True)
class SealedRow:
    """A row of private evidence, and the keys that its handle has.

    ``wrapped_key`` is the person's own, ``held_key`` that of a legal hold; both None
    for an erased person, both empty for what belongs to the controller. ``log`` is the
    origin of the log that the act is in, None if it is in none.
    """

    id: str
    log: Any
    handle: str
    sealed: Any
    wrapped_key: Any
    held_key: Any


_LOG_OF_EVIDENCE = (
    sa.select(schema.log.c.origin)
    .join_from(schema.log, _LEAF, _LEAF.c.log == schema.log.c.id)
    .where(entries.ANY_LOG, _LEAF.c.id == _EVIDENCE.c.id)
    .limit(1)
    .correlate(_EVIDENCE)
    .scalar_subquery()
)


class Eraser:
    """What one write transaction takes out."""

    def __init__(self, connection: sa.Connection, log_id: int) -> None:
        self._connection = connection
        self._log_id = log_id

    def lock_known(self, subject: str) -> Person | None:
        """The person, locked until the end; None, and nothing made, if unknown."""
        query = (
            sa.select(
                *(_SUBJECT.c[name] for name in ("handle", "data_key", "seq", "head"))
            )
            .where(_SUBJECT.c.subject == subject)
            .with_for_update()
        )
        row = self._connection.execute(query).one_or_none()
        return Person(*row) if row else None

    def remove_person(self, subject: str, handle: str, *, keep_evidence: bool) -> None:
        """Take out who somebody is, their key, and every row about them."""
        self._delete(_SUBJECT, _SUBJECT.c.subject == subject)
        self._delete(_STATE, _STATE.c.subject == subject)
        mine = sa.select(_DISCLOSURE.c.id).where(_DISCLOSURE.c.subject == subject)
        self._delete(schema.bar, schema.bar.c.id.in_(mine))
        self._delete(_DISCLOSURE, _DISCLOSURE.c.subject == subject)
        for table in (schema.coming_of_age, schema.delegation, schema.reminder):
            self._delete(table, table.c.subject == subject)
        self.remove_stranger(subject)
        # That they were in a batch stays, under a handle that nobody can tie to them.
        entry = schema.batch_entry
        self._delete(
            entry,
            entry.c.batch.in_(sa.select(schema.batch.c.number)),
            entry.c.handle == handle,
            entry.c.act.is_(None),
        )
        self._delete(
            schema.delivery,
            schema.delivery.c.handle == handle,
            # Who still has to be told is told: no row says of whom.
            sa.or_(
                schema.delivery.c.status == DeliveryStatus.ACKNOWLEDGED.value,
                schema.delivery.c.recipient == OWN_USE_ID,
            ),
        )
        if not keep_evidence:
            self.remove_evidence_of(handle)

    def remove_stranger(self, subject: str) -> None:
        """Take out that they were withheld when the log had not heard of them yet."""
        stranger = schema.batch_stranger
        self._delete(
            stranger,
            stranger.c.batch.in_(sa.select(schema.batch.c.number)),
            stranger.c.subject == subject,
        )

    def old_batches(self, cutoff: Millis) -> list[str]:
        """The leaves of the batches from before ``cutoff`` whose entries are there."""
        query = sa.select(schema.batch.c.leaf).where(schema.batch.c.time < cutoff)
        return list(self._connection.scalars(query))

    def remove_batches(self, leaves: Iterable[str]) -> None:
        """Take out who was in these batches, and their trees."""
        batch = schema.batch
        parts = (schema.batch_entry, schema.batch_stranger, schema.batch_tile)
        for ids in _batches(leaves):
            numbers = sa.select(batch.c.number).where(batch.c.leaf.in_(ids))
            for part in parts:
                self._delete(part, part.c.batch.in_(numbers))
            self._delete(batch, batch.c.leaf.in_(ids))

    def remove_delegate(self, subject: str) -> None:
        """Take out what lets somebody answer for others: their id stands in it."""
        self._delete(schema.delegation, schema.delegation.c.delegate == subject)

    def remove_evidence_of(self, handle: str) -> None:
        """Take out the sealed evidence of one handle."""
        self._delete(_EVIDENCE, _EVIDENCE.c.handle == handle)

    def add_hold(self, hold: Hold) -> None:
        """Keep the key of an erased person's evidence, wrapped by the hold key."""
        self._connection.execute(
            sa.insert(_HOLD).values(
                handle=hold.handle,
                data_key=hold.wrapped_key,
                reason=hold.reason,
                since=hold.since,
                until=hold.until,
            )
        )

    def remove_hold(self, handle: str) -> bool:
        """Shred a hold: its key and the evidence under it; whether there was one."""
        removed = self._connection.execute(
            sa.delete(_HOLD).where(_HOLD.c.handle == handle)
        )
        if removed.rowcount:
            self.remove_evidence_of(handle)
        return bool(removed.rowcount)

    def ended_holds(self, now: Millis) -> list[str]:
        """The handles whose hold has run out."""
        query = sa.select(_HOLD.c.handle).where(_HOLD.c.until <= now)
        return list(self._connection.scalars(query.order_by(_HOLD.c.handle)))

    def idle_persons(self, cutoff: Millis) -> list[str]:
        """Who has no leaf from ``cutoff`` on, and no grant that held then."""
        newer = sa.select(_LEAF.c.position).where(
            entries.ANY_LOG,
            _LEAF.c.handle == _SUBJECT.c.handle,
            _LEAF.c.time >= cutoff,
        )
        held = sa.select(_STATE.c.purpose).where(
            _STATE.c.subject == _SUBJECT.c.subject,
            _STATE.c.state.in_([each.value for each in AUTHORISING]),
            _STATE.c.until >= cutoff,
        )
        query = sa.select(_SUBJECT.c.subject).where(~newer.exists(), ~held.exists())
        return list(self._connection.scalars(query.order_by(_SUBJECT.c.handle)))

    def old_disclosures(self, cutoff: Millis) -> list[str]:
        """The lines of the disclosure table from before ``cutoff``."""
        query = sa.select(_DISCLOSURE.c.id).where(_DISCLOSURE.c.time < cutoff)
        return list(self._connection.scalars(query))

    def acts_with_old_evidence(self, cutoff: Millis) -> Iterator[bytes]:
        """Every act of each known person who has evidence from before ``cutoff``.

        One person after the other, each in the order of their chains.
        """
        old = (
            sa.select(_LEAF.c.handle)
            .join(_EVIDENCE, _EVIDENCE.c.id == _LEAF.c.id)
            .join(_SUBJECT, _SUBJECT.c.handle == _LEAF.c.handle)
            .where(entries.ANY_LOG, _LEAF.c.time < cutoff)
        )
        query = (
            sa.select(_LEAF.c.bytes)
            .where(
                entries.ANY_LOG,
                _LEAF.c.handle.in_(old),
                _LEAF.c.kind.in_(_ACTS),
            )
            .order_by(_LEAF.c.handle, _LEAF.c.log, _LEAF.c.seq)
        )
        for data in self._connection.scalars(query):
            yield blob(data)

    def stored_evidence(self, acts: Iterable[str]) -> list[str]:
        """Those of these acts whose evidence is there."""
        found: list[str] = []
        for ids in _batches(acts):
            query = sa.select(_EVIDENCE.c.id).where(_EVIDENCE.c.id.in_(ids))
            found += self._connection.scalars(query)
        return found

    def remove_disclosures(self, ids: Iterable[str]) -> None:
        """Take these lines out of the disclosure table."""
        for batch in _batches(ids):
            self._delete(schema.bar, schema.bar.c.id.in_(batch))
            self._delete(_DISCLOSURE, _DISCLOSURE.c.id.in_(batch))

    def remove_evidence(self, acts: Iterable[str]) -> None:
        """Take out the sealed evidence of these acts."""
        for batch in _batches(acts):
            self._delete(_EVIDENCE, _EVIDENCE.c.id.in_(batch))

    def leave_residue(self, leaf_id: str) -> None:
        """Note that the file may still hold bytes of what this leaf says is gone."""
        self._connection.execute(
            sa.update(schema.log)
            .where(schema.log.c.id == self._log_id)
            .values(residue=leaf_id)
        )

    def _delete(self, table: sa.Table, *where: sa.ColumnElement[bool]) -> None:
        self._connection.execute(sa.delete(table).where(*where))


class Erasures:
    """What is held and what is left over, and the rewrite that leaves nothing over."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def holds(self) -> list[Hold]:
        """Every legal hold, the one that ends first on top.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        query = sa.select(_HOLD).order_by(_HOLD.c.until, _HOLD.c.handle)
        with self._database.read() as connection:
            return [Hold(*row) for row in connection.execute(query)]

    def held_evidence(self, handle: str) -> list[tuple[str, str, bytes]]:
        """What is sealed under a handle: log, act and bytes."""
        query = sa.select(_EVIDENCE.c.id, _LOG_OF_EVIDENCE, _EVIDENCE.c.sealed).where(
            _EVIDENCE.c.handle == handle
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [(row[1] or "", row[0], blob(row[2])) for row in rows]

    def all_evidence(self) -> Iterator[SealedRow]:
        """Every row of evidence, with the wrapped keys that could open it."""
        query: sa.Select[Any] = (
            sa.select(
                _EVIDENCE.c.id,
                _LOG_OF_EVIDENCE,
                *(_EVIDENCE.c[name] for name in ("handle", "sealed")),
                _SUBJECT.c.data_key,
                _HOLD.c.data_key,
            )
            .outerjoin(_SUBJECT, _SUBJECT.c.handle == _EVIDENCE.c.handle)
            .outerjoin(_HOLD, _HOLD.c.handle == _EVIDENCE.c.handle)
        )
        with self._database.read() as connection:
            for row in connection.execute(query):
                yield SealedRow(*row)

    def recipients_of(self, subject: str) -> list[str]:
        """Who has received data of this person, by id; the controller is not one."""
        lines = lines_about(subject)
        query = (
            sa.select(lines.c.recipient)
            .where(
                lines.c.reason == Reason.GRANTED.value,
                lines.c.recipient != OWN_USE_ID,
            )
            .distinct()
            .order_by(lines.c.recipient)
        )
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def residue(self) -> str | None:
        """The leaf whose erased bytes the file may still hold; None if there is none.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        query = sa.select(schema.log.c.residue).where(schema.log.c.residue.is_not(None))
        with self._database.read() as connection:
            found: str | None = connection.scalar(query.limit(1))
        return found

    def check_may_rewrite(self) -> None:
        """Refuse to begin a rewrite that is for somebody else to do.

        Raises:
            LogUnavailableError: this process does not own the tables.
        """
        with self._database.read() as connection:
            check_may_rewrite(connection)

    def left_to(self) -> str:
        """The owner of the tables, where only that role may rewrite; else empty.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        with self._database.read() as connection:
            rights = find_rights(connection)
        return "" if rights is None or rights.owns else rights.owner

    def rewrite(self) -> None:
        """Write the file anew without what was deleted; nothing if nothing was.

        Needs as much free space as the file takes, and the file to itself meanwhile.

        Raises:
            LogUnavailableError: somebody reads or writes for too long, or the disk is
                full. What was deleted stays deleted; call it again.
        """
        due = self.residue()
        if due is None:
            return
        self._database.rewrite()
        with self._database.write() as connection:
            # An erasure that came meanwhile has left a residue of its own.
            connection.execute(
                sa.update(schema.log)
                .where(schema.log.c.residue == due)
                .values(residue=None)
            )


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    each = list(ids)
    for start in range(0, len(each), _BATCH):
        yield each[start : start + _BATCH]
