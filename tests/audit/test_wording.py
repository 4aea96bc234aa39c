"""What a finding says: the entries, names and files that an auditor goes to next."""

from __future__ import annotations

import pytest

from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.audit.trust import Trust
from consentkit.audit.verify import find_faults
from consentkit.log.keys import Ed25519Signer
from consentkit.log.tiles import encode_bundle

from .builder import ALICE
from .builder import BOB
from .builder import LogBuilder
from .builder import MemorySource
from .builder import answer
from .builder import published

SIGNER = Ed25519Signer.from_seed("logs.example/one", bytes([9]) * 32)


def findings(log: LogBuilder, *layers: Layer) -> list[Finding]:
    return list(
        find_faults(log.source(), trust=log.trust(), layers=layers or tuple(Layer))
    )


def said(log: LogBuilder) -> str:
    """The text of the only finding."""
    (finding,) = findings(log)
    return finding.what


def tree_of(size: int, *sizes: int) -> dict[str, bytes]:
    """A log of ``size`` tiny entries that are no leaves of ours."""
    return published([b"%d" % number for number in range(size)], SIGNER, *sizes)


def of_tree(files: dict[str, bytes]) -> list[tuple[str, int | None, str]]:
    """Step, entry and text of what the log layer finds."""
    found = find_faults(
        MemorySource(files), trust=Trust.of([SIGNER.vkey]), layers=[Layer.LOG]
    )
    return [(finding.step, finding.entry, finding.what) for finding in found]


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


# -- the records layer ----------------------------------------------------------------


def test_a_leaf_after_an_erasure_is_told_which_entry_erased() -> None:
    log = LogBuilder()
    log.erasure(ALICE)
    log.choice(ALICE)

    assert said(log) == "the subject was erased by entry 3"


def test_a_broken_chain_names_the_leaf_that_prev_had_to_be_of() -> None:
    log = LogBuilder()
    log.choice(ALICE)
    log.revocation(ALICE, prev="f" * 64)

    assert said(log) == "prev is not the hash of the subject's leaf with seq 0"


def test_a_time_that_ran_back_is_told_in_milliseconds() -> None:
    log = LogBuilder()
    latest = log.time + 5_000_000
    log.choice(ALICE, time=latest)
    log.choice(BOB, time=latest - MAX_SKEW_MS - 7)

    assert said(log) == (
        f"its time is {MAX_SKEW_MS + 7} ms before an earlier entry's; "
        f"{MAX_SKEW_MS} ms are allowed"
    )


def test_a_stopped_share_names_the_entry_that_stopped_it() -> None:
    log = LogBuilder()
    record = log.choice(ALICE)
    log.suspension("suspend", purpose="credit-score")
    log.suspension("suspend", purpose="credit-score")
    log.disclosure(record)

    assert said(log) == "entry 4 had stopped this sharing"


def test_a_share_beyond_its_grant_names_the_grant() -> None:
    log = LogBuilder()
    log.disclosure(log.choice(ALICE), data=["contacts"])

    assert said(log) == "the grant in entry 3 does not cover this data"


def test_a_choice_beyond_its_notice_names_the_question() -> None:
    log = LogBuilder()
    log.choice(ALICE, answer(scope="6" * 64))

    assert said(log) == (
        "credit-score / acme-credit: the scope is not the one in the notice"
    )


def test_a_log_without_a_collector_key_is_told_so() -> None:
    log = LogBuilder(begin=False)
    log.genesis()

    assert said(log) == (
        "the log does not register a collector key; nothing after it was checked"
    )


def test_rubbish_in_place_of_the_first_key_is_named_as_entry_1() -> None:
    log = LogBuilder(begin=False)
    log.genesis()
    log.append(b"\n")

    first, last = findings(log)

    assert (first.step, first.entry) == ("leaf", 1)
    assert first.what not in {"None", ""}
    assert last.what == (
        "entry 1 does not register a collector key; nothing after it was checked"
    )


def test_a_first_key_of_another_log_is_named() -> None:
    log = LogBuilder(begin=False)
    log.genesis()
    log.key(Ed25519Signer.from_seed("evil.example/collector/a1", b"e" * 32), 0)

    first, last = findings(log)

    assert first.what == (
        "'evil.example/collector/a1' is not the name of a collector of this log"
    )
    assert last.what.startswith("entry 1 does not register a collector key; ")


def test_a_bundle_that_ends_the_examination_is_named_with_its_fault() -> None:
    log = LogBuilder()
    source = log.source()
    source.files["tile/entries/000.p/3"] += b"\0"

    (finding,) = find_faults(source, trust=log.trust(), layers=[Layer.RECORDS])

    assert finding.what.startswith("tile/entries/000.p/3: ")
    assert finding.what.endswith("; nothing after it was checked")
    assert "None" not in finding.what


