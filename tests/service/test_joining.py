"""A joint consent: the child's yes and the guardian's, or no yes at all."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import State
from consentkit.core.age import age_rule_of
from consentkit.core.decision import Reason
from consentkit.core.representative import Representative
from consentkit.errors import InvalidRequestError
from consentkit.service.choosing import Answer
from tests.declared import SCORE
from tests.declared import registry
from tests.service.families import COMES_OF_AGE
from tests.service.families import KIM
from tests.service.families import PARENT
from tests.service.families import Family
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORDERS: dict[str, tuple[Representative | None, Representative | None]] = {
    "the child first": (None, PARENT),
    "the parent first": (PARENT, None),
}
BOTH = Answer(State.GIVEN, frozenset({"city"}))


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    """The score is for both to agree to."""
    purposes = [replace(SCORE, joint=True)]
    wallet = Wallet(tmp_path, declared=registry(purposes=purposes))
    yield Family(wallet)
    wallet.prove()


def state(leaf_choices: list[dict[str, object]]) -> object:
    (choice,) = leaf_choices
    return choice["state"]


@pytest.mark.requirement("R82")
@pytest.mark.parametrize(("first", "second"), ORDERS.values(), ids=ORDERS)
def test_one_yes_of_two_is_none_and_both_are_one(
    family: Family, first: Representative | None, second: Representative | None
) -> None:
    one = family.answers(first)
    assert state(one.body["choices"]) == "requested"
    assert family.wallet.check(KIM, CREDIT_SCORE).reason is Reason.NOT_ASKED

    two = family.answers(second)
    assert state(two.body["choices"]) == "given"
    assert family.wallet.check(KIM, CREDIT_SCORE)


@pytest.mark.requirement("R57", "R82")
def test_who_agrees_anew_waits_for_the_other_and_the_recipient_hears_of_it(
    family: Family,
) -> None:
    family.answers(PARENT)
    family.answers()
    family.wallet.share(KIM, CREDIT_SCORE, {"spending"})

    family.answers(PARENT)
    assert not family.wallet.check(KIM, CREDIT_SCORE)
    (told,) = family.wallet.sql(
        "SELECT body FROM consent_delivery WHERE recipient = 'acme-credit'"
    )
    (ended,) = json.loads(told[0])["data"]["ended"]
    assert ended["state"] == "requested"

    family.answers()
    assert family.wallet.check(KIM, CREDIT_SCORE)


@pytest.mark.requirement("R82")
@pytest.mark.parametrize("who", [None, PARENT])
def test_either_of_the_two_takes_it_back(
    family: Family, who: Representative | None
) -> None:
    family.answers(PARENT)
    family.answers()
    assert family.wallet.check(KIM, CREDIT_SCORE)

    family.stops(who)
    assert family.wallet.check(KIM, CREDIT_SCORE).reason is Reason.WITHDRAWN
    family.answers(who)
    assert not family.wallet.check(KIM, CREDIT_SCORE)


@pytest.mark.requirement("R82")
@pytest.mark.parametrize("who", [None, PARENT])
def test_the_same_yes_twice_is_still_one_of_two(
    family: Family, who: Representative | None
) -> None:
    family.answers(who)
    family.answers(who)
    assert not family.wallet.check(KIM, CREDIT_SCORE)


@pytest.mark.requirement("R82")
@pytest.mark.parametrize(("first", "second"), ORDERS.values(), ids=ORDERS)
def test_a_no_between_them_ends_the_wait(
    family: Family, first: Representative | None, second: Representative | None
) -> None:
    family.answers(first)
    family.answers(first, said=State.REFUSED)
    family.answers(second)
    assert not family.wallet.check(KIM, CREDIT_SCORE)


def test_only_the_data_that_both_agreed_to_is_covered(family: Family) -> None:
    form = family.wallet.form(KIM, {CREDIT_SCORE: BOTH})
    family.wallet.submit(form)
    family.answers(PARENT)

    assert family.wallet.check(KIM, CREDIT_SCORE, {"spending"})
    assert not family.wallet.check(KIM, CREDIT_SCORE, {"spending", "city"})


def test_a_yes_waits_no_longer_than_it_would_have_held(family: Family) -> None:
    family.answers(PARENT)
    family.births[KIM] = family.births[KIM].replace(year=2020)
    family.wallet.clock.now += 365 * 86_400_000
    family.answers()
    assert not family.wallet.check(KIM, CREDIT_SCORE)


def test_a_joint_yes_is_the_persons_to_confirm_when_they_come_of_age(
    family: Family,
) -> None:
    family.answers(PARENT)
    family.answers()
    family.wallet.clock.now = COMES_OF_AGE
    reason = Reason.GUARDIAN_REAFFIRMATION_NEEDED
    assert family.wallet.check(KIM, CREDIT_SCORE).reason is reason

    family.answers()
    assert family.wallet.check(KIM, CREDIT_SCORE)


def test_a_profile_can_ask_for_both_of_every_purpose(wallet: Wallet) -> None:
    family = Family(wallet)
    family.live_by(age_rule_of("FR"))
    family.births[KIM] = family.births[KIM].replace(year=2012)
    family.answers()
    assert not wallet.check(KIM, CREDIT_SCORE)
    family.answers(PARENT)
    assert wallet.check(KIM, CREDIT_SCORE)


def test_grown_up_people_agree_alone_to_a_joint_purpose(family: Family) -> None:
    family.wallet.clock.now = COMES_OF_AGE
    family.answers()
    assert family.wallet.check(KIM, CREDIT_SCORE)


@pytest.mark.parametrize(("first", "second"), ORDERS.values(), ids=ORDERS)
def test_each_form_that_is_sent_twice_is_one_act(
    family: Family, first: Representative | None, second: Representative | None
) -> None:
    notice = family.wallet.notice("credit-score").digest
    for who, letter in ((first, "a"), (second, "b")):
        form = {"notice": notice, "challenge": letter * 64}
        assert family.answers(who, **form) == family.answers(who, **form)
        with pytest.raises(InvalidRequestError, match="another answer"):
            family.answers(who, said=State.REFUSED, **form)
