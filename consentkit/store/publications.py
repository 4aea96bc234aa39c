"""Numbering leaves, keeping tiles and checkpoints, and reading them back as files.

Numbers are given under a lock, never by a sequence: a sequence leaves gaps on a
rollback, and its order is not the order of commits. Where writers overlap they are
committed before anything is signed over them (``docs/adr/0030``).
"""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consentkit.core.act import Millis
from consentkit.errors import LogConflictError
from consentkit.errors import MalformedError
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.merkle import HASH_SIZE
from consentkit.log.merkle import hash_leaf
from consentkit.log.note import split_note
from consentkit.log.publisher import Frontier
from consentkit.log.publisher import Prefixes
from consentkit.log.publisher import plan
from consentkit.log.tiles import ENTRIES
from consentkit.log.tiles import TILE_WIDTH
from consentkit.log.tiles import encode_bundle
from consentkit.log.tiles import parse_tile_path
from consentkit.log.tiles import tiles_for_size
from consentkit.store import left_out
from consentkit.store import numbers
from consentkit.store import schema
from consentkit.store.rows import blob
from consentkit.store.witnesses import cosignature_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.log.checkpoint import Checkpoint
    from consentkit.log.publisher import Publication
    from consentkit.log.tiles import Tile
    from consentkit.store.database import Database
    from consentkit.store.left_out import LeftOut
    from consentkit.store.logs import LogRow

__all__ = ["Publications"]

_LEAF, _TILE, _CHECKPOINT = schema.leaf, schema.tile, schema.checkpoint
_COSIGNATURE = schema.cosignature
_BATCH = 50_000  # leaves of one publication: some 40 MB, a few seconds of work
_RECENT = 32  # cosignatures looked at: the last few rounds of the usual few witnesses


