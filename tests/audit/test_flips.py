"""One changed byte, anywhere in a published log, is found where it is."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

import pytest

from consentkit.audit.report import Layer
from consentkit.audit.verify import find_faults
from consentkit.log.tiles import ENTRIES
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import parse_tile_path

from .builder import LogBuilder
from .builder import MemorySource

LOG = LogBuilder()
LOG.disclosure(LOG.choice())
LOG.revocation()
FILES = LOG.files(2, 5)  # of 6 entries: two generations of left-over partial files
HASH = 32


def entry_of(path: str, at: int) -> int | None:
    """Which entry the byte at ``at`` of a file belongs to, None if to no single one."""
    if path == "checkpoint":
        return None
    tile = parse_tile_path(path)
    if tile.level == ENTRIES:
        entries = decode_bundle(FILES[path], count=tile.width)
        return bisect_right(list(accumulate(2 + len(data) for data in entries)), at)
    return at // HASH


def flipped(path: str, at: int) -> MemorySource:
    data = bytearray(FILES[path])
    data[at] ^= 1 << at % 8
    return MemorySource({**FILES, path: bytes(data)})


@pytest.mark.requirement("R95", "R96")
@pytest.mark.parametrize("path", sorted(FILES))
def test_every_flipped_byte_of_every_file_is_found_in_its_entry(path: str) -> None:
    for at in range(len(FILES[path])):
        first = next(
            find_faults(flipped(path, at), trust=LOG.trust(), layers=[Layer.LOG]), None
        )

        assert first is not None, f"byte {at} of {path} was not missed"
        assert (first.layer, first.entry) == (Layer.LOG, entry_of(path, at)), at


@pytest.mark.requirement("R95", "R96")
def test_a_flipped_byte_of_an_entry_is_found_by_the_records_layer_too() -> None:
    path = "tile/entries/000.p/6"
    for at in range(0, len(FILES[path]), 7):
        found = list(
            find_faults(flipped(path, at), trust=LOG.trust(), layers=[Layer.RECORDS])
        )

        # A damaged length leaves no entry to be named; any other damage does.
        assert found, at
        assert {finding.layer for finding in found} == {Layer.RECORDS}
        assert found[0].entry in {entry_of(path, at), None}


def test_the_undamaged_files_hold() -> None:
    assert list(find_faults(MemorySource(FILES), trust=LOG.trust(pinned=True))) == []
