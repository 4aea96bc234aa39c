"""A tree and its leaves as files that never change (C2SP tlog-tiles).

Hash i of tile n at level l is the root of the leaves from (256 n + i) 256^l to
(256 n + i + 1) 256^l. A full tile holds 256 hashes; the last one of a level may be
partial and is then named by its width. Entry bundles hold the leaves of the level 0
tile with the same number and width, each after its length in two bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterable
from typing import Final
from typing import Literal
from typing import NamedTuple
from typing import TypeAlias

from consentkit.errors import MalformedError
from consentkit.log.merkle import HASH_SIZE
from consentkit.log.merkle import root_of

__all__ = [
    "ENTRIES",
    "MAX_ENTRY_BYTES",
    "TILE_HEIGHT",
    "TILE_WIDTH",
    "Level",
    "Tile",
    "TileReader",
    "decode_bundle",
    "encode_bundle",
    "entries_path",
    "parse_tile_path",
    "partial_tiles",
    "tile_path",
    "tiles_for_size",
]

# tlog-tiles fixes the height, and so the width.
TILE_HEIGHT = 8
TILE_WIDTH = 256

# The length of an entry has two bytes.
MAX_ENTRY_BYTES = 65_535

# 256^8 leaves are more than a tree may have (2^63).
_MAX_LEVEL = 7

ENTRIES: Final = "entries"
Level: TypeAlias = int | Literal["entries"]

# A number below 2^63 has seven groups of digits at most; int refuses 4,301 digits.
_PATH = re.compile(
    r"tile/(entries|[0-7])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)
_LENGTH_BYTES = 2

# A proof needs two tiles of each level, and there are eight levels.
_TILES_KEPT = 16


class Tile(NamedTuple):
    """The place of one file: a level or ``ENTRIES``, number, and width."""

    level: Level
    n: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """The path under the log's prefix."""
        return tile_path(self.level, self.n, self.width)


def tile_path(level: Level, n: int, width: int = TILE_WIDTH) -> str:
    """Return ``tile/<level>/<n>``, with ``.p/<width>`` when it is partial.

    Raises:
        MalformedError: no such level, number or width.
    """
    good_level = level == ENTRIES or 0 <= level <= _MAX_LEVEL
    if not good_level or not 0 <= n < 2**63 or not 1 <= width <= TILE_WIDTH:
        raise MalformedError(
            "expected a tile: level 0 to 7, number from 0, width 1 to 256"
        )
    number = f"{n % 1000:03}"
    while n >= 1000:  # noqa: PLR2004 (tlog-tiles: groups of three digits)
        n //= 1000
        number = f"x{n % 1000:03}/{number}"
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{level}/{number}{partial}"


def entries_path(n: int, width: int = TILE_WIDTH) -> str:
    """Return ``tile/entries/<n>``, with ``.p/<width>`` when it is partial."""
    return tile_path(ENTRIES, n, width)


def parse_tile_path(path: str) -> Tile:
    """Return the tile that ``path`` names.

    Raises:
        MalformedError: not a tile's path in its only spelling.
    """
    match = _PATH.fullmatch(path)
    if match is None or not path.isascii():
        raise MalformedError("expected a path such as 'tile/0/x001/234.p/56'")
    level, number, width = match.groups()
    tile = Tile(
        ENTRIES if level == ENTRIES else int(level),
        int(number.replace("x", "").replace("/", "")),
        int(width or TILE_WIDTH),
    )
    if tile.path != path:
        raise MalformedError(f"expected the tile's path to be spelled {tile.path!r}")
    return tile


def tiles_for_size(size: int) -> list[Tile]:
    """Return every file of a log of ``size`` leaves, bundles first, levels upwards."""
    tiles: list[Tile] = []
    for level, count in _counts(size):
        tiles += [Tile(level, n) for n in range(count // TILE_WIDTH)]
        if count % TILE_WIDTH:
            tiles.append(Tile(level, count // TILE_WIDTH, count % TILE_WIDTH))
    return tiles


def partial_tiles(size: int) -> list[Tile]:
    """Return the partial ones alone: what has to be loaded before leaves are added."""
    return [
        Tile(level, count // TILE_WIDTH, count % TILE_WIDTH)
        for level, count in _counts(size)
        if count % TILE_WIDTH
    ]


def _counts(size: int) -> Iterable[tuple[Level, int]]:
    """How many leaves, and how many hashes at each level that has any."""
    if size:
        yield ENTRIES, size
    level = 0
    while size:
        yield level, size
        level, size = level + 1, size >> TILE_HEIGHT


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Return up to 256 entries, each after its length.

    Raises:
        MalformedError: an entry is too long, or there are none or too many.
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise MalformedError(
                f"an entry has at most {MAX_ENTRY_BYTES} bytes, got {len(entry)}"
            )
        parts.append(len(entry).to_bytes(_LENGTH_BYTES, "big") + entry)
    if not 1 <= len(parts) <= TILE_WIDTH:
        raise MalformedError(f"a bundle has 1 to 256 entries, got {len(parts)}")
    return b"".join(parts)


def decode_bundle(data: bytes, *, count: int) -> list[bytes]:
    """Return exactly ``count`` entries.

    Raises:
        MalformedError: the data ends early, or goes on after the last entry.
    """
    entries: list[bytes] = []
    at = 0
    for _ in range(count):
        begin = at + _LENGTH_BYTES
        at = begin + int.from_bytes(data[at:begin], "big")
        if begin > len(data) or at > len(data):
            raise MalformedError(f"the bundle ends within entry {len(entries)}")
        entries.append(data[begin:at])
    if at != len(data):
        raise MalformedError(f"expected the bundle to end after {count} entries")
    return entries


class TileReader:
    """Hashes of a tree of ``size`` leaves, out of its tiles (a ``HashReader``).

    Keeps the tiles that it read last: all that one proof needs, and no more when it
    walks along a whole tree. What ``read`` returns is not authenticated here; whoever
    checks the proof against a signed root does it.
    """

    def __init__(self, read: Callable[[str], bytes], size: int) -> None:
        self._read = read
        self._size = size
        self._tiles: dict[str, list[bytes]] = {}

    def read_hash(self, level: int, index: int) -> bytes:
        """Return the root of the leaves [index << level, (index + 1) << level).

        Raises:
            MalformedError: these are not all in the tree, or the tile has a length
                other than its name says.
        """
        if level < 0 or index < 0 or (index + 1) << level > self._size:
            raise MalformedError(
                f"hash {index} at level {level} is not in a tree of {self._size}"
            )
        tile_level, height = divmod(level, TILE_HEIGHT)
        n, begin = divmod(index << height, TILE_WIDTH)
        hashes = self.read_tile(tile_level, n)
        return root_of(hashes[begin : begin + (1 << height)])

    def read_tile(self, level: int, n: int) -> list[bytes]:
        """Return the hashes of tile ``n``, as many as it has in this tree.

        Raises:
            MalformedError: there is none, or it has a length other than its name says.
        """
        count = self._size >> (TILE_HEIGHT * level)
        width = min(TILE_WIDTH, count - n * TILE_WIDTH)
        path = tile_path(level, n, width)
        if path not in self._tiles:
            if len(self._tiles) == _TILES_KEPT:
                del self._tiles[next(iter(self._tiles))]  # the one read first
            self._tiles[path] = _split_tile(path, width, self._read(path))
        return self._tiles[path]


def _split_tile(path: str, width: int, data: bytes) -> list[bytes]:
    if len(data) != width * HASH_SIZE:
        raise MalformedError(
            f"{path}: expected {width * HASH_SIZE} bytes, got {len(data)}"
        )
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]
