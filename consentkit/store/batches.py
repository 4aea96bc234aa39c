"""What was shared in batches, read back: by whom hands it over, proves it or checks it.

Each read sees the newest commit and is fetched to its end, some hundred rows at a time,
so that nothing is held open while somebody goes through a million people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.decision import Reason
from consentkit.errors import LogConflictError
from consentkit.log.batch import BatchEntry
from consentkit.log.tiles import TILE_WIDTH
from consentkit.log.tiles import parse_tile_path
from consentkit.store import entries
from consentkit.store import schema
from consentkit.store.batch_changes import read_mark
from consentkit.store.batch_changes import touched
from consentkit.store.batch_standings import fetch_some
from consentkit.store.batch_standings import standing_columns
from consentkit.store.batch_standings import with_standing
from consentkit.store.history import StoredLeaf
from consentkit.store.numbers import PUBLISHED_INDEX
from consentkit.store.rows import blob

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from consentkit.store.batch_changes import Mark
    from consentkit.store.batch_standings import Asked
    from consentkit.store.database import Database

__all__ = ["BatchRow", "Batches", "Named"]

_BATCH, _ENTRY, _TILE = schema.batch, schema.batch_entry, schema.batch_tile
_SUBJECT, _LEAF = schema.subject, schema.leaf
_PAGE = 2_000
_HASH_BYTES = 32
_IN_TREE = _ENTRY.c.act.is_not(None)


@dataclass(frozen=True, slots=True)
class BatchRow:
    """What the people of one batch have in common; ``leaf`` is the id of its leaf."""

    number: int
    leaf: str
    time: Millis
    purpose: str
    recipient: str
    data: str
    scope: str
    size: int


@dataclass(frozen=True, slots=True)
class Named:
    """That a batch named a person.

    ``reason`` is ``granted``, or why they were kept back after all.
    """

    batch: BatchRow
    entry: BatchEntry
    reason: str

    @property
    def was_handed_over(self) -> bool:
        """Whether nothing came between."""
        return self.reason == Reason.GRANTED.value


class Batches:
    """Reads of the batches in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, leaf_id: str) -> BatchRow | None:
        """The batch with that leaf, None once it was purged."""
        query = _batches().where(_BATCH.c.leaf == leaf_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else BatchRow(*row)

    def row(self, leaf_id: str) -> BatchRow:
        """The same of one that is there.

        Raises:
            LogConflictError: it is not.
        """
        found = self.find(leaf_id)
        if found is None:
            raise LogConflictError(f"the batch {leaf_id} is not in its table")
        return found

    def leaf(self, leaf_id: str) -> StoredLeaf:
        """The leaf of a batch.

        Raises:
            LogConflictError: there is none.
        """
        query = sa.select(_LEAF.c.bytes, PUBLISHED_INDEX).where(
            entries.ANY_LOG,
            _LEAF.c.id == leaf_id,
            _LEAF.c.kind == Kind.DISCLOSURE_BATCH.value,
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise LogConflictError(
                f"the batch {leaf_id} has no leaf; compare the two: flask consent "
                "rebuild --check"
            )
        return StoredLeaf(blob(row[0]), row[1])

    def all(self) -> list[BatchRow]:
        """Every batch, the oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(_batches().order_by(_BATCH.c.number)).all()
        return [BatchRow(*row) for row in rows]

    def naming(self, handle: str, *, batch: str = "") -> list[Named]:
        """The batches that released a person, the newest first; or that one alone."""
        columns = (_ENTRY.c[name] for name in ("record", "act", "reason"))
        query: sa.Select[Any] = (
            sa.select(*_BATCH.columns, *columns)
            .join_from(_BATCH, _ENTRY, _ENTRY.c.batch == _BATCH.c.number)
            .where(_ENTRY.c.handle == handle, _IN_TREE)
            .order_by(_BATCH.c.time.desc(), _BATCH.c.leaf)
        )
        if batch:
            query = query.where(_BATCH.c.leaf == batch)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return [_named(BatchRow(*row[:-3]), handle, *row[-3:]) for row in rows]

    def place(self, batch: BatchRow, handle: str) -> int:
        """Where in the tree somebody stands who is in it."""
        lowest = (_TILE.c.batch == batch.number) & (_TILE.c.level == 0)
        tile = (
            sa.select(_TILE.c.number, _TILE.c.first)
            .where(lowest, _TILE.c.first <= handle)
            .order_by(_TILE.c.number.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            number, first = connection.execute(tile).one()
            before = sa.select(sa.func.count()).where(
                _ENTRY.c.batch == batch.number,
                _ENTRY.c.handle >= first,
                _ENTRY.c.handle < handle,
                _IN_TREE,
            )
            return int(number) * TILE_WIDTH + int(connection.scalar(before) or 0)

    def tile(self, batch: BatchRow, path: str) -> bytes:
        """The hashes of one tile of its tree, by the path it would have in a log.

        Raises:
            LogConflictError: it is no longer there.
        """
        place = parse_tile_path(path)
        found = self.hashes(batch, int(place.level), place.n)
        if found is None:
            raise LogConflictError(
                f"the tree of the batch {batch.leaf} is not all in the database; "
                "compare the two: flask consent rebuild --check"
            )
        return found[: place.width * _HASH_BYTES]

    def hashes(self, batch: BatchRow, level: int, number: int) -> bytes | None:
        """A tile of its tree as it is stored, None if it is not there."""
        query = sa.select(_TILE.c.hashes).where(
            _TILE.c.batch == batch.number,
            _TILE.c.level == level,
            _TILE.c.number == number,
        )
        with self._database.read() as connection:
            found = connection.scalar(query)
        return None if found is None else blob(found)

    def entries(self, batch: BatchRow) -> Iterator[list[BatchEntry]]:
        """Everybody in the tree, in its order, some at a time."""
        last = ""
        while True:
            query = (
                sa.select(_ENTRY.c.handle, _ENTRY.c.record, _ENTRY.c.act)
                .where(_ENTRY.c.batch == batch.number, _ENTRY.c.handle > last, _IN_TREE)
                .order_by(_ENTRY.c.handle)
                .limit(_PAGE)
            )
            with self._database.read() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            yield [
                BatchEntry(row[0], row[1], blob(row[2]).hex(), batch.scope)
                for row in rows
            ]
            last = rows[-1][0]

    def withheld(self, batch: BatchRow) -> int:
        """How many are still listed as withheld; those erased since are not."""
        stranger = schema.batch_stranger
        withheld = (_ENTRY.c.batch == batch.number) & _ENTRY.c.act.is_(None)
        counts = (
            sa.select(sa.func.count()).select_from(_ENTRY).where(withheld),
            sa.select(sa.func.count())
            .select_from(stranger)
            .where(stranger.c.batch == batch.number),
        )
        with self._database.read() as connection:
            return sum(connection.scalar(each) or 0 for each in counts)

    def people(
        self,
        batch: BatchRow,
        asked: Asked,
        *,
        after: str,
        until: str | None = None,
        limit: int,
        handles: Sequence[str] | None = None,
    ) -> Sequence[Sequence[Any]]:
        """Those who are to be handed over, from behind a handle on, up to another.

        With ``handles`` those of them alone.

        In the order of their handles: the id, None once they are erased, handle, the
        record that the batch rests on, and the columns of a standing.
        """
        named = (
            sa.select(_ENTRY.c.handle, _ENTRY.c.record.label("rests"))
            .where(
                _ENTRY.c.batch == batch.number,
                _ENTRY.c.handle > after,
                _IN_TREE,
                _ENTRY.c.reason == Reason.GRANTED.value,
            )
            .order_by(_ENTRY.c.handle)
            .limit(limit)
        )
        if until is not None:
            named = named.where(_ENTRY.c.handle <= until)
        if handles is not None:
            named = named.where(_ENTRY.c.handle.in_(handles))
        # These few first, whatever a planner thinks of the rest.
        some = named.subquery("named")
        people = some.outerjoin(_SUBJECT, _SUBJECT.c.handle == some.c.handle)
        query: sa.Select[Any] = (
            sa.select(
                _SUBJECT.c.subject,
                *(some.c.handle, some.c.rests),
                *standing_columns(asked),
            )
            .select_from(with_standing(people, _SUBJECT.c.subject, asked))
            .order_by(some.c.handle)
        )
        with self._database.read() as connection:
            return fetch_some(connection, query)

    def mark(self) -> Mark:
        """What ``touched`` begins at, read before people are asked about."""
        with self._database.read() as connection:
            return read_mark(connection)

    def touched(self, batch: BatchRow, *, since: Mark, until: str) -> list[str] | None:
        """Whose standing may have changed since then, None if it may be anybody's."""
        with self._database.read() as connection:
            return touched(connection, batch.number, since=since, until=until)

    def handles(self, subjects: Sequence[str]) -> dict[str, str]:
        """The handles of those of these people whom the log has heard of, by id."""
        columns = (_SUBJECT.c.subject, _SUBJECT.c.handle)
        query = sa.select(*columns).where(_SUBJECT.c.subject.in_(subjects))
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def _batches() -> sa.Select[Any]:
    return sa.select(*_BATCH.columns)


def _named(
    batch: BatchRow, handle: str, record: str, act: object, reason: str
) -> Named:
    return Named(
        batch, BatchEntry(handle, record, blob(act).hex(), batch.scope), reason
    )