def test_what_is_no_leaf_is_told_what_was_expected_of_it() -> None:
    log = LogBuilder()
    log.append(b"given")

    assert "newline" in said(log)


def test_an_entry_that_nobody_known_signed_names_both_sides() -> None:
    log = LogBuilder()
    foreign = Ed25519Signer.from_seed(f"{log.origin}/collector/x", b"x" * 32)
    log.choice(BOB, signer=foreign)

    what = said(log)

    assert f"expected a signature of {log.collector.name}+" in what
    assert f"got only {foreign.name}+" in what


# -- the log layer --------------------------------------------------------------------


def test_an_entry_that_changed_names_its_tile_and_its_place_there() -> None:
    files = tree_of(260)
    entries = [b"256", b"257", b"x", b"259"]
    files["tile/entries/001.p/4"] = encode_bundle(entries)

    assert of_tree(files) == [
        (
            "entries",
            258,
            "the entry does not hash to what tile/0/001.p/4 holds in place 2",
        )
    ]


def test_a_tile_that_changed_names_the_tile_below() -> None:
    files = tree_of(600)
    files["tile/1/000.p/2"] = flipped(files["tile/1/000.p/2"], 32)

    assert of_tree(files) == [
        (
            "tree",
            None,
            "tile/1/000.p/2 does not hold in place 1 what tile/0/001 hashes to",
        ),
        ("root", None, "the tree does not hash to the signed root"),
    ]


def test_a_tile_of_a_wrong_length_is_told_both_lengths() -> None:
    files = tree_of(3)
    files["tile/0/000.p/3"] = files["tile/0/000.p/3"][:-1]

    assert of_tree(files) == [
        ("tiles", None, "tile/0/000.p/3: expected 96 bytes, got 95")
    ]


def test_a_bundle_that_is_not_there_is_no_entrys_fault() -> None:
    files = tree_of(3)
    del files["tile/entries/000.p/3"]

    ((step, entry, what),) = of_tree(files)

    assert (step, entry) == ("entries", None)
    assert what == "tile/entries/000.p/3 is not there"


def test_a_bundle_cut_after_an_entry_misses_the_next_one() -> None:
    files = tree_of(10)
    files["tile/entries/000.p/10"] = encode_bundle([b"%d" % n for n in range(7)])

    ((step, entry, what),) = of_tree(files)

    assert (step, entry) == ("entries", 7)
    assert what.startswith("tile/entries/000.p/10: ")
    assert what.endswith("; in front of this entry all is in order")


LEFT_OVER = {
    "a hash": ("tile/0/000.p/12", 32 * 7, 7),
    "a hash's last byte": ("tile/0/000.p/12", 32 * 8 - 1, 7),
    "a hash of the second tile": ("tile/0/001.p/4", 32 * 2, 258),
    "an entry of the second bundle": ("tile/entries/001.p/4", 5 * 3 - 1, 258),
    "a hash of no one entry": ("tile/1/000.p/1", 0, None),
}


@pytest.mark.parametrize("case", LEFT_OVER)
def test_a_left_over_file_that_disagrees_names_its_entry(case: str) -> None:
    path, at, entry = LEFT_OVER[case]
    files = tree_of(600, 12, 260)
    files[path] = flipped(files[path], at)

    ((step, where, what),) = of_tree(files)

    newer = {
        "tile/0/000.p/12": "tile/0/000",
        "tile/0/001.p/4": "tile/0/001",
        "tile/entries/001.p/4": "tile/entries/001",
        "tile/1/000.p/1": "tile/1/000.p/2",
    }[path]
    assert (step, where) == ("layout", entry)
    assert what == f"{path} says otherwise than {newer}"


def test_a_left_over_bundle_with_bytes_behind_its_entries_is_no_entrys_fault() -> None:
    files = tree_of(20, 12)
    files["tile/entries/000.p/12"] += b"\0"

    assert [(step, entry) for step, entry, _ in of_tree(files)] == [("layout", None)]


def test_a_tile_of_a_level_that_the_tree_has_not_is_named() -> None:
    files = {**tree_of(10), "tile/1/000.p/1": bytes(32)}

    ((step, entry, what),) = of_tree(files)

    assert (step, entry) == ("layout", None)
    assert what.startswith("tile/1/000.p/1 is of a larger tree than the checkpoint's")


def test_an_answer_that_ended_as_it_began_is_told() -> None:
    log = LogBuilder()
    log.choice(ALICE, answer(until=log.time + 1_000))

    assert said(log) == "the grant ends before it begins"


def test_times_that_creep_back_are_measured_from_the_latest() -> None:
    log = LogBuilder()
    latest = log.time + 5_000_000
    log.choice(ALICE, time=latest)
    log.choice(BOB, time=latest - 1)
    log.choice("c" * 32, time=latest - MAX_SKEW_MS - 1)

    assert said(log).startswith(f"its time is {MAX_SKEW_MS + 1} ms before ")
