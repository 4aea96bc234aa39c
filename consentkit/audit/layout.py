"""The folder as a whole: nothing in it that the layout does not know.

A log grows by replacing partial tiles by wider ones; the narrower ones may stay. They
have to say the same as what replaced them, or somebody was once shown another tree.

Step, in the numbers of ``consentkit.audit.verify``:

6. layout: every file belongs to this log (any other is a stray: named, and nobody is
   blamed for it), and left-over partial files agree with the
   ones that replaced them. What may lie beside the tree, such as older checkpoints,
   is named in ``annexed``; what it says is for other steps to judge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.annexed import is_annex
from consentkit.audit.bundle import CHECKPOINT
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.tree import first_difference
from consentkit.errors import VerificationError
from consentkit.log.merkle import HASH_SIZE
from consentkit.log.merkle import hash_leaf
from consentkit.log.tiles import ENTRIES
from consentkit.log.tiles import TILE_WIDTH
from consentkit.log.tiles import Tile
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import encode_bundle
from consentkit.log.tiles import parse_tile_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from consentkit.audit.bundle import Source

__all__ = ["LayoutCheck", "belongs"]

_NAMED = 20  # strays: more would say no more, and crowd out what matters


def belongs(path: str) -> bool:
    """Whether a log or an export of it can have a file of that name."""
    if path == CHECKPOINT or is_annex(path):
        return True
    try:
        parse_tile_path(path)
    except VerificationError:
        return False
    return True


class LayoutCheck:
    """Looks at every file that the tree of ``size`` leaves does not need."""

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._size = size
        self._latest: tuple[Tile, bytes] | None = None

    def check(self, paths: Iterable[str]) -> Iterator[Finding]:
        """6. layout: what is wrong with the files called ``paths``, and the strays."""
        strays = 0
        for path in paths:
            if path == CHECKPOINT or is_annex(path):
                continue
            if not belongs(path):
                strays += 1
                if strays <= _NAMED:
                    yield _stray(f"{path!r} is not a file of a log")
                continue
            tile = parse_tile_path(path)
            width = self._width(tile)
            if tile.width > width:
                yield _finding(
                    f"{path} is of a larger tree than the checkpoint's; if the log "
                    "was being published meanwhile, take a new copy"
                )
            elif tile.width < width:
                yield from self._check_left_over(tile, tile._replace(width=width))
        if strays > _NAMED:
            yield _stray(f"{strays - _NAMED} more files are none of a log")

    def _width(self, tile: Tile) -> int:
        """How wide the tile of that level and number is in this tree, 0 for none."""
        level = 0 if tile.level == ENTRIES else tile.level
        count = self._size >> (8 * level)
        return max(0, min(TILE_WIDTH, count - tile.n * TILE_WIDTH))

    def _check_left_over(self, old: Tile, new: Tile) -> Iterator[Finding]:
        try:
            late = self._read(new)
            expected = _cut(late, old, new)
        except VerificationError:
            return  # the tree check has named this file already
        try:
            early = self._source.read(old.path)
        except VerificationError as error:
            yield _finding(str(error))
            return
        if early != expected:
            entry = _entry_at_fault(early, expected, old)
            yield _finding(f"{old.path} says otherwise than {new.path}", entry)

    def _read(self, tile: Tile) -> bytes:
        """The file that replaced others; they follow each other, so it is kept."""
        if self._latest is None or self._latest[0] != tile:
            self._latest = tile, self._source.read(tile.path)
        return self._latest[1]


def _cut(late: bytes, old: Tile, new: Tile) -> bytes:
    """What the narrower file has to hold, given the wider one."""
    if old.level != ENTRIES:
        return late[: old.width * HASH_SIZE]
    return encode_bundle(decode_bundle(late, count=new.width)[: old.width])


def _entry_at_fault(early: bytes, expected: bytes, tile: Tile) -> int | None:
    """The index of the first entry that differs, None if it is not one entry's."""
    if tile.level == ENTRIES:
        entries = decode_bundle(expected, count=tile.width)
        place = first_difference(early, [hash_leaf(entry) for entry in entries])
    elif tile.level == 0 and len(early) == len(expected):
        pairs = enumerate(zip(early, expected, strict=True))
        place = next(at for at, (one, other) in pairs if one != other) // HASH_SIZE
    else:
        return None
    return tile.n * TILE_WIDTH + place if place < tile.width else None


def _stray(what: str) -> Finding:
    return Finding(Layer.LOG, "layout", None, what, stray=True)


def _finding(what: str, entry: int | None = None) -> Finding:
    return Finding(Layer.LOG, "layout", entry, what)
