"""The log layer: do these files hold the very tree that the checkpoint is signed for?

Each level is checked against the one below it, and the right edge against the signed
root. So a damaged byte shows where it is and nowhere else: a wrong entry does not
hash to its place in ``tile/0``; a wrong hash in a tile disagrees with what lies below
it and does not lead to what lies above.

Steps, in the numbers of ``consentkit.audit.verify``:

2. tiles: every file for this size is there, with exactly its bytes;
3. entries: each bundle parses, and its entries hash to level 0;
4. tree: each higher level is what the level below it hashes to;
5. root: the tree's right edge hashes to the signed root.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from typing import TypeAlias

from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.source import named
from consentkit.errors import VerificationError
from consentkit.log.merkle import EMPTY_ROOT
from consentkit.log.merkle import HASH_SIZE
from consentkit.log.merkle import hash_leaf
from consentkit.log.merkle import root_of
from consentkit.log.tiles import TILE_WIDTH
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import entries_path
from consentkit.log.tiles import tile_path

if TYPE_CHECKING:
    from collections.abc import Generator
    from collections.abc import Iterator
    from collections.abc import Sequence

    from consentkit.audit.bundle import Source
    from consentkit.log.checkpoint import Checkpoint

__all__ = ["Bundle", "Hashes", "TreeCheck", "first_difference", "walk_bundles"]

Hashes: TypeAlias = list[bytes | None]
"""A row of hashes, None where it is not known what stood there."""

_LENGTH_SIZE = 2  # C2SP tlog-tiles: each entry after its length, u16 big-endian


@dataclass(frozen=True)
class Bundle:
    """One entry bundle as it was read; ``entries`` is None if it cannot be split."""

    number: int
    width: int
    data: bytes
    entries: Sequence[bytes] | None
    fault: VerificationError | None

    @property
    def first(self) -> int:
        """The index of its first entry."""
        return self.number * TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it was read from."""
        return entries_path(self.number, self.width)

    @cached_property
    def hashes(self) -> Sequence[bytes]:
        """The leaf hashes of its entries, computed once for all who need them."""
        return list(map(hash_leaf, self.entries or ()))


def walk_bundles(source: Source, size: int) -> Iterator[Bundle]:
    """Every bundle of a log of ``size`` entries, in order, one at a time.

    Raises:
        LogUnavailableError: the source stopped answering.
    """
    for first in range(0, size, TILE_WIDTH):
        number, width = first // TILE_WIDTH, min(TILE_WIDTH, size - first)
        data = b""
        try:
            data = source.read(entries_path(number, width))
            entries = decode_bundle(data, count=width)
        except VerificationError as error:
            yield Bundle(number, width, data, None, error)
        else:
            yield Bundle(number, width, data, entries, None)


def first_difference(data: bytes, hashes: Sequence[bytes | None]) -> int:
    """The first place where the entries in ``data`` do not hash to ``hashes``.

    The number of hashes if they all do. ``data`` may be a damaged bundle: with the
    hashes known, the entry whose length was changed can still be named.
    """
    offset = 0
    for place, expected in enumerate(hashes):
        start = offset + _LENGTH_SIZE
        offset = start + int.from_bytes(data[offset:start], "big")
        if offset > len(data) or hash_leaf(data[start:offset]) != expected:
            return place
    return len(hashes)


