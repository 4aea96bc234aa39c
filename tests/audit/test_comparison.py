"""What a receipt or promise is told beside the log of today, in words and as JSON."""

from __future__ import annotations

import json

import pytest

from consentkit.audit.promise import Comparison
from consentkit.audit.promise import compare_with_log
from consentkit.audit.report import Layer
from consentkit.audit.rules import MAX_DELAY_MS
from consentkit.errors import InclusionError
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.policy import Policy
from consentkit.log.proof import TlogProof
from consentkit.log.proof import format_proof
from consentkit.log.proof import parse_proof

from .builder import BOB
from .builder import EVIDENCE
from .builder import START
from .builder import LogBuilder
from .builder import MemorySource
from .builder import cosigned
from .builder import policy_of
from .histories import forged_log
from .histories import honest_log

NOW = START // 1_000
FILE = json.dumps({"disclosures": [each.encoded for each in EVIDENCE]}).encode()


def compared(
    data: bytes,
    source: MemorySource,
    *,
    policy: Policy | None = None,
    disclosures: bytes | None = None,
    pinned: bool = True,
) -> Comparison:
    trust = LogBuilder().trust(pinned=pinned)
    return compare_with_log(
        data, source=source, trust=trust, policy=policy, disclosures=disclosures
    )


def broken(size: int) -> tuple[bytes, LogBuilder]:
    """A promise, and a log of that size that passed its time without it."""
    log = honest_log(later=0)
    promise = log.leaves.pop()
    while len(log.leaves) < size - 1:
        log.denial(BOB)
    log.add(
        "admin",
        action="login",
        target="dpo",
        evidence="e" * 64,
        time=log.time + MAX_DELAY_MS * 2,
    )
    return promise, log


@pytest.mark.requirement("R49")
def test_the_evidence_of_a_receipt_is_shown_and_checked_beside_the_log() -> None:
    log = honest_log()

    found = compared(log.receipt(3), log.source(), disclosures=FILE)

    assert found.receipt is not None
    assert found.receipt.evidence["page"] == "/bill"
    with pytest.raises(VerificationError) as caught:
        compared(log.receipt(0), log.source(), disclosures=FILE)
    assert caught.value.step == "evidence"


@pytest.mark.requirement("R98")
def test_a_policy_is_asked_of_the_receipt_and_of_the_log_of_today() -> None:
    log, policy = honest_log(), policy_of("ngo")
    source = log.source()
    proof = parse_proof(log.receipt(3))
    note = cosigned(proof.checkpoint, NOW + 60, "ngo")
    good = format_proof(TlogProof(proof.index, proof.proof, note, proof.extra))

    with pytest.raises(UnknownKeyError) as caught:
        compared(log.receipt(3), source, policy=policy)
    assert caught.value.step == "quorum"

    assert [each.step for each in compared(good, source, policy=policy).findings] == [
        "quorum"
    ]
    source.files["checkpoint"] = note
    found = compared(good, source, policy=policy)
    assert found.holds
    assert found.receipt is not None
    assert found.receipt.to_dict()["witnessed"] == NOW + 60


def test_two_views_are_named_by_what_they_were_read_from() -> None:
    found = compared(honest_log().receipt(4), forged_log().source())

    (finding,) = found.findings
    assert finding.what == (
        "SPLIT VIEW: the receipt and checkpoint are both signed for 7 entries, "
        "with different roots"
    )
    assert not found.holds


@pytest.mark.requirement("R49")
def test_a_kept_promise_is_as_good_as_a_receipt_from_the_log_of_today() -> None:
    log = honest_log()

    found = compared(log.leaves[3], log.source())

    assert found == compared(log.receipt(3), log.source())
    assert found.to_dict()["findings"] == []
    assert list(found.lines())[-1] == "holds"


def test_without_a_collectors_key_the_verdict_says_what_was_not_checked() -> None:
    log = honest_log()

    *_, verdict = compared(log.receipt(3), log.source(), pinned=False).lines()

    assert verdict == (
        "holds (the collector's signature was not checked: give its --key)"
    )


@pytest.mark.requirement("R49")
@pytest.mark.parametrize("size", [5, 255, 256, 257, 258])
def test_a_broken_promise_is_told_with_the_entry_that_came_too_late(size: int) -> None:
    promise, log = broken(size)

    found = compared(promise, log.source())

    (finding,) = found.findings
    assert (finding.layer, finding.step, finding.entry, finding.cause) == (
        Layer.HISTORY,
        "promise",
        None,
        InclusionError,
    )
    assert f"(that is the time of its entry {size - 1})" in finding.what
    assert f"it is in none of the log's {size} entries" in finding.what
    assert list(found.lines()) == [*finding.lines(), "DOES NOT HOLD"]
    assert found.to_dict()["findings"] == [finding.to_dict()]
    assert found.to_dict().keys() == {"findings", "holds", "log"}
    assert not found.holds


def test_a_promise_in_a_log_that_tells_no_time_is_no_breach_under_a_policy() -> None:
    promise = honest_log(later=0).leaves[-1]
    empty = LogBuilder(begin=False).source()

    quorum, finding = compared(promise, empty, policy=policy_of("ngo")).findings

    assert quorum.step == "quorum"
    assert finding.what.endswith("is not there yet; that is no breach before then")
    assert finding.cause is InclusionError


@pytest.mark.requirement("R49")
def test_it_is_told_against_which_log_a_receipt_was_held() -> None:
    log = honest_log()

    found = compared(log.receipt(3), log.source())

    line = next(each for each in found.lines() if each.startswith("Held against"))
    size = len(log.leaves)
    assert f"the log as it is now: {size} entries, newest checkpoint with" in line
    told = found.to_dict()["log"]
    assert (told["origin"], told["size"]) == (log.origin, size)
    assert told["root"] in line
    alone = Comparison(found.receipt, ())
    assert alone.to_dict()["log"] is None
    assert not [each for each in alone.lines() if each.startswith("Held against")]
