"""Attacks on what entries say, each by its name, from leaf to state."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.core import canonical
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import LEAF_HEADER
from consentkit.log.leaf import read_leaf
from consentkit.log.note import sign_note

from .builder import ALICE
from .builder import BOB
from .builder import FOREIGN
from .builder import NOTICE
from .builder import OFFER
from .builder import SECOND
from .builder import START
from .builder import LogBuilder
from .builder import answer
from .builder import places

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
    log.revocation(ALICE)
    said_by_another(log, b'"subject"', b'"controller"')


def an_invalidation_by_the_person(log: LogBuilder, _: str) -> None:
    log.revocation(ALICE, answer("invalidated"), actor="authority")
    said_by_another(log, b'"authority"', b'"subject"')


def said_by_another(log: LogBuilder, actor: bytes, other: bytes) -> None:
    """Sign the last leaf again with another actor, which no honest signer would."""
    text = log.leaves.pop().partition(b"\n\n")[0] + b"\n"
    forged = text.replace(b'"actor":' + actor, b'"actor":' + other)
    assert forged != text
    log.append(sign_note(forged, log.collector))


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
    a_withdrawal_by_the_controller: ["leaf"],
    an_invalidation_by_the_person: ["leaf"],
    a_key_that_reaches_into_the_past: ["signature"],
    a_key_of_another_log: ["signature"],
    a_second_key_under_one_name: ["signature"],
    a_key_that_signs_itself_in: ["signature"],
    a_key_that_signs_too_early: ["signature"],
    a_key_that_signs_after_its_end: ["signature"],
    a_key_that_is_ended_after_the_fact: ["signature"],
}


@pytest.mark.requirement("R38", "R45", "R58", "R95", "R97")
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: str(attack.__name__))
def test_an_attack_is_found_at_its_entry_and_nowhere_else(
    attack: Callable[[LogBuilder, str], None],
) -> None:
    log = LogBuilder()
    attack(log, log.choice(ALICE))

    last = len(log.leaves) - 1
    assert places(log) == [(step, last) for step in ATTACKS[attack]]