class TreeCheck:
    """Rebuilds the tree from bundles, one level on the other, in constant memory.

    Feed every bundle of the log in order to ``check``, then call ``finish``. A hash
    is None where neither the files nor the level below could say what it is.
    """

    def __init__(self, source: Source, checkpoint: Checkpoint) -> None:
        self._source = source
        self._checkpoint = checkpoint
        self._numbers: list[int] = []
        self._waiting: list[Hashes] = []
        self._edge: list[Hashes] = []

    def check(self, bundle: Bundle) -> Iterator[Finding]:
        """What is wrong with one bundle and with the tiles that it completes."""
        # 2. tiles
        stored = yield from self._read(0, bundle.number, bundle.width)
        # 3. entries
        if bundle.entries is None:
            yield _unreadable(bundle, stored)
            computed: Hashes = [None] * bundle.width
        else:
            computed = list(bundle.hashes)
        path = tile_path(0, bundle.number, bundle.width)
        for place in _differences(computed, stored):
            what = f"the entry does not hash to what {path} holds in place {place}"
            yield _finding("entries", what, bundle.first + place)
        yield from self._close(0, stored or computed)

    def finish(self) -> Iterator[Finding]:
        """What is wrong with the right edge of the tree, and with its root."""
        for level in range(1, len(self._waiting)):
            if self._waiting[level]:
                yield from self._check_level(level)
        # 5. root
        row: Hashes = []
        for hashes in self._edge:
            # What lies below the edge of a level is that level's incomplete last one.
            row = [*hashes, _subtree(row)] if row else list(hashes)
        root = _subtree(row) if row else EMPTY_ROOT
        if root is not None and root != self._checkpoint.root:
            yield _finding("root", "the tree does not hash to the signed root")

    def _check_level(self, level: int) -> Iterator[Finding]:
        computed, self._waiting[level] = self._waiting[level], []
        number = self._numbers[level]
        # 2. tiles
        stored = yield from self._read(level, number, len(computed))
        # 4. tree
        path = tile_path(level, number, len(computed))
        for place in _differences(computed, stored):
            below = tile_path(level - 1, number * TILE_WIDTH + place)
            what = f"{path} does not hold in place {place} what {below} hashes to"
            yield _finding("tree", what)
        yield from self._close(level, stored or computed)

    def _close(self, level: int, hashes: Hashes) -> Iterator[Finding]:
        """Hand a finished tile's hash to the level above, or keep the partial one."""
        while len(self._waiting) < level + 2:
            self._waiting.append([])
            self._edge.append([])
            self._numbers.append(0)
        self._numbers[level] += 1
        if len(hashes) < TILE_WIDTH:
            self._edge[level] = hashes
            return
        self._waiting[level + 1].append(_subtree(hashes))
        if len(self._waiting[level + 1]) == TILE_WIDTH:
            yield from self._check_level(level + 1)

    def _read(
        self, level: int, number: int, width: int
    ) -> Generator[Finding, None, Hashes | None]:
        """The hashes of one tile, None if it is not there as it should be."""
        path = tile_path(level, number, width)
        try:
            data = self._source.read(path)
        except VerificationError as error:
            yield _finding("tiles", str(error))
            return None
        if len(data) != width * HASH_SIZE:
            yield _finding("tiles", _wrong_length(path, width * HASH_SIZE, len(data)))
            return None
        return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def _differences(computed: Hashes, stored: Hashes | None) -> list[int]:
    """The places where two rows of hashes are known to differ."""
    if stored is None or computed == stored:
        return []
    pairs = enumerate(zip(computed, stored, strict=True))
    return [place for place, (ours, theirs) in pairs if ours and ours != theirs]


def _subtree(hashes: Hashes) -> bytes | None:
    known = [each for each in hashes if each is not None]
    return root_of(known) if len(known) == len(hashes) else None


def _unreadable(bundle: Bundle, hashes: Hashes | None) -> Finding:
    """A bundle that cannot be split, with the entry at fault if it can be told."""
    place = first_difference(bundle.data, hashes) if bundle.data and hashes else None
    wrong = named(bundle.path, bundle.fault)
    if place is None or place == bundle.width:
        return _finding("entries", wrong)
    what = f"{wrong}; in front of this entry all is in order"
    return _finding("entries", what, bundle.first + place)


def _wrong_length(path: str, expected: int, came: int) -> str:
    return f"{path}: expected {expected} bytes, got {came}"


def _finding(step: str, what: str, entry: int | None = None) -> Finding:
    return Finding(Layer.LOG, step, entry, what)
