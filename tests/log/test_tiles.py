"""Tiles: paths, bundles, and hashes read back out of tiles."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import MalformedError
from consentkit.log import tiles
from consentkit.log.merkle import CompactRange
from consentkit.log.merkle import check_consistency
from consentkit.log.merkle import check_inclusion
from consentkit.log.merkle import hash_leaf
from consentkit.log.merkle import prove_consistency
from consentkit.log.merkle import prove_inclusion
from consentkit.log.merkle import root_of
from consentkit.log.publisher import Frontier
from consentkit.log.publisher import Publication
from consentkit.log.publisher import plan
from consentkit.log.tiles import ENTRIES
from consentkit.log.tiles import Tile
from consentkit.log.tiles import TileReader

VECTORS = Path(__file__).parents[1] / "vectors"
OWN = json.loads((VECTORS / "own_vectors.json").read_text("utf-8"))

LEVELS = st.just(ENTRIES) | st.integers(0, 7)
TILES = st.builds(Tile, LEVELS, st.integers(0, 2**63 - 1), st.integers(1, 256))


def test_paths_are_those_of_the_vectors() -> None:
    paths = dict(OWN["tiles"]["paths"])

    assert tiles.tile_path(0, 273, 112) == paths.pop("partial")
    for n, path in paths.items():
        assert tiles.tile_path(0, int(n)) == path
    assert tiles.entries_path(1, 1) == "tile/entries/001.p/1"


@given(TILES)
def test_every_path_reads_back(tile: Tile) -> None:
    assert tiles.parse_tile_path(tile.path) == tile


BAD_PATHS = {
    "nothing": "",
    "no number": "tile/0/",
    "two digits": "tile/0/01",
    "four digits": "tile/0/0001",
    "leading zero group": "tile/0/x000/001",
    "last group with x": "tile/0/x001",
    "more groups than 2^63 has": "tile/0/" + "x000/" * 7 + "000",
    "more digits than int takes": "tile/0/" + "x001/" * 2_000 + "000",
    "group without x": "tile/0/001/002",
    "level with leading zero": "tile/00/000",
    "level 8": "tile/8/000",
    "no level": "tile/000",
    "width 0": "tile/0/000.p/0",
    "width 256": "tile/0/000.p/256",
    "width with leading zero": "tile/0/000.p/01",
    "width 257": "tile/0/000.p/257",
    "height in front": "tile/8/0/000",
    "parent folder": "tile/0/../000",
    "newline after": "tile/0/000\n",
    "slash in front": "/tile/0/000",
    "Arabic digits": "tile/0/\u0660\u0660\u0660",
    "number of 2^63": tiles.tile_path(0, 2**63 - 1).replace("807", "808"),
}


@pytest.mark.parametrize("name", BAD_PATHS)
def test_any_other_path_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        tiles.parse_tile_path(BAD_PATHS[name])


@pytest.mark.parametrize(
    ("level", "n", "width"), [(8, 0, 1), (-1, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)]
)
def test_a_tile_that_cannot_be_has_no_path(level: int, n: int, width: int) -> None:
    with pytest.raises(MalformedError):
        tiles.tile_path(level, n, width)


@pytest.mark.parametrize("size", OWN["tiles"]["resources_by_size"])
def test_the_files_of_a_size_are_those_of_the_vectors(size: str) -> None:
    expected = OWN["tiles"]["resources_by_size"][size]

    assert [tile.path for tile in tiles.tiles_for_size(int(size))] == expected


def test_an_empty_log_has_no_files() -> None:
    assert tiles.tiles_for_size(0) == []
    assert tiles.partial_tiles(0) == []


@given(st.integers(0, 2**20))
def test_partial_tiles_are_the_narrow_ones_among_all(size: int) -> None:
    narrow = [tile for tile in tiles.tiles_for_size(size) if tile.width < 256]

    assert tiles.partial_tiles(size) == narrow


def test_the_bundle_of_the_vector_is_ours() -> None:
    vector = OWN["entry_bundle"]
    entries = [entry.encode() for entry in vector["entries_utf8"]]

    assert tiles.encode_bundle(entries).hex() == vector["hex"]


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_every_bundle_reads_back(entries: list[bytes]) -> None:
    data = tiles.encode_bundle(entries)

    assert tiles.decode_bundle(data, count=len(entries)) == entries


def test_a_leaf_of_65535_bytes_fits_and_one_byte_more_does_not() -> None:
    longest = bytes(65_535)

    assert tiles.decode_bundle(tiles.encode_bundle([longest]), count=1) == [longest]
    with pytest.raises(MalformedError, match="at most 65535 bytes, got 65536"):
        tiles.encode_bundle([bytes(65_536)])


@pytest.mark.parametrize("count", [0, 257])
def test_a_bundle_has_1_to_256_entries(count: int) -> None:
    with pytest.raises(MalformedError, match=f"1 to 256 entries, got {count}"):
        tiles.encode_bundle([b""] * count)


BAD_BUNDLES = {
    "nothing": b"",
    "one entry less": bytes.fromhex("0000 000161"),
    "one entry more": bytes.fromhex("0000 000161 00026263 0000"),
    "trailing byte": bytes.fromhex("0000 000161 00026263 00"),
    "length cut short": bytes.fromhex("0000 000161 00"),
    "entry cut short": bytes.fromhex("0000 000161 000262"),
    "length far beyond the end": bytes.fromhex("0000 000161 ffff62"),
}


@pytest.mark.parametrize("name", BAD_BUNDLES)
def test_a_bundle_of_another_length_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        tiles.decode_bundle(BAD_BUNDLES[name], count=3)


SAID: dict[str, tuple[Callable[[], object], str]] = {
    "cut within a length": (
        lambda: tiles.decode_bundle(b"\x00\x01a\x00", count=2),
        "the bundle ends within entry 1",
    ),
    "cut within an entry": (
        lambda: tiles.decode_bundle(b"\x00\x02a", count=1),
        "the bundle ends within entry 0",
    ),
    "more than was asked for": (
        lambda: tiles.decode_bundle(b"\x00\x01a\x00\x00", count=1),
        "expected the bundle to end after 1 entries",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_refusal_says_what_was_expected(name: str) -> None:
    read, message = SAID[name]

    with pytest.raises(MalformedError) as caught:
        read()

    assert str(caught.value) == message


@pytest.fixture(scope="module")
def large() -> Publication:
    leaves = [i.to_bytes(8, "big") for i in range(70_000)]
    return plan("log.example/1", Frontier.empty(), leaves)


def test_a_log_of_70000_leaves_has_the_tiles_of_the_vector(large: Publication) -> None:
    vector = OWN["tiles"]["tree_70000"]
    hash_tiles = [path for path in large.files if "/entries/" not in path]

    assert large.root.hex() == vector["root"]
    assert len(hash_tiles) == vector["tile_count"]
    for path, digest in vector["sha256_of_tile"].items():
        assert hashlib.sha256(large.files[path]).hexdigest() == digest
    bundles = [path for path in large.files if "/entries/" in path]
    counts = OWN["tiles"]["resource_counts_70000"]
    assert len(bundles) == counts["entries_full"] + 1
    assert tiles.entries_path(273, counts["entries_partial"]) in bundles


INDICES = [0, 1, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999]


@pytest.mark.parametrize("index", INDICES)
def test_a_proof_read_out_of_tiles_holds(large: Publication, index: int) -> None:
    reader = tiles.TileReader(large.files.__getitem__, large.size)

    proof = prove_inclusion(index, large.size, reader)

    leaf_hash = hash_leaf(index.to_bytes(8, "big"))
    check_inclusion(leaf_hash, index, large.size, proof, large.root)


@pytest.mark.parametrize("old", [1, 255, 256, 257, 65_536, 69_888, 69_999, 70_000])
def test_a_consistency_proof_read_out_of_tiles_holds(
    large: Publication, old: int
) -> None:
    reader = tiles.TileReader(large.files.__getitem__, large.size)

    proof = prove_consistency(old, large.size, reader)

    old_root = root_of(hash_leaf(i.to_bytes(8, "big")) for i in range(old))
    check_consistency(old, old_root, large.size, large.root, proof)


def test_a_reader_fetches_each_tile_once(large: Publication) -> None:
    fetched: list[str] = []

    def read(path: str) -> bytes:
        fetched.append(path)
        return large.files[path]

    prove_inclusion(300, large.size, tiles.TileReader(read, large.size))

    # Its own tile, its level 1 tile with the last partial one beside, and the edge.
    assert sorted(fetched) == [
        "tile/0/001",
        "tile/0/273.p/112",
        "tile/1/000",
        "tile/1/001.p/17",
    ]


def test_a_walk_along_a_whole_tree_ends_at_its_root_and_keeps_few_tiles(
    large: Publication,
) -> None:
    reader = tiles.TileReader(large.files.__getitem__, large.size)
    walk = CompactRange()

    for size in (0, 1, 255, 256, 300, 65_536, 65_537, 69_999, 70_000):
        walk.extend(size, reader)

        leaves = (hash_leaf(i.to_bytes(8, "big")) for i in range(size))
        assert walk.root() == root_of(leaves)
    for size in range(0, 70_000, 256):
        reader.read_hash(0, size)
    assert walk.root() == large.root
    assert len(reader._tiles) == 16


@pytest.mark.parametrize("width", [0, 31, 33, 64])
def test_a_tile_of_another_length_than_its_name_says_is_refused(width: int) -> None:
    reader = tiles.TileReader(lambda _: bytes(width), 1)

    with pytest.raises(MalformedError, match=f"expected 32 bytes, got {width}"):
        reader.read_hash(0, 0)


@pytest.mark.parametrize(("level", "index"), [(0, 5), (1, 2), (3, 0), (0, -1), (-1, 0)])
def test_a_hash_outside_the_tree_is_not_looked_for(level: int, index: int) -> None:
    reader = tiles.TileReader(lambda _: pytest.fail("fetched"), 5)

    with pytest.raises(MalformedError, match="is not in a tree of 5"):
        reader.read_hash(level, index)


def test_a_walk_along_a_long_tree_keeps_few_tiles_and_forgets_the_oldest() -> None:
    reads: list[str] = []

    def read(path: str) -> bytes:
        reads.append(path)
        return bytes(256 * 32)

    reader = TileReader(read, 256 * 100)
    for number in range(100):
        reader.read_tile(0, number)
    reader.read_tile(0, 99)
    assert len(reads) == 100
    reader.read_tile(0, 0)

    assert reads[-1] == "tile/0/000"
    assert len(reads) == 101


def test_a_tile_of_another_length_is_named() -> None:
    reader = TileReader(lambda _: b"short", 300)

    with pytest.raises(MalformedError, match=r"^tile/0/001\.p/44: expected 1408 bytes"):
        reader.read_tile(0, 1)
