"""A receipt is checked with nothing but itself and keys from outside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consentkit.audit import receipt
from consentkit.audit.receipt import VerifiedReceipt
from consentkit.audit.receipt import verify_receipt
from consentkit.audit.report import format_time
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.audit.timestamps import TimeStamp
from consentkit.audit.trust import Trust
from consentkit.errors import InclusionError
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.keys import Ed25519Signer
from consentkit.log.proof import TlogProof
from consentkit.log.proof import format_proof
from consentkit.log.proof import parse_proof

from .builder import ALICE
from .builder import BOB
from .builder import EVIDENCE
from .builder import NOTICE
from .builder import LogBuilder
from .builder import answer
from .builder import whole_log

LOG = LogBuilder()
LOG.choice(ALICE, answer(data=["contacts", "spending"]))
LOG.choice(BOB, answer("refused"))
RECEIPT = LOG.receipt(3)
SHOWN = [disclosure.encoded for disclosure in EVIDENCE]
DIGESTS = [disclosure.digest for disclosure in EVIDENCE]


def file_of(**value: Any) -> bytes:
    return json.dumps(value, indent=1).encode()


def step_of(data: bytes, trust: Trust, **options: bytes) -> tuple[str, type]:
    with pytest.raises(VerificationError) as caught:
        verify_receipt(data, trust=trust, **options)
    return caught.value.step, type(caught.value)


@pytest.mark.requirement("R47", "R48", "R49")
def test_a_receipt_holds_and_says_where_it_stands_in_the_log() -> None:
    receipt = verify_receipt(RECEIPT, trust=LOG.trust(pinned=True))

    assert receipt.index == 3
    assert receipt.leaf.data == LOG.leaves[3]
    assert (receipt.checkpoint.origin, receipt.checkpoint.size) == (LOG.origin, 5)
    assert receipt.collector == LOG.collector.name


@pytest.mark.requirement("R48")
def test_every_leaf_of_a_log_has_a_receipt_that_holds() -> None:
    log = whole_log()
    for index in range(len(log.leaves)):
        receipt = verify_receipt(log.receipt(index), trust=log.trust(pinned=True))

        assert receipt.index == index
        assert list(receipt.lines())


@pytest.mark.requirement("R48")
def test_a_receipt_with_any_byte_flipped_is_refused() -> None:
    for at in range(len(RECEIPT)):
        data = bytearray(RECEIPT)
        data[at] ^= 1 << at % 8

        with pytest.raises(VerificationError):
            verify_receipt(bytes(data), trust=LOG.trust())


@pytest.mark.requirement("R48")
def test_without_a_collector_key_its_signature_is_reported_as_not_checked() -> None:
    receipt = verify_receipt(RECEIPT, trust=LOG.trust())

    assert receipt.collector is None
    assert receipt.to_dict()["collector"] == "not checked"
    assert "Collector's signature: not checked" in receipt.lines()


def test_a_receipt_by_a_collector_other_than_the_given_one_is_refused() -> None:
    other = Ed25519Signer.from_seed(f"{LOG.origin}/collector/b", b"b" * 32)
    trust = Trust.of([LOG.log_key.vkey, other.vkey])

    assert step_of(RECEIPT, trust) == ("collector", UnknownKeyError)


def test_a_receipt_of_another_log_is_refused() -> None:
    other = LogBuilder("wallet.example/consent/2025")

    assert step_of(other.receipt(2), LOG.trust()) == ("checkpoint", UnknownKeyError)


def test_a_record_moved_into_another_log_makes_no_receipt() -> None:
    log = LogBuilder("wallet.example/consent/2025")
    log.append(LOG.leaves[3])

    assert step_of(log.receipt(3), log.trust()) == ("inclusion", InclusionError)


def replaced(**parts: Any) -> bytes:
    """The good receipt with one part of it replaced."""
    proof = parse_proof(RECEIPT)
    return format_proof(
        TlogProof(
            **{
                "index": proof.index,
                "proof": proof.proof,
                "checkpoint": proof.checkpoint,
                "extra": proof.extra,
                **parts,
            }
        )
    )


OTHER_KEY = Ed25519Signer.from_seed(LOG.origin, b"o" * 32)
FORGED: dict[str, tuple[bytes, str, type[VerificationError]]] = {
    "nothing": (b"", "form", MalformedError),
    "no leaf": (replaced(extra=None), "form", MalformedError),
    "a leaf that is none": (replaced(extra=b"given"), "form", MalformedError),
    "another leaf": (replaced(extra=LOG.leaves[4]), "inclusion", InclusionError),
    "another index": (replaced(index=2), "inclusion", InclusionError),
    "an index past the end": (replaced(index=5), "inclusion", InclusionError),
    "a hash too few": (
        replaced(proof=parse_proof(RECEIPT).proof[:-1]),
        "inclusion",
        InclusionError,
    ),
    "an older checkpoint": (
        replaced(checkpoint=LogBuilder().files()["checkpoint"]),
        "inclusion",
        InclusionError,
    ),
    "a changed checkpoint": (
        RECEIPT.replace(b"\n5\n", b"\n6\n"),
        "checkpoint",
        InvalidSignatureError,
    ),
}


@pytest.mark.requirement("R48", "R49")
@pytest.mark.parametrize("case", FORGED)
def test_a_forged_receipt_is_refused_at_the_step_that_shows_it(case: str) -> None:
    data, step, error = FORGED[case]

    assert step_of(data, LOG.trust()) == (step, error)


@pytest.mark.requirement("R49")
def test_a_receipt_still_holds_when_the_log_has_gone_on() -> None:
    log = LogBuilder()
    log.choice()
    early = log.receipt(3)
    log.revocation()

    assert verify_receipt(early, trust=log.trust()).checkpoint.size == 4
    assert verify_receipt(log.receipt(3), trust=log.trust()).checkpoint.size == 5


def test_evidence_is_shown_whole_or_in_part() -> None:
    whole = file_of(disclosures=SHOWN, receipt_id="0" * 32, tlog_proof=None)
    part = file_of(disclosures=SHOWN[:1], withheld=DIGESTS[1:])

    receipt = verify_receipt(RECEIPT, trust=LOG.trust(), disclosures=whole)
    assert receipt.evidence == {"locale": "en-GB", "page": "/bill"}
    receipt = verify_receipt(RECEIPT, trust=LOG.trust(), disclosures=part)
    assert receipt.evidence == {"locale": "en-GB"}
    assert "Evidence shown: 'locale' = 'en-GB'" in receipt.lines()


BAD_EVIDENCE = {
    "nothing": b"",
    "a list": b"[]",
    "no disclosures": file_of(withheld=DIGESTS),
    "no list": file_of(disclosures="x"),
    "numbers": file_of(disclosures=[1]),
    "one too few": file_of(disclosures=SHOWN[:1]),
    "one twice": file_of(disclosures=SHOWN + SHOWN[:1]),
    "another digest": file_of(disclosures=SHOWN[:1], withheld=["A" * 43]),
    "not UTF-8": b"\xff{}",
    "nested without end": b"[" * 100_000,
    "not base64url": file_of(disclosures=["?"]),
}


@pytest.mark.parametrize("case", BAD_EVIDENCE)
def test_evidence_that_the_leaf_does_not_commit_to_is_refused(case: str) -> None:
    step, _ = step_of(RECEIPT, LOG.trust(), disclosures=BAD_EVIDENCE[case])

    assert step == "evidence"


def test_a_leaf_that_commits_to_no_evidence_takes_none() -> None:
    step, _ = step_of(LOG.receipt(0), LOG.trust(), disclosures=file_of(disclosures=[]))

    assert step == "evidence"


@pytest.mark.requirement("R47")
def test_a_receipt_says_in_plain_words_what_the_person_said() -> None:
    yes = "\n".join(verify_receipt(RECEIPT, trust=LOG.trust()).lines())
    no = "\n".join(verify_receipt(LOG.receipt(4), trust=LOG.trust()).lines())

    assert "On 1 January 2026, 00:00:04 UTC" in yes
    assert "said YES" in yes
    assert "contacts, spending" in yes
    assert "1 January 2027, 00:00:00 UTC" in yes
    assert NOTICE in yes
    assert "said NO" in no
    assert "until" not in no
    for text in (yes, no):
        assert "credit-score" in text
        assert "acme-credit" in text


def test_a_date_beyond_the_calendar_is_still_written() -> None:
    log = LogBuilder()
    log.choice(ALICE, answer(until=2**53 - 1))

    lines = list(verify_receipt(log.receipt(3), trust=log.trust()).lines())

    assert any("9007199254740991 ms after 1970" in line for line in lines)


@pytest.mark.requirement("R47")
def test_the_machine_readable_form_holds_the_leaf_and_its_place() -> None:
    value = verify_receipt(RECEIPT, trust=LOG.trust(pinned=True)).to_dict()

    assert json.loads(json.dumps(value)) == value
    assert value["leaf"]["choices"][0]["state"] == "given"
    assert value["index"] == 3
    assert value["collector"] == LOG.collector.name


@pytest.mark.requirement("R47")
def test_the_machine_readable_form_names_all_that_was_checked_and_what_was_not() -> (
    None
):
    shown = file_of(disclosures=SHOWN)
    checked = verify_receipt(RECEIPT, trust=LOG.trust(), disclosures=shown)

    value = checked.to_dict()

    assert value.pop("leaf") == dict(checked.leaf.body)
    assert value == {
        "checkpoint": {
            "origin": LOG.origin,
            "root": checked.checkpoint.root.hex(),
            "size": 5,
        },
        "collector": "not checked",
        "evidence": {"locale": "en-GB", "page": "/bill"},
        "index": 3,
        "stamped": "not checked",
        "witnessed": "not checked",
    }


def test_a_record_without_an_answer_is_told_by_its_kind_alone() -> None:
    log = whole_log()
    denial = next(i for i, leaf in enumerate(log.leaves) if b'"kind":"denial"' in leaf)

    lines = list(verify_receipt(log.receipt(denial), trust=log.trust()).lines())

    assert lines[1:] == [
        "  is named in a record of the kind denial",
        f"Record {denial:032x}, entry {denial} of {log.origin}",
        f"in the tree of {len(log.leaves)} entries that the log signed.",
        "Collector's signature: not checked",
    ]


def test_an_answer_is_told_with_how_far_it_is_proven_and_not_by_its_kind() -> None:
    lines = list(verify_receipt(RECEIPT, trust=LOG.trust()).lines())

    assert "How far the person's own part is proven: session." in lines
    assert not any("record of the kind" in line for line in lines)


def stamped_before(by: int, monkeypatch: pytest.MonkeyPatch) -> VerifiedReceipt:
    """Alice's receipt, with a stamp that an authority gave so many ms before it."""
    moment = LOG.time - 1_000 - by  # Alice answered a second before Bob
    monkeypatch.setattr(receipt, "open_timestamp", lambda *_, **__: moment)
    stamp = TimeStamp(b"a reply", b"roots")
    return verify_receipt(RECEIPT, trust=LOG.trust(), stamp=stamp)


def test_a_record_may_be_younger_than_its_stamp_by_the_skew_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checked = stamped_before(MAX_SKEW_MS, monkeypatch)

    assert checked.stamped is not None
    told = f"An authority time-stamped it at {format_time(checked.stamped)}."
    assert told in checked.lines()
    assert checked.to_dict()["stamped"] == checked.stamped
    with pytest.raises(VerificationError) as caught:
        stamped_before(MAX_SKEW_MS + 1, monkeypatch)
    assert caught.value.step == "time window"
