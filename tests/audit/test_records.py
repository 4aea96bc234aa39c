"""The records layer: how a log begins, who may sign it, what is said of faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consentkit.audit.report import Layer
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.audit.trust import Trust
from consentkit.audit.verify import find_faults
from consentkit.audit.verify import verify_log
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf

from .builder import ALICE
from .builder import BOB
from .builder import FOREIGN
from .builder import OFFER
from .builder import SCOPE
from .builder import SECOND
from .builder import LogBuilder
from .builder import answer
from .builder import places
from .builder import whole_log


def said(log: LogBuilder) -> str:
    """The text of the only finding."""
    (finding,) = find_faults(log.source(), trust=log.trust())
    return finding.what


@pytest.mark.requirement("R95", "R97")
def test_a_valid_log_with_every_kind_of_leaf_holds_and_is_counted() -> None:
    log = whole_log()

    verified = verify_log(log.source(), trust=log.trust(pinned=True))

    assert verified.size == len(log.leaves) == sum(verified.kinds.values())
    assert verified.kinds["choice"] == 3
    assert verified.assurances == {"asserted": 1, "confirmed": 1, "session": 3}


def test_an_empty_log_holds() -> None:
    log = LogBuilder(begin=False)

    assert verify_log(log.source(), trust=log.trust()).kinds == {}


@pytest.mark.requirement("R97")
def test_collector_keys_rotate_and_old_entries_stay_verifiable() -> None:
    log = LogBuilder()
    log.choice(ALICE)
    log.key(SECOND, 5)
    log.key(log.collector, 0, until=6, signer=SECOND)
    log.revocation(ALICE, signer=SECOND)

    assert places(log) == []
    assert places(log, log.trust(pinned=True)) == []


@pytest.mark.requirement("R97")
def test_a_key_registered_right_after_the_first_signs_what_follows() -> None:
    log = LogBuilder(begin=False)
    log.genesis()
    log.key(log.collector, 0)
    log.key(SECOND, 3)
    log.add("admin", action="login", target="dpo", evidence="e" * 64, signer=SECOND)

    assert places(log) == []


def test_keys_of_other_roles_say_nothing_about_who_may_sign_entries() -> None:
    log = LogBuilder()
    log.key(FOREIGN, 4, role="partner")
    log.choice(BOB, signer=FOREIGN)

    assert places(log) == [("signature", 4)]


@pytest.mark.requirement("R97")
def test_a_log_whose_first_collector_is_not_the_pinned_one_is_refused() -> None:
    log = LogBuilder()
    trust = Trust.of([log.log_key.vkey, FOREIGN.vkey])

    assert places(log, trust) == [("signature", 1), ("leaf", None)]
    with pytest.raises(UnknownKeyError) as caught:
        verify_log(log.source(), trust=trust)
    assert (caught.value.step, caught.value.entry) == ("signature", 1)


BEGINNINGS: dict[str, list[Any]] = {
    "nothing but a genesis": ["genesis"],
    "a key before the genesis": ["key", "genesis"],
    "no key": ["genesis", "notice"],
    "a key of another role": ["genesis", "partner"],
    "a key that begins later": ["genesis", "late"],
    "a key of another log": ["genesis", "foreign"],
    "rubbish": ["genesis", "rubbish"],
}


@pytest.mark.parametrize("case", BEGINNINGS)
def test_a_log_that_does_not_begin_with_genesis_and_key_is_not_followed(
    case: str,
) -> None:
    log = LogBuilder(begin=False)
    elsewhere = Ed25519Signer.from_seed("evil.example/collector/a1", b"e" * 32)
    make: dict[str, Callable[[], None]] = {
        "genesis": log.genesis,
        "key": lambda: log.key(log.collector, 0),
        "notice": log.notice,
        "partner": lambda: log.key(log.collector, 0, role="partner"),
        "late": lambda: log.key(log.collector, 1),
        "foreign": lambda: log.key(elsewhere, 0),
        "rubbish": lambda: log.append(b"\n"),
    }
    for part in BEGINNINGS[case]:
        make[part]()
    if len(log.leaves) > 1:
        log.choice()

    found = list(find_faults(log.source(), trust=log.trust(), layers=[Layer.RECORDS]))

    assert found
    assert found[-1].what.endswith("nothing after it was checked")


def test_a_genesis_signed_by_somebody_else_is_refused() -> None:
    log = LogBuilder(begin=False)
    log.add("genesis", signer=FOREIGN, controller="wallet")
    log.key(log.collector, 0)

    assert places(log) == [("signature", 0)]


def test_a_bundle_that_cannot_be_split_ends_the_examination_of_records() -> None:
    log = LogBuilder()
    for _ in range(256):
        log.denial()
    source = log.source()
    source.files["tile/entries/000"] += b"\0"

    found = list(find_faults(source, trust=log.trust(), layers=[Layer.RECORDS]))

    assert [(finding.step, finding.entry) for finding in found] == [("leaf", None)]


def test_times_may_run_back_within_the_allowance() -> None:
    log = LogBuilder()
    log.choice(ALICE)
    log.choice(BOB, time=log.time - MAX_SKEW_MS)

    assert places(log) == []


def test_what_is_found_says_what_was_expected_and_what_came() -> None:
    log = LogBuilder()
    log.choice()
    log.revocation(seq=2, prev="f" * 64)
    assert said(log) == "expected seq 1, got 2"

    log = LogBuilder()
    record = log.choice()
    log.revocation()
    log.disclosure(record)
    assert said(log) == "the person's answer was withdrawn at that point"

    log = LogBuilder()
    log.append(LogBuilder("wallet.example/consent/2025").leaves[2])
    assert said(log) == (
        "expected a record of 'wallet.example/consent/2026', "
        "got one of 'wallet.example/consent/2025'"
    )


def test_the_first_fault_keeps_its_type() -> None:
    log = LogBuilder()
    log.append(log.leaves[2].replace(b'"en"', b'"de"'))
    with pytest.raises(InvalidSignatureError):
        verify_log(log.source(), trust=log.trust())

    log = LogBuilder()
    log.append(b"given")
    with pytest.raises(MalformedError):
        verify_log(log.source(), trust=log.trust())

    log = LogBuilder()
    log.disclosure(log.choice(), data=["contacts", "spending"])
    with pytest.raises(VerificationError, match="does not cover this data"):
        verify_log(log.source(), trust=log.trust())


def test_a_separate_answer_for_a_recipient_abroad_is_a_question_of_its_own() -> None:
    abroad = {**OFFER, "purpose": "credit-score.cross-border", "scope": SCOPE}
    log = LogBuilder()
    log.notice("d" * 64, [OFFER, abroad])
    log.choice(
        ALICE, answer(), answer(purpose="credit-score.cross-border"), notice="d" * 64
    )

    assert places(log) == []


def test_a_leaf_without_its_signature_line_is_no_leaf() -> None:
    log = LogBuilder()
    log.append(sign_leaf(read_leaf(log.leaves[2]).body, log.collector)[:-120])

    assert [step for step, _ in places(log)] == ["leaf"]
