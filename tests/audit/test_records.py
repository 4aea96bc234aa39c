"""The records layer: attacks on what a log says, each by its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consentkit.audit.report import Layer
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.audit.trust import Trust
from consentkit.audit.verify import find_faults
from consentkit.audit.verify import verify_log
from consentkit.core import canonical
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import LEAF_HEADER
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.log.note import sign_note

from .builder import ALICE
from .builder import BOB
from .builder import NOTICE
from .builder import OFFER
from .builder import SCOPE
from .builder import START
from .builder import YEAR
from .builder import LogBuilder
from .builder import answer
from .builder import whole_log

FOREIGN = Ed25519Signer.from_seed("wallet.example/consent/2026/collector/x", b"x" * 32)
SECOND = Ed25519Signer.from_seed("wallet.example/consent/2026/collector/a2", b"2" * 32)


def places(log: LogBuilder, trust: Trust | None = None) -> list[tuple[str, int | None]]:
    """Step and entry of each finding; the log layer has to be content."""
    found = list(find_faults(log.source(), trust=trust or log.trust()))
    assert {finding.layer for finding in found} <= {Layer.RECORDS}
    return [(finding.step, finding.entry) for finding in found]


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


# Each attack spoils a log after its first four entries: genesis, key, notice, and a
# yes of Alice with the id given. The finding is expected at the entry added last.


def moved_from_another_log(log: LogBuilder, _: str) -> None:
    other = LogBuilder("wallet.example/consent/2025")
    other.choice(BOB)
    log.append(other.leaves[-1])


def moved_from_a_log_that_is_named_like_a_collector(log: LogBuilder, _: str) -> None:
    within = f"{log.origin}/collector/b"
    signer = Ed25519Signer.from_seed(f"{within}/collector/c", b"c" * 32)
    log.key(signer, 4)
    log.choice(BOB, signer=signer, log=within)


def signed_by_a_foreign_collector(log: LogBuilder, _: str) -> None:
    log.choice(BOB, signer=FOREIGN)


def signed_by_the_log_key(log: LogBuilder, _: str) -> None:
    text = read_leaf(log.leaves[3]).data.partition(b"\n\n")[0] + b"\n"
    log.append(sign_note(text, log.log_key))


def a_collectors_name_on_a_wrong_signature(log: LogBuilder, _: str) -> None:
    log.append(log.leaves[3].replace(b'"session"', b'"signed"'))


def json_in_another_spelling(log: LogBuilder, _: str) -> None:
    text = log.leaves[3].partition(b"\n\n")[0].replace(b'":', b'": ', 1) + b"\n"
    log.append(sign_note(text, log.collector))


def a_newer_kind_of_leaf(log: LogBuilder, _: str) -> None:
    body = {**read_leaf(log.leaves[3]).body, "kind": "blanket-consent"}
    log.append(
        sign_note(LEAF_HEADER + b"\n" + canonical.encode(body) + b"\n", log.collector)
    )


def a_note_that_is_no_leaf(log: LogBuilder, _: str) -> None:
    log.append(sign_note(b"consentkit/leaf@v2\n{}\n", log.collector))


def no_note_at_all(log: LogBuilder, _: str) -> None:
    log.append(b"given")


def a_second_genesis(log: LogBuilder, _: str) -> None:
    log.genesis()


def an_entry_after_the_closure(log: LogBuilder, _: str) -> None:
    log.add("closure", reason="period-over")
    log.choice(BOB)


def an_id_used_twice(log: LogBuilder, record: str) -> None:
    log.choice(BOB, id=record)


def a_form_sent_twice(log: LogBuilder, _: str) -> None:
    challenge = read_leaf(log.leaves[3]).body["challenge"]
    log.choice(BOB, challenge=challenge)


def a_seq_left_out(log: LogBuilder, _: str) -> None:
    log.revocation(ALICE, seq=2, prev="f" * 64)


def a_seq_taken_twice(log: LogBuilder, _: str) -> None:
    log.revocation(ALICE, seq=0, prev="")


def a_history_that_forks(log: LogBuilder, _: str) -> None:
    log.revocation(ALICE, prev="f" * 64)


def a_person_who_appears_out_of_nowhere(log: LogBuilder, _: str) -> None:
    log.choice(BOB, seq=1, prev="f" * 64)


def an_erased_person_who_agrees(log: LogBuilder, _: str) -> None:
    log.erasure(ALICE)
    log.choice(ALICE)


def a_date_in_the_past(log: LogBuilder, _: str) -> None:
    log.choice(BOB, time=log.time - MAX_SKEW_MS - 1)


def a_notice_nobody_logged(log: LogBuilder, _: str) -> None:
    log.choice(BOB, notice="d" * 64)


def a_recipient_the_notice_did_not_name(log: LogBuilder, _: str) -> None:
    log.choice(BOB, answer(recipient="shop"))


def a_purpose_the_notice_did_not_name(log: LogBuilder, _: str) -> None:
    log.choice(BOB, answer("refused", purpose="offers"))


def a_scope_the_notice_did_not_name(log: LogBuilder, _: str) -> None:
    log.choice(BOB, answer(scope="6" * 64))


def data_the_notice_did_not_name(log: LogBuilder, _: str) -> None:
    log.choice(BOB, answer(data=["location", "spending"]))


def needed_data_left_out(log: LogBuilder, _: str) -> None:
    log.choice(BOB, answer(data=["contacts"]))


def one_notice_with_two_meanings(log: LogBuilder, _: str) -> None:
    log.notice(NOTICE, [{**OFFER, "optional": []}])


def a_grant_that_ends_before_it_begins(log: LogBuilder, _: str) -> None:
    log.choice(BOB, answer(until=START))


def a_grant_that_the_controller_gave_itself(log: LogBuilder, _: str) -> None:
    log.choice(BOB, actor="controller")


def a_session_without_a_person(log: LogBuilder, _: str) -> None:
    log.choice(BOB, channel="server")


def an_import_that_undoes_a_withdrawal(log: LogBuilder, _: str) -> None:
    log.revocation(ALICE)
    log.bring_in(ALICE)


def an_operator_who_undoes_a_refusal(log: LogBuilder, _: str) -> None:
    log.choice(BOB, answer("refused"))
    log.choice(BOB, assurance="asserted", channel="operator", actor="controller")


def a_renewal_of_nothing(log: LogBuilder, _: str) -> None:
    log.choice(BOB, answer("renewed"))


def a_withdrawal_by_the_controller(log: LogBuilder, _: str) -> None:
    log.revocation(ALICE, actor="controller")


def an_invalidation_by_the_person(log: LogBuilder, _: str) -> None:
    log.revocation(ALICE, answer("invalidated"))


def a_share_without_a_question(log: LogBuilder, record: str) -> None:
    log.disclosure(record, BOB)


def a_share_with_another_recipient(log: LogBuilder, record: str) -> None:
    log.disclosure(record, recipient="acme-bank")


def a_share_for_another_purpose(log: LogBuilder, record: str) -> None:
    log.disclosure(record, purpose="credit-score.cross-border")


def a_share_after_a_refusal(log: LogBuilder, _: str) -> None:
    log.disclosure(log.choice(BOB, answer("refused")), BOB)


def a_share_after_a_withdrawal(log: LogBuilder, record: str) -> None:
    log.revocation(ALICE)
    log.disclosure(record)


def a_share_after_an_invalidation(log: LogBuilder, record: str) -> None:
    log.revocation(ALICE, answer("invalidated"), actor="controller")
    log.disclosure(record)


def a_share_of_wider_data(log: LogBuilder, record: str) -> None:
    log.disclosure(record, data=["contacts", "spending"])


def a_share_of_nothing_named(log: LogBuilder, record: str) -> None:
    log.disclosure(record, data=[])


def a_share_at_the_instant_of_expiry(log: LogBuilder, record: str) -> None:
    log.disclosure(record, time=START + YEAR)


def a_share_under_another_scope(log: LogBuilder, record: str) -> None:
    log.disclosure(record, scope="6" * 64)


def a_share_on_a_record_that_was_replaced(log: LogBuilder, record: str) -> None:
    log.choice(ALICE, answer("renewed"))
    log.disclosure(record)


def a_share_that_quotes_another_leaf(log: LogBuilder, record: str) -> None:
    log.disclosure(record, grant="f" * 64)


def a_share_on_a_forged_grant(log: LogBuilder, _: str) -> None:
    forged = log.choice(BOB, signer=FOREIGN)
    log.disclosure(forged, BOB)


def a_share_after_erasure(log: LogBuilder, record: str) -> None:
    log.erasure(ALICE)
    log.disclosure(record)


def a_share_while_its_purpose_is_suspended(log: LogBuilder, record: str) -> None:
    log.suspension("suspend", purpose="credit-score")
    log.disclosure(record)


def a_share_while_its_recipient_is_suspended(log: LogBuilder, record: str) -> None:
    log.suspension("suspend", recipient="acme-credit")
    log.disclosure(record)


def a_share_while_all_is_suspended(log: LogBuilder, record: str) -> None:
    log.suspension("suspend")
    log.suspension("resume", "credit-score")
    log.disclosure(record)


def a_batch_while_it_is_suspended(log: LogBuilder, _: str) -> None:
    log.suspension("suspend", "credit-score", "acme-credit")
    log.batch()


def a_key_that_reaches_into_the_past(log: LogBuilder, _: str) -> None:
    log.key(SECOND, 0)


def a_key_of_another_log(log: LogBuilder, _: str) -> None:
    log.key(Ed25519Signer.from_seed("evil.example/collector/a1", b"e" * 32), 5)


def a_second_key_under_one_name(log: LogBuilder, _: str) -> None:
    log.key(Ed25519Signer.from_seed(log.collector.name, b"e" * 32), 5)


def a_key_that_signs_itself_in(log: LogBuilder, _: str) -> None:
    vkey = FOREIGN.vkey
    log.add("key", signer=FOREIGN, role="collector", vkey=vkey, **{"from": 4})


def a_key_that_signs_too_early(log: LogBuilder, _: str) -> None:
    log.key(SECOND, 6)
    log.choice(BOB, signer=SECOND)


def a_key_that_signs_after_its_end(log: LogBuilder, _: str) -> None:
    log.key(SECOND, 4)
    log.key(log.collector, 0, until=6)
    log.choice(BOB)


def a_key_that_is_ended_after_the_fact(log: LogBuilder, _: str) -> None:
    log.key(SECOND, 4)
    log.key(log.collector, 0, until=3, signer=SECOND)


ATTACKS: dict[Callable[[LogBuilder, str], None], list[str]] = {
    moved_from_another_log: ["log"],
    moved_from_a_log_that_is_named_like_a_collector: ["log"],
    signed_by_a_foreign_collector: ["signature"],
    signed_by_the_log_key: ["signature", "chain"],
    a_collectors_name_on_a_wrong_signature: ["signature", "chain"],
    json_in_another_spelling: ["leaf"],
    a_newer_kind_of_leaf: ["leaf"],
    a_note_that_is_no_leaf: ["leaf"],
    no_note_at_all: ["leaf"],
    a_second_genesis: ["order"],
    an_entry_after_the_closure: ["order"],
    an_id_used_twice: ["unique"],
    a_form_sent_twice: ["unique"],
    a_seq_left_out: ["chain"],
    a_seq_taken_twice: ["chain"],
    a_history_that_forks: ["chain"],
    a_person_who_appears_out_of_nowhere: ["chain"],
    an_erased_person_who_agrees: ["chain"],
    a_date_in_the_past: ["time"],
    a_notice_nobody_logged: ["notice"],
    a_recipient_the_notice_did_not_name: ["notice"],
    a_purpose_the_notice_did_not_name: ["notice"],
    a_scope_the_notice_did_not_name: ["notice"],
    data_the_notice_did_not_name: ["notice"],
    needed_data_left_out: ["notice"],
    one_notice_with_two_meanings: ["notice"],
    a_grant_that_ends_before_it_begins: ["state"],
    a_grant_that_the_controller_gave_itself: ["state"],
    a_session_without_a_person: ["state"],
    an_import_that_undoes_a_withdrawal: ["state"],
    an_operator_who_undoes_a_refusal: ["state"],
    a_renewal_of_nothing: ["state"],
    a_withdrawal_by_the_controller: ["state"],
    an_invalidation_by_the_person: ["state"],
    a_share_without_a_question: ["grant"],
    a_share_with_another_recipient: ["grant"],
    a_share_for_another_purpose: ["grant"],
    a_share_after_a_refusal: ["grant"],
    a_share_after_a_withdrawal: ["grant"],
    a_share_after_an_invalidation: ["grant"],
    a_share_of_wider_data: ["grant"],
    a_share_of_nothing_named: ["grant"],
    a_share_at_the_instant_of_expiry: ["grant"],
    a_share_under_another_scope: ["grant"],
    a_share_on_a_record_that_was_replaced: ["grant"],
    a_share_that_quotes_another_leaf: ["grant"],
    a_share_after_erasure: ["chain", "grant"],
    a_share_while_its_purpose_is_suspended: ["suspension"],
    a_share_while_its_recipient_is_suspended: ["suspension"],
    a_share_while_all_is_suspended: ["suspension"],
    a_batch_while_it_is_suspended: ["suspension"],
    a_key_that_reaches_into_the_past: ["signature"],
    a_key_of_another_log: ["signature"],
    a_second_key_under_one_name: ["signature"],
    a_key_that_signs_itself_in: ["signature"],
    a_key_that_signs_too_early: ["signature"],
    a_key_that_signs_after_its_end: ["signature"],
    a_key_that_is_ended_after_the_fact: ["signature"],
}


@pytest.mark.requirement("R38", "R56", "R58", "R75", "R79", "R95", "R97")
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: str(attack.__name__))
def test_an_attack_is_found_at_its_entry_and_nowhere_else(
    attack: Callable[[LogBuilder, str], None],
) -> None:
    log = LogBuilder()
    attack(log, log.choice(ALICE))

    last = len(log.leaves) - 1
    assert places(log) == [(step, last) for step in ATTACKS[attack]]


@pytest.mark.requirement("R79")
def test_a_share_on_a_forged_grant_is_found_besides_the_forgery() -> None:
    log = LogBuilder()
    a_share_on_a_forged_grant(log, log.choice(ALICE))

    assert places(log) == [("signature", 4), ("grant", 5)]


@pytest.mark.requirement("R56", "R75")
def test_a_share_before_the_withdrawal_stays_lawful() -> None:
    log = LogBuilder()
    log.disclosure(log.choice())
    log.revocation()

    assert places(log) == []


@pytest.mark.requirement("R97")
def test_collector_keys_rotate_and_old_entries_stay_verifiable() -> None:
    log = LogBuilder()
    log.choice(ALICE)
    log.key(SECOND, 5)
    log.key(log.collector, 0, until=6, signer=SECOND)
    log.revocation(ALICE, signer=SECOND)

    assert places(log) == []
    assert places(log, log.trust(pinned=True)) == []


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
    a_seq_left_out(log, log.choice())
    assert said(log) == "expected seq 1, got 2"

    log = LogBuilder()
    a_share_after_a_withdrawal(log, log.choice())
    assert said(log) == "the person's answer was withdrawn at that point"

    log = LogBuilder()
    moved_from_another_log(log, log.choice())
    assert said(log) == (
        "expected a record of 'wallet.example/consent/2026', "
        "got one of 'wallet.example/consent/2025'"
    )


@pytest.mark.requirement("R45")
def test_no_finding_quotes_a_persons_handle() -> None:
    for attack in ATTACKS:
        log = LogBuilder()
        attack(log, log.choice(ALICE))

        for finding in find_faults(log.source(), trust=log.trust()):
            assert ALICE not in finding.what
            assert BOB not in finding.what


def test_the_first_fault_keeps_its_type() -> None:
    log = LogBuilder()
    a_collectors_name_on_a_wrong_signature(log, log.choice())
    with pytest.raises(InvalidSignatureError):
        verify_log(log.source(), trust=log.trust())

    log = LogBuilder()
    json_in_another_spelling(log, log.choice())
    with pytest.raises(MalformedError):
        verify_log(log.source(), trust=log.trust())

    log = LogBuilder()
    a_share_of_wider_data(log, log.choice())
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
