"""Receipts and promises, held against the log as it is now."""

from __future__ import annotations

import json

import pytest

from consentkit.audit.promise import compare_with_log
from consentkit.audit.promise import is_promise
from consentkit.audit.receipt import verify_receipt
from consentkit.audit.rules import MAX_DELAY_MS
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.audit.trust import Trust
from consentkit.errors import ConfigurationError
from consentkit.errors import InclusionError
from consentkit.errors import InvalidSignatureError
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import read_leaf
from consentkit.log.proof import TlogProof
from consentkit.log.proof import format_proof
from consentkit.log.proof import parse_proof

from .builder import ALICE
from .builder import BOB
from .builder import EVIDENCE
from .builder import FOREIGN
from .builder import START
from .builder import LogBuilder
from .builder import cosigned
from .builder import policy_of

NOW = START // 1_000


def grown(size: int) -> LogBuilder:
    log = LogBuilder()
    for number in range(size - len(log.leaves)):
        log.choice(f"{number:032x}")
    return log


@pytest.mark.requirement("R49")
@pytest.mark.parametrize("size", [4, 256, 257, 600])
def test_a_promise_that_was_kept_is_found_wherever_it_is(size: int) -> None:
    log = grown(size)
    source = log.source()
    for index in {3, size // 2, size - 1}:
        compared = compare_with_log(
            log.leaves[index], source=source, trust=log.trust(pinned=True)
        )

        assert compared.holds
        assert compared.receipt is not None
        assert compared.receipt.index == index
        assert compared.receipt.collector == log.collector.name


@pytest.mark.requirement("R49")
def test_a_receipt_is_borne_out_by_the_log_of_today() -> None:
    log = grown(9)
    receipt = log.receipt(4)
    log.choice(BOB)

    trust = log.trust(pinned=True)
    compared = compare_with_log(receipt, source=log.source(), trust=trust)

    assert compared.holds
    assert compared.receipt == verify_receipt(receipt, trust=trust)
    assert list(compared.lines())[-1] == "holds"


@pytest.mark.requirement("R49")
def test_a_receipt_that_the_log_contradicts_is_named_with_its_entry() -> None:
    log, other = grown(9), LogBuilder()
    other.choice(ALICE)
    receipt = other.receipt(3)

    compared = compare_with_log(receipt, source=log.source(), trust=log.trust())

    assert [(each.step, each.entry) for each in compared.findings] == [
        ("consistency", None),
        ("receipt", 3),
    ]
    value = compared.to_dict()
    assert value["holds"] is False
    assert value["receipt"]["index"] == 3
    assert json.loads(json.dumps(value)) == value
    text = "\n".join(compared.lines())
    assert "history, step receipt, entry 3: REWRITTEN" in text
    assert text.endswith("DOES NOT HOLD")


def test_a_promise_needs_the_key_of_its_collector() -> None:
    log = grown(4)

    with pytest.raises(ConfigurationError, match="collector's key"):
        compare_with_log(log.leaves[3], source=log.source(), trust=log.trust())


def test_a_promise_that_no_collector_made_is_no_promise() -> None:
    log = grown(4)
    log.choice(BOB, signer=FOREIGN)
    foreign = log.leaves.pop()
    changed = log.leaves[3].replace(b'"session"', b'"signed"')
    for promise, error in {
        foreign: UnknownKeyError,
        changed: InvalidSignatureError,
    }.items():
        assert is_promise(promise)
        with pytest.raises(error) as caught:
            compare_with_log(promise, source=log.source(), trust=log.trust(pinned=True))
        assert caught.value.step == "collector"


def test_a_promise_for_a_log_that_is_named_like_a_collector_is_none_for_this_one() -> (
    None
):
    log = grown(4)
    within = f"{log.origin}/collector/b"
    signer = Ed25519Signer.from_seed(f"{within}/collector/c", b"c" * 32)
    log.choice(BOB, signer=signer, log=within)
    trust = Trust.of([log.log_key.vkey, signer.vkey])

    with pytest.raises(InclusionError, match="expected a promise of") as caught:
        compare_with_log(log.leaves.pop(), source=log.source(), trust=trust)
    assert caught.value.step == "collector"


def test_a_promise_is_due_to_the_millisecond() -> None:
    log = grown(4)
    promise = log.leaves.pop()
    due = read_leaf(promise).time + MAX_DELAY_MS
    words = []
    for time in (due, due + 1):
        log.choice(BOB, time=time)
        (finding,) = compare_with_log(
            promise, source=log.source(), trust=log.trust(pinned=True)
        ).findings
        words.append(finding.what.partition(":")[0])
        log = grown(4)
        log.leaves.pop()

    assert words[0].startswith("record ")
    assert words[1] == "BREACH"


def test_a_log_that_says_nothing_about_the_time_breaks_no_promise() -> None:
    promise = grown(4).leaves[-1]
    empty = LogBuilder(begin=False)
    broken = grown(3)
    broken.append(b"no leaf")
    damaged = grown(3).source()
    damaged.unreadable.add("tile/entries/000.p/3")
    for source in (empty.source(), broken.source(), damaged):
        compared = compare_with_log(
            promise, source=source, trust=LogBuilder().trust(pinned=True)
        )

        (finding,) = compared.findings
        assert finding.proof is None
        assert compared.receipt is None
        assert "receipt" not in compared.to_dict()


def test_a_last_entry_that_is_not_in_the_tree_tells_no_time() -> None:
    promise, log, other = grown(4).leaves[-1], grown(3), grown(3)
    other.leaves.pop()
    other.time += MAX_DELAY_MS * 2
    other.choice(BOB)
    source = log.source()
    bundle = "tile/entries/000.p/3"
    source.files[bundle] = other.files()[bundle]

    (finding,) = compare_with_log(
        promise, source=source, trust=log.trust(pinned=True)
    ).findings

    assert finding.proof is None


def test_a_log_has_come_as_far_as_its_latest_quorum_saw_it() -> None:
    promise, log = grown(4).leaves[-1], grown(3)
    source = log.source()
    early = cosigned(log.checkpoint(), NOW, "ngo")
    late = NOW + MAX_DELAY_MS // 1_000 + 60
    source.files["checkpoint"] = cosigned(early, late, "press")
    for threshold, word in {"any": "BREACH", "all": "record"}.items():
        (finding,) = compare_with_log(
            promise,
            source=source,
            trust=log.trust(pinned=True),
            policy=policy_of("ngo", "press", threshold=threshold),
        ).findings

        assert finding.what.startswith(word)


def test_where_the_tiles_are_not_those_that_were_signed_nothing_is_said() -> None:
    log = grown(4)
    source = grown(5).source()
    source.files["checkpoint"] = log.checkpoint()
    source.files["tile/0/000.p/4"] = bytes(4 * 32)

    with pytest.raises(VerificationError, match="do not lead") as caught:
        compare_with_log(log.leaves[3], source=source, trust=log.trust(pinned=True))
    assert caught.value.step == "inclusion"

    del source.files["checkpoint"]
    with pytest.raises(VerificationError) as caught:
        compare_with_log(log.leaves[3], source=source, trust=log.trust(pinned=True))
    assert caught.value.step == "checkpoint"


def test_the_evidence_of_a_promise_is_shown_and_checked() -> None:
    log = grown(4)
    file = json.dumps({"disclosures": [each.encoded for each in EVIDENCE]}).encode()
    trust = log.trust(pinned=True)

    compared = compare_with_log(
        log.leaves[3], source=log.source(), trust=trust, disclosures=file
    )

    assert compared.receipt is not None
    assert compared.receipt.evidence["page"] == "/bill"
    with pytest.raises(VerificationError) as caught:
        compare_with_log(
            log.leaves[0], source=log.source(), trust=trust, disclosures=file
        )
    assert caught.value.step == "evidence"


def test_a_promise_in_a_log_without_its_quorum_does_not_hold() -> None:
    log = grown(4)
    source, policy = log.source(), policy_of("ngo")

    for note, steps in {
        log.checkpoint(): ["quorum"],
        cosigned(log.checkpoint(), NOW, "ngo"): [],
    }.items():
        source.files["checkpoint"] = note
        compared = compare_with_log(
            log.leaves[3], source=source, trust=log.trust(pinned=True), policy=policy
        )

        assert [each.step for each in compared.findings] == steps
        assert compared.holds is (steps == [])


def test_a_false_cosignature_tells_no_time() -> None:
    promise, log = grown(4).leaves[-1], grown(3)
    source = log.source()
    late = NOW + MAX_DELAY_MS
    moved = cosigned(log.checkpoint(2), late, "ngo")[len(log.checkpoint(2)) :]
    source.files["checkpoint"] += moved

    compared = compare_with_log(
        promise,
        source=source,
        trust=log.trust(pinned=True),
        policy=policy_of("ngo"),
    )

    assert [each.step for each in compared.findings] == ["quorum", "promise"]
    assert not any(each.proof for each in compared.findings)


# -- receipts by themselves, under a policy --------------------------------------------


def cosigned_receipt(time: int) -> bytes:
    """A receipt of Alice's answer whose checkpoint ``ngo`` cosigned then."""
    log = grown(3)
    log.choice(ALICE)
    proof = parse_proof(log.receipt(3))
    note = cosigned(proof.checkpoint, time, "ngo")
    return format_proof(TlogProof(proof.index, proof.proof, note, proof.extra))


@pytest.mark.requirement("R49", "R98")
def test_a_receipt_cosigned_much_later_than_it_claims_is_flagged() -> None:
    trust, policy = LogBuilder().trust(), policy_of("ngo")
    late = NOW + MAX_SKEW_MS // 1_000 + 60

    soon = verify_receipt(cosigned_receipt(NOW + 5), trust=trust, policy=policy)
    later = verify_receipt(cosigned_receipt(late), trust=trust, policy=policy)

    flag = "For the time before, there is nothing but the collector's word."
    assert flag not in soon.lines()
    edge = cosigned_receipt(NOW + 4 + MAX_SKEW_MS // 1_000)  # Alice answers at 4 s
    assert flag not in verify_receipt(edge, trust=trust, policy=policy).lines()
    assert flag in later.lines()
    by = "A quorum of witnesses had seen it by 1 January 2026, 00:00:05 UTC."
    assert by in soon.lines()
    assert soon.to_dict()["witnessed"] == NOW + 5


@pytest.mark.requirement("R98")
def test_a_receipt_from_after_its_own_cosignature_is_refused() -> None:
    early = NOW - MAX_SKEW_MS // 1_000

    with pytest.raises(VerificationError) as caught:
        verify_receipt(
            cosigned_receipt(early), trust=LogBuilder().trust(), policy=policy_of("ngo")
        )

    assert caught.value.step == "time window"


@pytest.mark.requirement("R98")
def test_a_receipt_may_be_younger_than_its_cosignature_by_the_skew_and_no_more() -> (
    None
):
    trust, policy = LogBuilder().trust(), policy_of("ngo")
    edge = NOW + 4 - MAX_SKEW_MS // 1_000  # Alice answers at 4 s

    assert verify_receipt(cosigned_receipt(edge), trust=trust, policy=policy)
    with pytest.raises(VerificationError) as caught:
        verify_receipt(cosigned_receipt(edge - 1), trust=trust, policy=policy)
    assert caught.value.step == "time window"


@pytest.mark.requirement("R98")
def test_a_receipt_that_the_quorum_did_not_cosign_is_refused() -> None:
    with pytest.raises(UnknownKeyError) as caught:
        verify_receipt(
            cosigned_receipt(NOW), trust=LogBuilder().trust(), policy=policy_of("press")
        )

    assert caught.value.step == "quorum"


def test_without_a_policy_the_witnesses_are_reported_as_not_checked() -> None:
    receipt = verify_receipt(cosigned_receipt(NOW), trust=LogBuilder().trust())

    assert receipt.to_dict()["witnessed"] == "not checked"