class Publications:
    """What one log has published, and the one way to publish more."""

    def __init__(self, database: Database, log: LogRow) -> None:
        self._database = database
        self._log = log

    def publish(
        self,
        sign: Callable[[Checkpoint, Prefixes], bytes],
        *,
        now: Millis,
        stop: int = 0,
    ) -> tuple[Publication, bytes] | None:
        """Number what waits, sign the new size, keep it; None if nothing waits.

        The checkpoint commits together with the size it speaks of, the numbers before
        it or with it. ``sign`` gets the trees that it can compare with others before
        it signs. The new size is ``stop`` at most, unless the log has come that far
        already.

        Raises:
            LogConflictError: the log was changed behind our back.
            LogUnavailableError: the database cannot be reached or written.
        """
        if self.waiting_since() is None:
            return None
        first = numbers.is_durable_first(self._database.engine.dialect)
        if first:
            with self._database.write(alone=False) as connection:
                rows = self._number(connection, self._lock(connection))
            left_out.tell(rows)
        with self._database.write(alone=False) as connection:
            size = self._lock(connection)
            if not first:
                self._number(connection, size)
            count = stop - size if stop > size else _BATCH
            waiting = self._waiting(connection, size, min(count, _BATCH))
            if not waiting:
                return None
            prefixes = self._prefixes(connection, size)
            publication = plan(self._log.origin, prefixes.frontier, waiting)
            note = sign(publication.checkpoint, prefixes)
            self._keep(connection, publication, note, now)
        return publication, note

    @contextlib.contextmanager
    def prefixes(self) -> Iterator[Prefixes]:
        """The trees of this log by now, to be compared with others.

        Raises:
            LogConflictError: the log was changed behind our back.
            LogUnavailableError: the database cannot be reached.
        """
        with self._database.read() as connection:
            yield self._prefixes(connection, self._size(connection))

    def pending(self) -> int:
        """How many leaves are committed and not published yet."""
        with self._database.read() as connection:
            return numbers.count_waiting(connection, self._log.id)

    def left_out(self) -> int:
        """How many rows were left out of the log, see ``consentkit.store.left_out``."""
        with self._database.read() as connection:
            return left_out.count_left_out(connection, self._log.id)

    def waiting_since(self) -> Millis | None:
        """The time of the first leaf that is not published yet, None if none waits."""
        with self._database.read() as connection:
            size = self._size(connection)
            found = numbers.find_waiting(
                connection, self._log.id, size, _LEAF.c.time, most=1
            )
            return Millis(found[0]) if found else None

    def latest(self) -> tuple[int, bytes] | None:
        """The newest checkpoint and its size, None before the first.

        It carries every cosignature that it has by now.
        """
        query = sa.select(sa.func.max(_CHECKPOINT.c.size)).where(
            _CHECKPOINT.c.log == self._log.id
        )
        with self._database.read() as connection:
            size = connection.scalar(query)
            return None if size is None else (size, self._cosigned(connection, size))

    def covering(self, index: int) -> tuple[int, bytes] | None:
        """The checkpoint that proves most about leaf ``index``; None before the first.

        The one with most cosignatures among the newest cosigned ones, or else the
        newest.
        """
        query = (
            sa.select(_COSIGNATURE.c.size)
            .where(_COSIGNATURE.c.log == self._log.id, _COSIGNATURE.c.size > index)
            .order_by(_COSIGNATURE.c.size.desc())
            .limit(_RECENT)
        )
        with self._database.read() as connection:
            lines = Counter(connection.scalars(query))
            if lines:
                size = max(lines, key=lambda each: (lines[each], each))
                return size, self._cosigned(connection, size)
        return self.latest()

    def signed(self, size: int) -> bytes | None:
        """The checkpoint of that size as the log signed it, without cosignatures."""
        with self._database.read() as connection:
            return self._signed(connection, size)

    def contradicts(self, note: bytes) -> bool:
        """Whether what was committed here for this size is not this checkpoint.

        Lines of witnesses may stand under it, if they are committed here, too.

        Raises:
            MalformedError: it is no checkpoint.
        """
        size = parse_checkpoint_text(split_note(note).text).size
        with self._database.read() as connection:
            signed = self._signed(connection, size)
            known = cosignature_lines(connection, self._log.id, size)
        if signed is None:
            return False
        added = note.removeprefix(signed).split(b"\n")[:-1]  # a note ends in a newline
        lines = {line + b"\n" for line in added}
        return not (note.startswith(signed) and lines <= set(known))

    def _signed(self, connection: sa.Connection, size: int) -> bytes | None:
        found = connection.scalar(
            sa.select(_CHECKPOINT.c.note).where(
                _CHECKPOINT.c.log == self._log.id, _CHECKPOINT.c.size == size
            )
        )
        return None if found is None else blob(found)

    def _cosigned(self, connection: sa.Connection, size: int) -> bytes:
        lines = cosignature_lines(connection, self._log.id, size)
        return (self._signed(connection, size) or b"") + b"".join(lines)

    def files(self, size: int) -> Iterator[tuple[str, bytes]]:
        """Every file of the log at ``size`` but the checkpoint, path by path."""
        for each in tiles_for_size(size):
            yield each.path, self.read(each.path)

    def read(self, path: str) -> bytes:
        """The bytes of one tile or entry bundle, made again from the rows.

        Raises:
            MalformedError: ``path`` is not of the tlog-tiles layout, or what is stored
                is no longer what was stored.
            FileNotFoundError: the log has not grown that far.
        """
        tile = parse_tile_path(path)
        with self._database.read() as connection:
            return self._read(connection, tile)

    def _read(self, connection: sa.Connection, tile: Tile) -> bytes:
        if tile.level == ENTRIES:
            entries = self._entries(connection, tile)
            if len(entries) < tile.width:
                raise FileNotFoundError(tile.path)
            return encode_bundle(entries)
        found = connection.scalar(
            sa.select(_TILE.c.hashes).where(
                _TILE.c.log == self._log.id,
                _TILE.c.level == tile.level,
                _TILE.c.number == tile.n,
            )
        )
        wanted = tile.width * HASH_SIZE
        hashes = b"" if found is None else blob(found)
        if len(hashes) < wanted:
            raise FileNotFoundError(tile.path)
        return hashes[:wanted]

    def _entries(self, connection: sa.Connection, tile: Tile) -> list[bytes]:
        first = tile.n * TILE_WIDTH
        query = (
            sa.select(_LEAF.c.bytes)
            .where(
                _LEAF.c.log == self._log.id,
                _LEAF.c.idx >= first,
                _LEAF.c.idx < first + tile.width,
            )
            .order_by(_LEAF.c.idx)
        )
        return [blob(data) for data in connection.scalars(query)]

    def _number(self, connection: sa.Connection, size: int) -> list[LeftOut]:
        return numbers.give_numbers(connection, self._log.id, size, most=_BATCH)

    def _waiting(self, connection: sa.Connection, size: int, count: int) -> list[bytes]:
        """The leaves that come next, in the order of their numbers."""
        found = numbers.numbered_from(connection, self._log.id, size, most=count)
        leaves = [data for data, kept in found if _is_whole(data, kept)]
        # Once signed, a broken leaf could never be taken out again.
        if len(leaves) < len(found):
            raise LogConflictError(
                "a leaf that waits for its number is not as it was written: nothing "
                "was signed; compare the database with the promises given"
            )
        return [blob(data) for data in leaves]

    def _size(self, connection: sa.Connection) -> int:
        query = sa.select(schema.log.c.size).where(schema.log.c.id == self._log.id)
        return connection.scalar(query) or 0

    def _lock(self, connection: sa.Connection) -> int:
        """The size by now, which nobody else changes up to the end.

        Acts go on meanwhile; SQLite has locked the file anyhow.
        """
        query = (
            sa.select(schema.log.c.size)
            .where(schema.log.c.id == self._log.id)
            .with_for_update(key_share=True)
        )
        return connection.scalar(query) or 0

    def _prefixes(self, connection: sa.Connection, size: int) -> Prefixes:
        return Prefixes(
            self._frontier(connection, size),
            lambda path: self._read(connection, parse_tile_path(path)),
            lambda count: self._hashes(connection, size, count),
        )

    def _hashes(self, connection: sa.Connection, size: int, count: int) -> list[bytes]:
        """The hashes of so many leaves that wait, in the order of their numbers."""
        found = numbers.find_waiting(
            connection, self._log.id, size, _LEAF.c.hash, most=count
        )
        return [blob(each) for each in found]

    def _frontier(self, connection: sa.Connection, size: int) -> Frontier:
        try:
            return Frontier.load(size, lambda tile: self._read(connection, tile))
        except (MalformedError, FileNotFoundError) as error:
            raise LogConflictError(
                f"the {size} leaves already published are not as they were: nothing "
                "was signed; compare the database with the published log"
            ) from error

    def _keep(
        self,
        connection: sa.Connection,
        publication: Publication,
        note: bytes,
        now: Millis,
    ) -> None:
        for row in publication.rows:
            key: Mapping[str, int] = {
                "log": self._log.id,
                "level": row.level,
                "number": row.n,
            }
            connection.execute(
                sa.delete(_TILE).where(
                    *(_TILE.c[name] == value for name, value in key.items())
                )
            )
            connection.execute(sa.insert(_TILE).values(**key, hashes=row.hashes))
        connection.execute(
            sa.insert(_CHECKPOINT).values(
                log=self._log.id, size=publication.size, note=note, time=now
            )
        )
        connection.execute(
            sa.update(schema.log)
            .where(schema.log.c.id == self._log.id)
            .values(size=publication.size)
        )


def _is_whole(data: object, kept: object) -> bool:
    return isinstance(data, bytes) and hash_leaf(data) == kept
