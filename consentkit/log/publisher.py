"""What the next publication consists of. Pure: the caller reads, stores and signs.

The right edge of the tree, its partial tiles, is all that has to be known to add
leaves; the plan gives the new edge back. Same edge and leaves, same bytes: files can
be deleted and written again, and a difference is an alarm.

In one transaction, over leaves that have their numbers: load the ``Frontier`` of the
published size, ``plan``, compare its ``Prefixes`` with the high-water mark, sign
``checkpoint``, store ``rows`` and the size. Then write ``files`` and, last, the signed
checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from consentkit.errors import MalformedError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.merkle import HASH_SIZE
from consentkit.log.merkle import CompactRange
from consentkit.log.merkle import hash_leaf
from consentkit.log.merkle import root_of
from consentkit.log.tiles import ENTRIES
from consentkit.log.tiles import TILE_HEIGHT
from consentkit.log.tiles import TILE_WIDTH
from consentkit.log.tiles import Tile
from consentkit.log.tiles import TileReader
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import encode_bundle
from consentkit.log.tiles import partial_tiles

__all__ = ["Frontier", "Prefixes", "Publication", "TileRow", "plan"]


class TileRow(NamedTuple):
    """A tile as a table keeps it: replaced while it grows, final at 256 hashes."""

    level: int
    n: int
    hashes: bytes

    @property
    def tile(self) -> Tile:
        """The file with these very bytes."""
        return Tile(self.level, self.n, len(self.hashes) // HASH_SIZE)


@dataclass(frozen=True)
class Frontier:
    """The right edge of a tree of ``size`` leaves.

    ``tiles`` holds, for each level with a partial tile, its hashes; ``entries`` the
    leaves of the partial bundle.

    Raises:
        MalformedError: too few or too many hashes or leaves for this size, or the
            leaves are not those of the partial tile at level 0.
    """

    size: int
    tiles: Mapping[int, tuple[bytes, ...]]
    entries: tuple[bytes, ...]

    def __post_init__(self) -> None:
        widths = {tile.level: tile.width for tile in partial_tiles(self.size)}
        count = widths.pop(ENTRIES, 0)
        if {level: len(hashes) for level, hashes in self.tiles.items()} != widths:
            raise MalformedError(
                f"the edge of a tree of {self.size} has partial tiles of {widths}"
            )
        if any(len(item) != HASH_SIZE for row in self.tiles.values() for item in row):
            raise MalformedError("expected hashes of 32 bytes in every partial tile")
        if len(self.entries) != count:
            raise MalformedError(
                f"the last bundle of {self.size} leaves has {count}, "
                f"got {len(self.entries)}"
            )
        if tuple(map(hash_leaf, self.entries)) != self.tiles.get(0, ()):
            raise MalformedError("the last bundle's leaves are not those of its tile")

    @classmethod
    def empty(cls) -> Frontier:
        """Return the edge of a log without leaves."""
        return cls(0, {}, ())

    @classmethod
    def load(cls, size: int, read: Callable[[Tile], bytes]) -> Frontier:
        """Return the edge out of the partial tiles and bundle that ``read`` gives.

        Raises:
            MalformedError: what was read does not fit the size.
        """
        tiles: dict[int, tuple[bytes, ...]] = {}
        entries: tuple[bytes, ...] = ()
        for tile in partial_tiles(size):
            data = read(tile)
            if tile.level == ENTRIES:
                entries = tuple(decode_bundle(data, count=tile.width))
            else:
                tiles[tile.level] = _split(data)
        return cls(size, tiles, entries)

    def compact_range(self) -> CompactRange:
        """Return the same tree as a compact range."""
        hashes: list[bytes] = []
        for level in sorted(self.tiles, reverse=True):
            hashes += _perfect_roots(self.tiles[level])
        return CompactRange(self.size, hashes)


@dataclass(frozen=True)
class Prefixes:
    """Every tree that a log has been, and those that waiting leaves would make it.

    ``read`` gives tiles of the published tree by path; ``waiting`` gives the hashes
    of so many leaves that come next, or of as many as there are.
    """

    frontier: Frontier
    read: Callable[[str], bytes]
    waiting: Callable[[int], Sequence[bytes]]

    def root(self, size: int) -> bytes | None:
        """Return the root of the first ``size`` leaves; None if there are fewer.

        O(log n) hashes for a tree that was published, one more for each leaf waiting.

        Raises:
            MalformedError: a tile has another length than its name says.
        """
        more = size - self.frontier.size
        if more < 0:
            edge = CompactRange()
            edge.extend(size, TileReader(self.read, self.frontier.size))
            return edge.root()
        edge = self.frontier.compact_range()
        waiting = self.waiting(more) if more else ()
        for leaf_hash in waiting:
            edge.append(leaf_hash)
        return edge.root() if len(waiting) == more else None


@dataclass(frozen=True)
class Publication:
    """The next size of a log and everything that is new with it.

    ``files`` maps a path to its bytes: exactly the files that the new size has and
    the old one had not. ``leaf_hashes`` are those of the new leaves, in order.
    """

    checkpoint: Checkpoint
    files: Mapping[str, bytes]
    rows: tuple[TileRow, ...]
    leaf_hashes: tuple[bytes, ...]
    frontier: Frontier

    @property
    def size(self) -> int:
        """How many leaves the log has with this publication."""
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        """The root hash at this size."""
        return self.checkpoint.root

    @property
    def checkpoint_text(self) -> bytes:
        """What the log key signs."""
        return self.checkpoint.text()


def plan(origin: str, frontier: Frontier, leaves: Sequence[bytes]) -> Publication:
    """Return the publication that appends ``leaves``, in their order.

    Raises:
        MalformedError: a leaf is longer than a bundle can hold, or the origin
            cannot be a log's name.
    """
    leaf_hashes = tuple(map(hash_leaf, leaves))
    size = frontier.size + len(leaf_hashes)
    rows = tuple(_grow(frontier, leaf_hashes))
    bundles = _bundles(frontier, leaves)
    edge = _edge(size, frontier, rows, bundles)
    return Publication(
        Checkpoint(origin, size, edge.compact_range().root()),
        {tile.path: encode_bundle(entries) for tile, entries in bundles.items()}
        | {row.tile.path: row.hashes for row in rows},
        rows,
        leaf_hashes,
        edge,
    )


def _grow(frontier: Frontier, hashes: Sequence[bytes]) -> Iterator[TileRow]:
    """The tiles that change, level by level: full tiles pass their root upwards."""
    level = 0
    while hashes:
        n = frontier.size >> (TILE_HEIGHT * (level + 1))
        upwards: list[bytes] = []
        for chunk in _chunks([*frontier.tiles.get(level, ()), *hashes]):
            yield TileRow(level, n, b"".join(chunk))
            if len(chunk) == TILE_WIDTH:
                upwards.append(root_of(chunk))
            n += 1
        level, hashes = level + 1, upwards


def _bundles(
    frontier: Frontier, leaves: Sequence[bytes]
) -> dict[Tile, Sequence[bytes]]:
    if not leaves:
        return {}
    first = frontier.size // TILE_WIDTH
    chunks = _chunks([*frontier.entries, *leaves])
    return {
        Tile(ENTRIES, n, len(chunk)): chunk for n, chunk in enumerate(chunks, first)
    }


def _edge(
    size: int,
    frontier: Frontier,
    rows: Sequence[TileRow],
    bundles: Mapping[Tile, Sequence[bytes]],
) -> Frontier:
    """The partial tiles at the new size: those that changed, else as they were."""
    changed = {row.tile: row.hashes for row in rows}
    tiles: dict[int, tuple[bytes, ...]] = {}
    entries: tuple[bytes, ...] = ()
    for tile in partial_tiles(size):
        if tile.level == ENTRIES:
            entries = tuple(bundles.get(tile, frontier.entries))
        elif tile in changed:
            tiles[tile.level] = _split(changed[tile])
        else:
            tiles[tile.level] = frontier.tiles[tile.level]
    return Frontier(size, tiles, entries)


def _chunks(items: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for at in range(0, len(items), TILE_WIDTH):
        yield items[at : at + TILE_WIDTH]


def _split(data: bytes) -> tuple[bytes, ...]:
    return tuple(data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE))


def _perfect_roots(hashes: Sequence[bytes]) -> Iterator[bytes]:
    """The roots of the perfect subtrees over a partial tile, largest first."""
    at = 0
    while at < len(hashes):
        width = 1 << ((len(hashes) - at).bit_length() - 1)
        yield root_of(hashes[at : at + width])
        at += width
