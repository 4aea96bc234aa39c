"""Attacks by whoever holds the log's key, each by its name, and what finds it.

The log alone shows none of them: it is whole and signed. A checkpoint, a receipt, a
promise or a witness that the attacker does not control does.
"""

from __future__ import annotations

import pytest

from consentkit.audit.promise import compare_with_log
from consentkit.audit.report import Layer
from consentkit.audit.report import Verdict
from consentkit.audit.rules import MAX_DELAY_MS
from consentkit.audit.verify import verify_log
from consentkit.log.leaf import open_leaf
from consentkit.log.leaf import read_leaf
from consentkit.log.merkle import hash_leaf

from .builder import ALICE
from .builder import BOB
from .builder import LogBuilder
from .builder import cosigned
from .builder import policy_of
from .histories import NOW
from .histories import examined
from .histories import forged_log
from .histories import found
from .histories import honest_log
from .histories import opened
from .histories import pieces


@pytest.mark.requirement("R98")
def test_a_log_that_went_on_continues_every_checkpoint_and_receipt_kept_of_it() -> None:
    log = honest_log(later=20)
    early = honest_log(later=2)
    kept = [log.checkpoint(size) for size in range(len(log.leaves) + 1)]
    receipts = [early.receipt(index) for index in range(len(early.leaves))]

    report = examined(log.source(), *kept, *receipts).report()

    assert report.holds
    assert report.layers[Layer.HISTORY] is Verdict.HOLDS


def test_without_anything_kept_the_history_is_not_said_to_hold() -> None:
    report = examined(honest_log().source()).report()

    assert report.holds
    assert report.layers[Layer.HISTORY] is Verdict.NOT_CHECKED


@pytest.mark.requirement("R95", "R98")
def test_a_log_rewritten_and_signed_anew_passes_alone() -> None:
    assert verify_log(forged_log().source(), trust=LogBuilder().trust())
    assert found(forged_log().source()) == []


@pytest.mark.requirement("R95", "R98")
def test_a_log_rewritten_and_signed_anew_fails_against_one_old_checkpoint() -> None:
    old = honest_log().checkpoint(5)

    assert found(forged_log().source(), old) == ["consistency: REWRITTEN"]


@pytest.mark.requirement("R49", "R98")
def test_a_log_rewritten_and_signed_anew_fails_against_one_receipt() -> None:
    old = honest_log(later=1).receipt(3)

    assert found(forged_log().source(), old) == [
        "consistency: REWRITTEN",
        "receipt: REWRITTEN",
    ]
    finding = examined(forged_log().source(), old).report().findings[-1]
    assert finding.entry == 3


@pytest.mark.requirement("R49", "R95", "R98")
def test_an_entry_taken_out_is_missed_by_every_later_receipt() -> None:
    log, cut = honest_log(), LogBuilder()
    for number in range(3):
        cut.choice(f"{number:032x}")
    cut.choice(BOB)

    assert found(cut.source(), log.receipt(4)) == [
        "consistency: SPLIT VIEW",
        "receipt: REWRITTEN",
    ]


@pytest.mark.requirement("R95", "R98")
def test_the_newest_entries_deleted_is_called_truncated() -> None:
    log, cut = honest_log(), honest_log(later=0)

    assert found(cut.source(), log.checkpoint()) == ["consistency: TRUNCATED"]
    assert found(cut.source(), log.receipt(6)) == [
        "consistency: TRUNCATED",
        "receipt: TRUNCATED",
    ]
    assert found(cut.source(), log.receipt(3)) == ["consistency: TRUNCATED"]
    for index in range(4, 7):
        finding = examined(cut.source(), log.receipt(index)).report().findings[-1]
        assert (finding.step, finding.entry) == ("receipt", index)
        assert finding.what.startswith("TRUNCATED")


@pytest.mark.requirement("R98")
def test_of_many_kept_checkpoints_the_largest_tells_that_the_log_was_cut() -> None:
    log, cut = honest_log(), honest_log(later=0)
    kept = [log.checkpoint(size) for size in (3, 7, 5, 6)]

    (finding,) = examined(cut.source(), *kept).report().findings

    kept_too, left = "2 more that were kept say so", len(cut.leaves)
    assert f"had 7 entries ({kept_too}), it has {left} now" in finding.what


@pytest.mark.requirement("R49", "R98")
def test_a_log_cut_and_rewritten_still_fails_against_the_record_itself() -> None:
    old = honest_log().receipt(3)

    assert found(forged_log(later=0).source(), old) == [
        "consistency: TRUNCATED",
        "receipt: REWRITTEN",
    ]


@pytest.mark.requirement("R98")
def test_two_logs_of_one_size_are_called_a_split_view() -> None:
    theirs = honest_log().checkpoint()

    assert found(forged_log().source(), theirs) == ["consistency: SPLIT VIEW"]


@pytest.mark.requirement("R98")
def test_two_kept_checkpoints_of_one_size_convict_the_log_whatever_it_shows() -> None:
    two = [honest_log().checkpoint(5), forged_log().checkpoint(5)]

    assert found(honest_log().source(), *two) == ["consistency: SPLIT VIEW"]
    assert found(honest_log(later=0).source(), *two) == [
        "consistency: SPLIT VIEW",
        "consistency: SPLIT VIEW",
        "consistency: TRUNCATED",
    ]


