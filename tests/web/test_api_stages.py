"""An answer over JSON that is not enough by itself, or is given for somebody else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from consentkit.core.purpose import Practice
from consentkit.testing import confirm
from tests import declared
from tests.web.asking import SCORER
from tests.web.asking import Phone
from tests.web.asking import refusal
from tests.web.asking import said
from tests.web.hosts import MAYA
from tests.web.test_representing import KIM
from tests.web.test_representing import LEE
from tests.web.test_representing import RUTH
from tests.web.test_representing import acts
from tests.web.test_representing import delegated
from tests.web.test_representing import household
from tests.web.test_representing import last_act
from tests.web.two_stages import Wallet

OWN, SHOPS = ("shop-offers", "controller"), ("shop-offers", "corner-shops")
YES = said("given")

# -- two stages ------------------------------------------------------------------------


@pytest.mark.requirement("R33")
def test_a_yes_of_two_stages_is_asked_for_and_counts_once_it_is_confirmed(
    wallet: Wallet,
) -> None:
    phone = Phone(wallet.shop.client(MAYA))
    told = phone.answer(YES)

    assert told["link"] == "sent"
    assert told["told"][0] == "One step is left"
    assert (told["answers"][0]["state"], told["answers"][0]["holds"]) == (
        "requested",
        False,
    )
    assert "It counts once you open the link" in told["answers"][0]["told"][1]
    assert not wallet.allows("session")

    confirm(phone.http, wallet.link)
    found = phone.status()[SCORER]
    assert (found["state"], found["holds"]) == ("given", True)
    assert found["assurance"] == "confirmed"
    assert wallet.allows()


@pytest.mark.requirement("R33")
def test_a_link_that_cannot_be_sent_is_told_and_the_answer_is_kept(
    wallet: Wallet,
) -> None:
    def fail(_link: object) -> None:
        raise OSError("the mail server is away")

    phone = Phone(wallet.shop.client(MAYA))
    wallet.shop.consent.confirmation_sender(fail)

    told = phone.answer(YES)

    assert (told["link"], told["answers"][0]["state"]) == ("failed", "requested")
    assert phone.answer(said("refused"))["link"] is None


# -- for somebody else -----------------------------------------------------------------


@pytest.mark.requirement("R80", "R81")
def test_a_parent_answers_for_a_child_and_the_child_says_no_alone(
    tmp_path: Path,
) -> None:
    home = household(tmp_path)
    kim, ruth = Phone(home.client(KIM)), Phone(acts(home, RUTH, "parent"))
    assert "not old enough" in kim.shown()["beside"]["whose"]
    refusal(kim.send(kim.token(), YES), "too-young")
    refusal(Phone(home.client("max")).send(kim.token(), YES), "foreign-token")
    assert home.acts() == 0

    beside = ruth.shown()["beside"]
    assert "as a parent" in beside["acting"]
    ruth.answer(YES)

    assert last_act(home)["actor"] == "parent"
    assert home.allows(KIM)
    assert "A parent decided this" in kim.status()[SCORER]["told"][1]
    kim.answer(said("refused"))
    assert not home.allows(KIM)


@pytest.mark.requirement("R84")
def test_a_delegate_answers_what_was_left_to_them_and_sees_no_more(
    tmp_path: Path,
) -> None:
    home = household(tmp_path)
    delegated(home, "credit-score")
    tom = Phone(home.client("tom"))
    tom.answer(said("given", OWN), purpose="shop-offers")
    lee = Phone(acts(home, LEE, "delegate", "tom"))

    told = lee.answer(YES)

    assert (told["receipt_url"], told["answers"][0]["receipt_url"]) == (None, None)
    assert set(lee.status()) == {SCORER}
    refusal(lee.present("shop-offers"), "not-delegated")
    assert set(tom.status()) == {SCORER, OWN, SHOPS}


def test_what_the_law_forbids_for_children_is_not_asked(tmp_path: Path) -> None:
    tracking = replace(declared.SCORE, practices=[Practice.TRACKING])
    registry = declared.registry(purposes=[tracking])
    home = household(tmp_path, CONSENTKIT_PROFILE="IN", registry=registry)

    refusal(Phone(home.client(KIM)).present(), "prohibited-for-minors")
    assert Phone(home.client(LEE)).shown()["token"]


@pytest.mark.requirement("R33", "R80", "R84")
def test_what_nobody_can_confirm_is_not_asked(tmp_path: Path) -> None:
    twice = replace(declared.SCORE, two_stage=True)
    home = household(tmp_path, registry=declared.registry(purposes=[twice]))
    home.consent.confirmation_sender(lambda _link: None)

    refusal(Phone(acts(home, RUTH, "parent")).present(), "not-before-of-age")
    refusal(Phone(home.client(KIM)).present(), "not-before-of-age")
    guardian = acts(home, RUTH, "guardian", LEE, of_adult=True)
    refusal(Phone(guardian).present(), "own-confirmation")
    assert Phone(home.client(LEE)).shown()["token"]


@pytest.mark.requirement("R82")
def test_a_joint_yes_waits_for_the_other_one(tmp_path: Path) -> None:
    home = household(tmp_path, CONSENTKIT_PROFILE="FR")
    kim, ruth = Phone(home.client(KIM)), Phone(acts(home, RUTH, "parent"))

    told = kim.answer(YES)["answers"][0]
    assert (told["state"], told["holds"]) == ("requested", False)
    assert "One yes of two is there." in told["told"][1]
    assert kim.shown()["token"] is None
    assert ruth.shown()["token"]

    assert ruth.answer(YES)["answers"][0]["holds"]
    assert home.allows(KIM)
