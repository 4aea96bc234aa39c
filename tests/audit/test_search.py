"""A log is searched for leaves by their bytes, bundle by bundle."""

from __future__ import annotations

from consentkit.audit.search import search_leaves

from .builder import ALICE
from .builder import BOB
from .builder import LogBuilder
from .builder import MemorySource


def long_log() -> LogBuilder:
    """Alice's answers at 3 and 600; in the bundle between, nothing of hers."""
    log = LogBuilder()
    log.choice(ALICE)
    while len(log.leaves) < 600:
        log.denial(BOB)
    log.choice(ALICE)
    log.denial(BOB)
    return log


def of_alice(data: bytes) -> bool:
    return ALICE.encode() in data


def places(source: MemorySource, size: int) -> list[int]:
    return [index for index, _ in search_leaves(source, size, of_alice)]


def test_leaves_behind_entries_and_bundles_that_do_not_matter_are_found() -> None:
    log = long_log()

    assert places(log.source(), len(log.leaves)) == [3, 600]


def test_a_bundle_that_cannot_be_split_hides_no_other() -> None:
    log = long_log()
    source = log.source()
    source.files["tile/entries/000"] += b"\0"

    assert places(source, len(log.leaves)) == [600]


def test_an_entry_that_is_no_leaf_hides_no_other() -> None:
    log = LogBuilder()
    log.append(b"a word of " + ALICE.encode())
    log.choice(ALICE)

    assert places(log.source(), len(log.leaves)) == [4]