@pytest.mark.requirement("R98")
def test_a_second_view_that_no_witness_cosigned_fails_the_policy() -> None:
    policy = policy_of("ngo", "regulator")
    shown = honest_log().source()
    shown.files["checkpoint"] = cosigned(
        shown.files["checkpoint"], NOW + 60, "ngo", "regulator"
    )

    report = examined(shown, policy=policy).report()
    assert report.layers[Layer.HISTORY] is Verdict.HOLDS
    (finding,) = examined(forged_log().source(), policy=policy).report().findings
    assert finding.step == "quorum"
    assert "the quorum 'all-of-them', got those of nobody" in finding.what


@pytest.mark.requirement("R97", "R98")
def test_a_stolen_log_key_signs_nothing_that_the_quorum_accepts() -> None:
    policy = policy_of("ngo", "regulator", "press", threshold="2")
    forged = forged_log().source()
    checkpoint = forged.files["checkpoint"]

    # The thief may run a witness of the same name, or repeat the one it has won over.
    other = cosigned(checkpoint, NOW, "stranger").replace(b"stranger", b"ngo")
    line = cosigned(checkpoint, NOW, "ngo")[len(checkpoint) :]
    twice = checkpoint + line + cosigned(checkpoint, NOW + 1, "ngo")[len(checkpoint) :]
    for note in (checkpoint, other, checkpoint + line, twice):
        forged.files["checkpoint"] = note

        (step,) = found(forged, policy=policy)
        assert step.startswith("quorum: expected cosignatures that make up")

    forged.files["checkpoint"] = cosigned(checkpoint, NOW, "ngo", "press")
    assert found(forged, policy=policy) == []


@pytest.mark.requirement("R98")
def test_a_cosignature_moved_from_another_checkpoint_spoils_the_note() -> None:
    good = honest_log().checkpoint()
    line = cosigned(good, NOW, "ngo")[len(good) :]
    forged = forged_log().source()
    forged.files["checkpoint"] += line

    assert found(forged, policy=policy_of("ngo")) == [
        "quorum: the signature of 'ngo.example' does not match what it stands under"
    ]


# -- entries with a date that witnesses contradict ------------------------------------


def backdated_log(by: int) -> LogBuilder:
    """A day after the first entries a yes is added that claims to be older."""
    log = LogBuilder()
    log.time += 86_400_000
    log.choice(ALICE, time=log.time - by)
    return log


@pytest.mark.requirement("R98")
def test_a_backdated_entry_lies_outside_its_window() -> None:
    log = backdated_log(by=23 * 3_600_000)
    evening = cosigned(log.checkpoint(3), NOW + 80_000, "ngo")
    source = log.source()
    source.files["checkpoint"] = cosigned(
        source.files["checkpoint"], NOW + 90_000, "ngo"
    )

    assert found(source) == []
    (finding,) = examined(source, evening, policy=policy_of("ngo")).report().findings

    assert (finding.layer, finding.step, finding.entry) == (
        Layer.HISTORY,
        "time window",
        3,
    )
    assert "before the log was cosigned without it" in finding.what
    assert ALICE not in finding.what


@pytest.mark.requirement("R98")
def test_an_entry_dated_ahead_lies_outside_its_window_too() -> None:
    log = honest_log()
    source = log.source()
    source.files["checkpoint"] = cosigned(log.checkpoint(), NOW - 3_600, "ngo")

    findings = examined(source, policy=policy_of("ngo")).report().findings

    assert [each.entry for each in findings] == list(range(len(log.leaves)))
    assert all("after the log was cosigned with it" in each.what for each in findings)


# -- promises that were not kept ------------------------------------------------------


def promised() -> tuple[LogBuilder, bytes]:
    """A log with Alice's answer as its last entry, and what she was handed at once."""
    log = honest_log()
    log.choice(ALICE)
    return log, log.leaves[-1]


@pytest.mark.requirement("R49", "R98")
def test_a_promise_dropped_on_the_floor_is_a_breach_once_the_log_has_gone_on() -> None:
    _, promise = promised()
    log = honest_log()
    log.time += MAX_DELAY_MS + 5_000
    log.choice(BOB)

    compared = compare_with_log(
        promise, source=log.source(), trust=log.trust(pinned=True)
    )

    (finding,) = compared.findings
    assert not compared.holds
    assert finding.step == "promise"
    assert finding.what.startswith("BREACH: record ")
    assert f"it is in none of the log's {len(log.leaves)} entries" in finding.what
    (kind, due), first, second = pieces(finding)
    leaf = open_leaf(first, [log.collector.verifier])
    assert (kind, due) == ("BREACH", f"due {leaf.time + MAX_DELAY_MS}")
    assert first == promise
    assert leaf.hash not in map(hash_leaf, log.leaves)
    assert opened(second).size == len(log.leaves)
    assert leaf.time + MAX_DELAY_MS < read_leaf(log.leaves[-1]).time


@pytest.mark.requirement("R49", "R98")
def test_a_promise_dropped_is_a_breach_when_witnesses_saw_the_log_without_it() -> None:
    _, promise = promised()
    source = honest_log().source()
    late = (read_leaf(promise).time + MAX_DELAY_MS) // 1_000 + 1
    source.files["checkpoint"] = cosigned(source.files["checkpoint"], late, "ngo")

    compared = compare_with_log(
        promise,
        source=source,
        trust=LogBuilder().trust(pinned=True),
        policy=policy_of("ngo"),
    )

    (finding,) = compared.findings
    assert "(a quorum cosigned it then)" in finding.what
    assert finding.proof is not None


@pytest.mark.requirement("R49")
def test_a_promise_that_is_not_due_is_no_breach() -> None:
    _, promise = promised()
    log = honest_log()

    compared = compare_with_log(
        promise, source=log.source(), trust=log.trust(pinned=True)
    )

    (finding,) = compared.findings
    assert not compared.holds
    assert "no breach before then" in finding.what
    assert finding.proof is None
