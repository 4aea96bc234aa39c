"""Somebody lets somebody else answer: about some purposes, for a while, and visibly."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.core.representative import Representative
from consentkit.errors import InvalidRequestError
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.representing import delegate
from consentkit.service.representing import end_delegation
from consentkit.service.revoking import Ending
from consentkit.service.revoking import revoke
from consentkit.store.representing import Delegation
from tests.declared import OFFERS
from tests.declared import SCORE
from tests.declared import registry
from tests.service.families import KIM
from tests.service.families import Family
from tests.service.forgotten import found
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import NEW_YEAR
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet

LEE = "lee.delegate.of.kim"
DELEGATE = Representative(KIM, by=LEE, actor="delegate", label="Kim")
END = NEW_YEAR + 30 * DAY


@pytest.fixture
def family(wallet: Wallet) -> Family:
    """Kim is grown up here, and lets Lee see to the credit score."""
    family = Family(wallet)
    family.births[KIM] = family.births[KIM].replace(year=1990)
    return family


def lets(family: Family, *purposes: str, until: int = END, to: str = LEE) -> Delegation:
    return delegate(
        family.wallet.installation,
        KIM,
        to=to,
        label="Lee",
        purposes=purposes or ("credit-score",),
        until=until,  # type: ignore[arg-type]  milliseconds
    )


def refused(
    family: Family, key: tuple[str, str] = CREDIT_SCORE, said: State = State.GIVEN
) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        family.answers(DELEGATE, key, said)
    return caught.value.code


@pytest.mark.requirement("R84", "R40")
def test_a_delegate_answers_what_was_left_to_them_and_the_act_names_it(
    family: Family,
) -> None:
    given = lets(family)
    leaf = family.answers(DELEGATE)

    assert leaf.body["actor"] == "delegate"
    assert family.facts(leaf)["representative"] == {
        "actor": "delegate",
        "by": LEE,
        "delegation": given.id,
    }
    assert family.wallet.check(KIM, CREDIT_SCORE)


@pytest.mark.requirement("R84")
def test_a_delegate_can_do_nothing_outside_of_it(family: Family) -> None:
    assert refused(family) == "not-delegated"
    lets(family)
    assert refused(family, SHOPS) == "not-delegated"
    assert refused(family, SHOPS, State.REFUSED) == "not-delegated"
    somebody_else = replace(DELEGATE, by="max")
    with pytest.raises(InvalidRequestError, match="not left this to you"):
        family.answers(somebody_else)


@pytest.mark.requirement("R84")
def test_a_delegation_ends_at_its_end(family: Family) -> None:
    lets(family)
    family.wallet.clock.now = END - 1
    assert family.answers(DELEGATE)
    family.wallet.clock.now = END
    assert refused(family) == "not-delegated"


@pytest.mark.requirement("R84")
def test_when_it_is_taken_back_later_acts_are_refused_and_earlier_ones_stay(
    family: Family,
) -> None:
    given = lets(family)
    family.answers(DELEGATE)

    end_delegation(family.wallet.installation, KIM, given.id)

    assert refused(family) == "not-delegated"
    with pytest.raises(InvalidRequestError, match="not left this to you"):
        revoke(family.wallet.installation, Ending(KIM, representative=DELEGATE))
    assert family.wallet.check(KIM, CREDIT_SCORE)
    (line,) = family.wallet.installation.representations.delegations(KIM)
    assert line.ended == NEW_YEAR


def test_only_the_person_takes_a_delegation_back(family: Family) -> None:
    given = lets(family)
    end_delegation(family.wallet.installation, "max", given.id)
    assert family.answers(DELEGATE)


def test_the_end_that_was_said_first_is_the_one_that_is_shown(family: Family) -> None:
    given = lets(family)
    for _ in range(2):
        end_delegation(family.wallet.installation, KIM, given.id)
        family.wallet.clock.now += DAY
    (line,) = family.wallet.installation.representations.delegations(KIM)
    assert line.ended == NEW_YEAR


@pytest.mark.requirement("R84")
def test_a_delegate_stops_only_what_was_left_to_them(family: Family) -> None:
    lets(family)
    family.answers(DELEGATE)
    family.answers(None, SHOPS)

    with pytest.raises(InvalidRequestError, match="not left this to you"):
        revoke(family.wallet.installation, Ending(KIM, representative=DELEGATE))
    ending = Ending(KIM, "credit-score", representative=DELEGATE)
    assert revoke(family.wallet.installation, ending).ended == (CREDIT_SCORE,)
    assert family.wallet.check(KIM, SHOPS)


NO_DELEGATIONS = {
    "about nothing": {"purposes": ("nothing",)},
    "that is over already": {"until": NEW_YEAR},
    "to oneself": {"to": KIM},
    "to nobody by name": {"label": " "},
    "with a label of two lines": {"label": "Lee\nof Kim"},
    "with a letter for a label": {"label": "L" * 201},
}


@pytest.mark.parametrize("wrong", NO_DELEGATIONS.values(), ids=NO_DELEGATIONS)
def test_a_delegation_has_a_scope_an_end_and_somebody_else(
    family: Family, wrong: dict[str, object]
) -> None:
    asked = {"to": LEE, "label": "Lee", "purposes": ("credit-score",), "until": END}
    with pytest.raises(InvalidRequestError) as caught:
        delegate(family.wallet.installation, KIM, **{**asked, **wrong})  # type: ignore[arg-type]  as above
    assert caught.value.code == "delegation"
    assert family.wallet.sql("SELECT * FROM consent_delegation") == []


@pytest.mark.requirement("R33", "R84")
def test_what_only_the_person_can_confirm_is_not_left_to_anybody(
    tmp_path: Path,
) -> None:
    twice = registry(purposes=[replace(SCORE, two_stage=True), OFFERS])
    family = Family(Wallet(tmp_path, declared=twice))
    family.births[KIM] = date(1990, 3, 1)

    with pytest.raises(InvalidRequestError, match="leave out credit-score") as caught:
        lets(family, "credit-score", "shop-offers")
    assert caught.value.code == "delegation"
    assert lets(family, "shop-offers")


def test_a_child_cannot_let_somebody_agree_for_them(wallet: Wallet) -> None:
    family = Family(wallet)
    with pytest.raises(InvalidRequestError, match="too young"):
        lets(family)


def test_a_delegate_agrees_to_nothing_for_who_is_found_to_be_a_child(
    family: Family,
) -> None:
    lets(family)
    family.births[KIM] = family.births[KIM].replace(year=2012)
    assert refused(family) == "too-young"
    assert family.answers(DELEGATE, said=State.REFUSED)


@pytest.mark.requirement("R92")
@pytest.mark.parametrize("who", [KIM, LEE])
def test_an_erasure_takes_the_delegations_of_a_person_and_those_to_them(
    family: Family, who: str
) -> None:
    """Lee never answered anything for themselves: the log knows no such person."""
    lets(family)
    erase(family.wallet.installation, Erasing(who, "request"))

    assert family.wallet.sql("SELECT * FROM consent_delegation") == []
    assert not found(family.wallet, {"id": LEE.encode()})
    if who == LEE:
        assert refused(family) == "not-delegated"
        assert family.wallet.check(KIM, CREDIT_SCORE).reason is Reason.NOT_ASKED
