"""The tree over the people of a batch: in every small world, and each hash of it."""

from __future__ import annotations

import hashlib

import pytest

from consentkit.core import canonical
from consentkit.errors import InclusionError
from consentkit.errors import MalformedError
from consentkit.log.batch import BatchEntry
from consentkit.log.batch import BatchTree
from consentkit.log.batch import hash_entries
from consentkit.log.batch import parse_entry
from consentkit.log.merkle import check_inclusion
from consentkit.log.merkle import prove_inclusion
from consentkit.log.merkle import root_of
from consentkit.log.tiles import TileReader
from consentkit.log.tiles import parse_tile_path
from consentkit.log.tiles import tiles_for_size

ENTRY = BatchEntry("1" * 32, "2" * 32, "a" * 64, "b" * 64)
# What ``docs/adr/0023`` says, byte for byte.
BYTES = (
    b'consentkit/batch-entry@v1\n{"grant":"' + b"a" * 64 + b'","record":"'
    b"22222222222222222222222222222222" + b'","scope":"' + b"b" * 64 + b'","subject":"'
    b"11111111111111111111111111111111" + b'"}\n'
)


def test_an_entry_is_these_bytes_and_its_hash_is_that_of_a_leaf() -> None:
    assert len(BYTES) == 267
    line = BYTES.splitlines()[1]
    assert ENTRY.line == line == canonical.encode(ENTRY.to_dict())
    assert ENTRY.hash == hashlib.sha256(b"\0" + BYTES).digest()
    many = hash_entries([("1" * 32, "2" * 32, bytes.fromhex("a" * 64))], scope="b" * 64)
    assert many == [ENTRY.hash]
    assert parse_entry(line) == ENTRY


OTHERS = {
    "nothing": b"",
    "both lines": BYTES,
    "a line end": ENTRY.line + b"\n",
    "upper case": ENTRY.line.replace(b"a" * 64, b"A" * 64),
    "a space": ENTRY.line.replace(b":", b": ", 1),
    "another order": b'{"record":"' + b"2" * 32 + b'","grant":"' + b"a" * 64 + b'"}',
    "a shorter handle": ENTRY.line.replace(b"1" * 32, b"1" * 31),
    "another member": ENTRY.line.replace(b"}", b',"x":"1"}'),
    "no ASCII": ENTRY.line.replace(b"1" * 32, "\uff11".encode() * 32),
}


@pytest.mark.parametrize("name", OTHERS)
def test_any_other_spelling_is_refused(name: str) -> None:
    with pytest.raises(MalformedError, match="entry of a batch"):
        parse_entry(OTHERS[name])


@pytest.mark.parametrize("size", [*range(20), 255, 256, 257, 511, 512, 513, 65_537])
def test_its_tiles_and_root_are_those_of_a_log(size: int) -> None:
    hashes = [hashlib.sha256(str(number).encode()).digest() for number in range(size)]
    tiles: dict[tuple[object, int], bytes] = {}
    tree = BatchTree(lambda level, number, data: tiles.update({(level, number): data}))
    for first in range(0, size, 700):
        tree.add(hashes[first : first + 700])
    root = tree.finish()
    assert root == root_of(hashes)
    expected = {(each.level, each.n): each.width for each in tiles_for_size(size)}
    widths = {place: len(data) // 32 for place, data in tiles.items()}
    assert widths == {
        place: width for place, width in expected.items() if place[0] != "entries"
    }

    def read(path: str) -> bytes:
        tile = parse_tile_path(path)
        return tiles[tile.level, tile.n]

    for place in {0, size // 2, size - 1} if size else ():
        path = prove_inclusion(place, size, TileReader(read, size))
        check_inclusion(hashes[place], place, size, path, root)
        for at in range(len(path)):
            wrong = [*path[:at], bytes(32), *path[at + 1 :]]
            with pytest.raises(InclusionError):
                check_inclusion(hashes[place], place, size, wrong, root)
