"""Disclosures that rest on nothing, each by its name, and one that is lawful."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .builder import ALICE
from .builder import BOB
from .builder import FOREIGN
from .builder import START
from .builder import YEAR
from .builder import LogBuilder
from .builder import answer
from .builder import places

# Each attack spoils a log after its first four entries: genesis, key, notice, and a
# yes of Alice with the id given. The finding is expected at the entry added last.


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


ATTACKS: dict[Callable[[LogBuilder, str], None], list[str]] = {
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
}


@pytest.mark.requirement("R45", "R56", "R75", "R79")
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
    log.disclosure(log.choice(BOB, signer=FOREIGN), BOB)

    assert places(log) == [("signature", 3), ("grant", 4)]


@pytest.mark.requirement("R56", "R75")
def test_a_share_before_the_withdrawal_stays_lawful() -> None:
    log = LogBuilder()
    log.disclosure(log.choice())
    log.revocation()

    assert places(log) == []
