"""One changed byte, anywhere in a published log, is found where it is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from consentkit.audit.receipt import verify_receipt
from consentkit.audit.report import Layer
from consentkit.audit.verify import find_faults
from consentkit.errors import VerificationError
from consentkit.log.tiles import ENTRIES
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import encode_bundle
from consentkit.log.tiles import parse_tile_path

from .builder import LogBuilder
from .builder import MemorySource
from .builder import answer
from .remembering import remember

LOG = LogBuilder()
LOG.disclosure(LOG.choice())
LOG.revocation()
FILES = LOG.files(2, 5)  # of 6 entries: two generations of left-over partial files
HASH = 32


def log_of_300_records() -> LogBuilder:
    """People who agree, are shared about and stop, and people who say no."""
    log = LogBuilder("log.example")
    while len(log.leaves) < 300:
        person, other = (f"{len(log.leaves) + more:032x}" for more in (0, 1))
        record = log.choice(person)
        log.disclosure(record, person)
        log.revocation(person)
        log.choice(other, answer("refused"))
        log.denial(other)
    del log.leaves[300:]
    return log


LARGE = log_of_300_records()
LARGE_FILES = LARGE.files()
LENGTH = 2  # C2SP tlog-tiles: how many bytes tell an entry's length
STEP = 17


def entries_of(files: Mapping[str, bytes], path: str) -> list[int | None]:
    """For each byte of a file the entry it belongs to, None if to no single one."""
    if path == "checkpoint":
        return [None] * len(files[path])
    tile = parse_tile_path(path)
    if tile.level == ENTRIES:
        entries = decode_bundle(files[path], count=tile.width)
        places = [place for place, data in enumerate(entries) for _ in b"\0\0" + data]
    else:
        places = [at // HASH for at in range(len(files[path]))]
    if tile.level not in {ENTRIES, 0}:
        return [None] * len(places)  # a hash of 256 entries or more
    return [tile.n * 256 + place for place in places]


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]


def flipped(path: str, at: int) -> MemorySource:
    return MemorySource({**FILES, path: flip(FILES[path], at)})


@pytest.mark.requirement("R95", "R96")
@pytest.mark.parametrize("path", sorted(FILES))
def test_every_flipped_byte_of_every_file_is_found_in_its_entry(path: str) -> None:
    for at, entry in enumerate(entries_of(FILES, path)):
        first = next(
            find_faults(flipped(path, at), trust=LOG.trust(), layers=[Layer.LOG]), None
        )

        assert first is not None, f"byte {at} of {path} was not missed"
        assert (first.layer, first.entry) == (Layer.LOG, entry), at


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    remember(monkeypatch)


def places_of(path: str) -> list[int]:
    """The bytes of a file of the large log that are flipped each by itself.

    Of entries the lengths, on which the place of all others rests, and every 17th
    byte; every byte of any other file.
    """
    data, places = LARGE_FILES[path], range(len(LARGE_FILES[path]))
    if not path.startswith("tile/entries/"):
        return list(places)
    lengths, begin = set[int](), 0
    for entry in decode_bundle(data, count=parse_tile_path(path).width):
        lengths |= set(range(begin, begin + LENGTH))
        begin += LENGTH + len(entry)
    return sorted(lengths | set(places[::STEP]))


@pytest.mark.requirement("R95", "R96")
@pytest.mark.usefixtures("remembered")
@pytest.mark.parametrize("path", sorted(LARGE_FILES))
def test_a_flipped_byte_of_a_log_of_300_records_is_found_in_its_entry(
    path: str,
) -> None:
    whole, source = LARGE_FILES[path], MemorySource(LARGE_FILES)
    trust, entries = LARGE.trust(), entries_of(LARGE_FILES, path)
    for at in places_of(path):
        source.files[path] = flip(whole, at)
        first = next(find_faults(source, trust=trust, layers=[Layer.LOG]), None)

        assert first is not None, f"byte {at} of {path} was not missed"
        assert (first.layer, first.entry) == (Layer.LOG, entries[at]), at


@pytest.mark.requirement("R95", "R96")
def test_every_byte_of_300_records_that_is_flipped_is_found_in_its_entry() -> None:
    """One byte of each entry at a time: the first of all, the second, to the last."""
    source, trust = MemorySource(LARGE_FILES), LARGE.trust()
    for at in range(max(map(len, LARGE.leaves))):
        flips = [flip(leaf, at) if at < len(leaf) else leaf for leaf in LARGE.leaves]
        source.files["tile/entries/000"] = encode_bundle(flips[:256])
        source.files["tile/entries/001.p/44"] = encode_bundle(flips[256:])
        found = find_faults(source, trust=trust, layers=[Layer.LOG])

        wrong = [place for place, leaf in enumerate(LARGE.leaves) if at < len(leaf)]
        assert [(each.layer, each.entry) for each in found] == [
            (Layer.LOG, place) for place in wrong
        ], at


RECEIPT = LARGE.receipt(299)


def steps_of(receipt: bytes) -> list[set[str]]:
    """For each byte of a receipt the steps that may find it damaged."""
    lines = receipt.split(b"\n")
    leaf_ends = lines.index(b"")
    steps: list[set[str]] = []
    for number, line in enumerate(lines):
        wrong = {"form", "inclusion"} if number < leaf_ends else {"form", "checkpoint"}
        steps += [wrong if number else {"form"}] * (len(line) + 1)
    return steps[: len(receipt)]


@pytest.mark.requirement("R49", "R95")
@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_of_a_receipt_is_found_by_the_step_that_reads_it(
    bit: int,
) -> None:
    trust = LARGE.trust()
    for at, steps in enumerate(steps_of(RECEIPT)):
        damaged = RECEIPT[:at] + bytes([RECEIPT[at] ^ 1 << bit]) + RECEIPT[at + 1 :]
        with pytest.raises(VerificationError) as caught:
            verify_receipt(damaged, trust=trust)

        assert caught.value.step in steps, at


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
        assert found[0].entry in {entries_of(FILES, path)[at], None}


def test_the_undamaged_files_and_the_undamaged_receipt_hold() -> None:
    for log, files in ((LOG, FILES), (LARGE, LARGE_FILES)):
        assert (
            list(find_faults(MemorySource(files), trust=log.trust(pinned=True))) == []
        )
    assert len(LARGE.leaves) == 300
    assert verify_receipt(RECEIPT, trust=LARGE.trust(pinned=True)).index == 299
