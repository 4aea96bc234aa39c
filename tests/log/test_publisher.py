"""Publications: for each new size exactly its new files, the same bytes each time."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from consentkit.errors import MalformedError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.keys import Ed25519Signer
from consentkit.log.merkle import EMPTY_ROOT
from consentkit.log.merkle import hash_leaf
from consentkit.log.merkle import root_of
from consentkit.log.publisher import Frontier
from consentkit.log.publisher import Prefixes
from consentkit.log.publisher import Publication
from consentkit.log.publisher import TileRow
from consentkit.log.publisher import plan
from consentkit.log.tiles import ENTRIES
from consentkit.log.tiles import Tile
from consentkit.log.tiles import encode_bundle
from consentkit.log.tiles import parse_tile_path
from consentkit.log.tiles import tiles_for_size

ORIGIN = "log.example/2026"
LEAVES = [i.to_bytes(4, "big") for i in range(70_000)]
HASHES = [hash_leaf(leaf) for leaf in LEAVES]


def levels() -> list[list[bytes]]:
    """Level by level the hashes that tlog-tiles defines, without any tile code."""
    found = [HASHES]
    while len(found[-1]) >= 256:
        below = found[-1]
        whole = range(len(below) // 256)
        found.append([root_of(below[256 * n : 256 * n + 256]) for n in whole])
    return found


LEVELS = levels()


def expected(tile: Tile) -> bytes:
    span = slice(256 * tile.n, 256 * tile.n + tile.width)
    if tile.level == ENTRIES:
        return encode_bundle(LEAVES[span])
    return b"".join(LEVELS[int(tile.level)][span])


def publish(sizes: list[int]) -> list[Publication]:
    """One publication for each size, each from the edge that the last one left."""
    frontier = Frontier.empty()
    done: list[Publication] = []
    for size in sizes:
        done.append(plan(ORIGIN, frontier, LEAVES[frontier.size : size]))
        frontier = done[-1].frontier
    return done


def check_publication(old: int, new: int, files: Mapping[str, bytes]) -> None:
    paths = {tile.path for tile in tiles_for_size(new)}
    assert set(files) == paths - {tile.path for tile in tiles_for_size(old)}
    for path, data in files.items():
        assert data == expected(parse_tile_path(path))


@pytest.mark.requirement("R119")
@settings(max_examples=25)
@given(
    st.lists(st.integers(1, 70_000), min_size=1, max_size=8, unique=True).map(sorted)
)
def test_however_leaves_are_batched_files_and_root_are_the_same(
    sizes: list[int],
) -> None:
    old = 0
    for publication in publish(sizes):
        new = publication.size
        check_publication(old, new, publication.files)
        assert publication.root == root_of(HASHES[:new])
        assert publication.leaf_hashes == tuple(HASHES[old:new])
        old = new


def test_leaf_by_leaf_each_size_to_600_has_its_files() -> None:
    for old, publication in enumerate(publish(list(range(1, 601)))):
        check_publication(old, old + 1, publication.files)


BOUNDARIES = [255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 65_792, 65_793]


def test_at_the_edges_of_tiles_each_publication_is_complete() -> None:
    old = 0
    for publication in publish(BOUNDARIES):
        check_publication(old, publication.size, publication.files)
        old = publication.size


def test_the_rows_of_a_table_hold_the_same_hashes_as_the_files() -> None:
    rows: dict[tuple[int, int], bytes] = {}
    for publication in publish([3, 300, 66_000]):
        rows |= {(row.level, row.n): row.hashes for row in publication.rows}

    assert rows == {
        (tile.level, tile.n): expected(tile)
        for tile in tiles_for_size(66_000)
        if tile.level != ENTRIES
    }


@pytest.mark.parametrize("size", [0, 1, 256, 300, 65_536, 66_000])
def test_the_edge_loads_from_what_was_stored(size: int) -> None:
    frontier = publish([size])[0].frontier

    loaded = Frontier.load(size, expected)

    assert loaded == frontier
    assert loaded.compact_range().root() == root_of(HASHES[:size])
    assert loaded.compact_range().size == size


def prefixes(published: int, waiting: int, read: list[str]) -> Prefixes:
    """Those of the first leaves; ``read`` gets the path of each tile that is read."""

    def tile(path: str) -> bytes:
        read.append(path)
        return expected(parse_tile_path(path))

    return Prefixes(
        publish([published])[0].frontier,
        tile,
        lambda count: HASHES[published : published + min(count, waiting)],
    )


@pytest.mark.requirement("R119")
@pytest.mark.parametrize("published", [1, 255, 256, 257, 600])
def test_every_tree_of_the_past_and_of_what_waits_has_its_root(published: int) -> None:
    trees = prefixes(published, 40, [])
    for size in range(published + 41):
        assert trees.root(size) == root_of(HASHES[:size])
    assert trees.root(published + 41) is None


@pytest.mark.parametrize("size", [1, 65_535, 65_537, 66_000, 69_999, 70_000])
def test_a_tree_of_the_past_takes_a_few_tiles_and_the_present_none(size: int) -> None:
    read: list[str] = []
    assert prefixes(70_000, 0, read).root(size) == root_of(HASHES[:size])
    assert len(read) <= (0 if size == 70_000 else 3)


def test_without_new_leaves_nothing_is_new() -> None:
    before = publish([300])[0]

    after = plan(ORIGIN, before.frontier, [])

    assert after.checkpoint == before.checkpoint
    assert after.frontier == before.frontier
    assert (dict(after.files), after.rows, after.leaf_hashes) == ({}, (), ())


def test_an_empty_log_can_be_published() -> None:
    publication = plan(ORIGIN, Frontier.empty(), [])

    assert publication.checkpoint == Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert dict(publication.files) == {}


def test_the_checkpoint_is_what_the_log_key_signs() -> None:
    publication = plan(ORIGIN, Frontier.empty(), LEAVES[:5])
    log_key = Ed25519Signer.generate(ORIGIN)

    signed = sign_checkpoint(publication.checkpoint, log_key)

    assert signed.startswith(publication.checkpoint_text + b"\n")
    assert open_checkpoint(signed, [log_key.verifier]) == publication.checkpoint


def test_a_row_names_level_and_number() -> None:
    publication = plan(ORIGIN, Frontier.empty(), LEAVES[:2])

    assert publication.rows == (TileRow(0, 0, HASHES[0] + HASHES[1]),)


def test_a_leaf_that_no_bundle_can_hold_is_refused() -> None:
    with pytest.raises(MalformedError, match="at most 65535 bytes"):
        plan(ORIGIN, Frontier.empty(), [bytes(65_536)])


def bad_edges() -> dict[str, tuple[int, dict[int, tuple[bytes, ...]], list[bytes]]]:
    two = (HASHES[0], HASHES[1])
    return {
        "no tile": (2, {}, LEAVES[:2]),
        "hash missing": (2, {0: two[:1]}, LEAVES[:2]),
        "hash too many": (1, {0: two}, LEAVES[:1]),
        "tile of a level that has none": (2, {0: two, 1: two[:1]}, LEAVES[:2]),
        "upper tile missing": (256, {}, []),
        "hash cut short": (256, {1: (bytes(31),)}, []),
        "leaf missing": (2, {0: two}, LEAVES[:1]),
        "leaf too many": (2, {0: two}, LEAVES[:3]),
        "leaf altered": (2, {0: two}, [LEAVES[0], b"other"]),
        "leaves swapped": (2, {0: two}, [LEAVES[1], LEAVES[0]]),
        "something at size 0": (0, {0: two[:1]}, LEAVES[:1]),
    }


@pytest.mark.requirement("R95")
@pytest.mark.parametrize("name", bad_edges())
def test_an_edge_that_does_not_fit_its_size_or_leaves_is_refused(name: str) -> None:
    size, tiles, entries = bad_edges()[name]

    with pytest.raises(MalformedError):
        Frontier(size, tiles, tuple(entries))


def test_ten_thousand_pending_leaves_are_planned_well_under_a_second() -> None:
    leaves = [bytes(770 - 4) + leaf for leaf in LEAVES[:10_000]]
    begin = time.perf_counter()

    plan(ORIGIN, Frontier.empty(), leaves)

    assert time.perf_counter() - begin < 1
