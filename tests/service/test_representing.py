"""Somebody answers for a child: with an authority that is named, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from consentkit.core.act import Actor
from consentkit.core.act import State
from consentkit.core.age import age_rule_of
from consentkit.core.decision import Reason
from consentkit.core.representative import Representative
from consentkit.errors import ConfigurationError
from consentkit.errors import ConsentDeniedError
from consentkit.errors import InvalidRequestError
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.revoking import Ending
from consentkit.service.revoking import revoke
from tests.declared import SCORE
from tests.declared import registry
from tests.service.families import COMES_OF_AGE
from tests.service.families import KIM
from tests.service.families import PARENT
from tests.service.families import RUTH
from tests.service.families import Family
from tests.service.forgotten import found
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

UNPROVEN = {
    "nothing says how": {"verification": ""},
    "nothing shows it": {"evidence": ""},
    "neither": {"verification": "", "evidence": ""},
}


@pytest.fixture
def family(wallet: Wallet) -> Family:
    return Family(wallet)


def refusal(family: Family, who: Representative | None = None, **form: Any) -> str:
    """Why Kim's answer was not taken; nothing is stored then."""
    family.wallet.notice("credit-score")  # is logged when it is shown
    before = family.wallet.contents()
    with pytest.raises(InvalidRequestError) as caught:
        family.answers(who, **form)
    assert family.wallet.contents() == before
    return caught.value.code


@pytest.mark.requirement("R40", "R81")
def test_a_parents_yes_counts_and_says_whose_it_is(family: Family) -> None:
    leaf = family.answers(PARENT)

    assert family.wallet.check(KIM, CREDIT_SCORE)
    assert leaf.body["actor"] == "parent"
    assert family.facts(leaf)["representative"] == {
        "actor": "parent",
        "by": RUTH,
        "evidence": "case-4711",
        "verification": "register-extract",
    }


@pytest.mark.requirement("R40", "R81")
@pytest.mark.parametrize("lacking", UNPROVEN.values(), ids=UNPROVEN)
@pytest.mark.parametrize("said", [State.GIVEN, State.REFUSED])
def test_without_a_verified_authority_nobody_answers_for_anybody(
    family: Family, lacking: dict[str, str], said: State
) -> None:
    who = replace(PARENT, **lacking)  # type: ignore[arg-type]  a dict of texts

    assert refusal(family, who, said=said) == "authority-missing"
    family.answers(PARENT)
    with pytest.raises(InvalidRequestError, match="verification and evidence"):
        family.stops(who)
    assert family.wallet.check(KIM, CREDIT_SCORE)


@pytest.mark.requirement("R40")
@pytest.mark.parametrize("word", [Actor.PARENT, Actor.GUARDIAN, Actor.DELEGATE])
def test_a_word_alone_is_no_authority(word: Actor) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        Ending(KIM, actor=word)
    assert caught.value.code == "authority-missing"


@pytest.mark.requirement("R81")
@pytest.mark.parametrize("known", [date(2008, 1, 2), None])
def test_who_answers_for_a_child_is_known_to_be_of_age(
    family: Family, known: date | None
) -> None:
    """A day before their eighteenth birthday they are not; the app can say it too."""
    family.births.pop(RUTH)
    if known:
        family.births[RUTH] = known
    assert refusal(family, PARENT) == "guardian-not-adult"

    if known:
        family.births[RUTH] = date(2008, 1, 1)  # eighteen today
        assert family.answers(PARENT)
    else:
        assert family.answers(replace(PARENT, adult=True))


@pytest.mark.requirement("R80")
def test_a_child_alone_can_say_no_and_later_and_stop_but_not_yes(
    family: Family,
) -> None:
    assert refusal(family) == "too-young"
    assert family.answers(said=State.DEFERRED)
    assert family.answers(said=State.REFUSED)
    assert family.wallet.check(KIM, CREDIT_SCORE).reason is Reason.REFUSED

    family.answers(PARENT)
    assert family.stops().ended == (CREDIT_SCORE,)
    assert family.wallet.check(KIM, CREDIT_SCORE).reason is Reason.WITHDRAWN


def test_a_parent_stops_what_was_agreed_to_for_the_child(family: Family) -> None:
    family.answers(PARENT)
    leaf = family.stops(PARENT).leaf

    assert leaf is not None
    assert leaf.body["actor"] == "parent"
    assert family.facts(leaf)["representative"]["by"] == RUTH
    assert family.wallet.check(KIM, CREDIT_SCORE).reason is Reason.WITHDRAWN


@pytest.mark.requirement("R80")
def test_on_the_birthday_the_person_agrees_alone_and_not_a_day_before(
    family: Family,
) -> None:
    family.wallet.clock.now = COMES_OF_AGE - 1
    assert refusal(family) == "too-young"

    family.wallet.clock.now = COMES_OF_AGE
    assert family.answers().body["actor"] == "subject"
    assert refusal(family, PARENT) == "of-age"


@pytest.mark.requirement("R80")
@pytest.mark.parametrize(
    ("policy", "taken"), [("", False), ("minor", False), ("adult", True)]
)
def test_an_unknown_age_follows_the_policy(
    family: Family, policy: str, *, taken: bool
) -> None:
    """Left open, it is the careful one for an app that tells birthdays at all."""
    family.births.pop(KIM)
    family.live_by(age_rule_of("DE"), unknown=policy)

    if taken:
        assert family.answers()
    else:
        assert refusal(family) == "age-needed"
        assert family.answers(said=State.REFUSED)
    assert refusal(family, PARENT) == "age-unknown"


def test_an_app_that_tells_no_birthdays_has_grown_up_people(wallet: Wallet) -> None:
    assert wallet.answer(KIM, CREDIT_SCORE)
    assert wallet.check(KIM, CREDIT_SCORE)


@pytest.mark.parametrize("wrong", ["2010-03-01", 20100301, date(9999, 1, 1)])
def test_a_birthday_that_is_none_is_refused_and_not_repeated(
    family: Family, wrong: Any
) -> None:
    family.births[KIM] = wrong
    with pytest.raises(ConfigurationError, match="birthday_loader") as caught:
        family.answers()
    assert "2010" not in str(caught.value)
    assert "9999" not in str(caught.value)


@pytest.mark.requirement("R83")
def test_at_the_age_limit_a_guardians_yes_stops_counting(family: Family) -> None:
    family.answers(PARENT)
    family.wallet.clock.now = COMES_OF_AGE - 1
    before = family.wallet.check(KIM, CREDIT_SCORE)
    assert before
    assert before.until_ms == COMES_OF_AGE

    family.wallet.clock.now = COMES_OF_AGE
    reason = Reason.GUARDIAN_REAFFIRMATION_NEEDED
    assert family.wallet.check(KIM, CREDIT_SCORE).reason is reason
    with pytest.raises(ConsentDeniedError) as caught:
        family.wallet.share(KIM, CREDIT_SCORE)
    assert caught.value.decision.reason is reason

    family.answers()
    assert family.wallet.check(KIM, CREDIT_SCORE)
    assert family.wallet.share(KIM, CREDIT_SCORE)


@pytest.mark.requirement("R83")
def test_who_came_of_age_can_undo_what_was_agreed_to_for_them(family: Family) -> None:
    family.answers(PARENT)
    family.wallet.clock.now = COMES_OF_AGE

    leaf = family.stops().leaf

    assert leaf is not None
    assert leaf.body["actor"] == "subject"
    assert family.wallet.check(KIM, CREDIT_SCORE).reason is Reason.WITHDRAWN


def test_no_birthday_and_no_coming_of_age_is_in_the_log_or_in_evidence(
    family: Family,
) -> None:
    leaf = family.answers(PARENT)

    (choice,) = leaf.body["choices"]
    assert choice["until"] == leaf.time + 365 * 86_400_000
    said = repr((leaf.body, family.facts(leaf)))
    assert "2010" not in said
    assert str(COMES_OF_AGE) not in said


def test_a_birthday_that_was_put_right_counts_from_the_next_act_on(
    family: Family,
) -> None:
    family.answers(PARENT)
    family.births[KIM] = date(2009, 3, 1)
    family.wallet.clock.now += 1
    assert family.answers()
    family.wallet.clock.now = COMES_OF_AGE
    assert family.wallet.check(KIM, CREDIT_SCORE)


def test_the_guardian_of_an_adult_answers_and_it_does_not_lapse(
    family: Family,
) -> None:
    family.wallet.clock.now = COMES_OF_AGE
    guardian = replace(PARENT, actor="guardian", of_adult=True)
    family.answers(guardian)

    family.wallet.clock.now += 30 * 86_400_000
    assert family.wallet.check(KIM, CREDIT_SCORE)


def test_a_form_that_is_sent_twice_is_one_act(family: Family) -> None:
    notice = family.wallet.notice("credit-score").digest
    form = {"notice": notice, "challenge": "c" * 64}
    assert family.answers(PARENT, **form) == family.answers(PARENT, **form)


def test_who_acts_for_one_person_acts_for_no_other(family: Family) -> None:
    family.wallet.answer(RUTH, CREDIT_SCORE)
    somebody_else = replace(PARENT, subject="max")
    with pytest.raises(InvalidRequestError, match="for somebody else"):
        family.answers(somebody_else)
    with pytest.raises(InvalidRequestError, match="for somebody else"):
        revoke(family.wallet.installation, Ending(RUTH, representative=PARENT))
    assert family.wallet.check(RUTH, CREDIT_SCORE)


@pytest.mark.requirement("R92")
def test_an_erasure_takes_the_coming_of_age_and_who_answered(family: Family) -> None:
    family.answers(PARENT, facts={"locale": "en"})
    assert family.wallet.sql("SELECT at FROM consent_coming_of_age") == [
        (COMES_OF_AGE,)
    ]
    erase(family.wallet.installation, Erasing(KIM, "request"))

    assert family.wallet.sql("SELECT * FROM consent_coming_of_age") == []
    looked_for = {"reference": b"case-4711", "word": b"register-extract"}
    assert not found(family.wallet, looked_for)


@pytest.mark.requirement("R33", "R80")
def test_nobody_confirms_for_somebody_else(tmp_path: Path) -> None:
    """A yes of two stages is the person's own, and a child's own is not enough."""
    two_stages = registry(purposes=[replace(SCORE, two_stage=True)])
    family = Family(Wallet(tmp_path, declared=two_stages))
    guardian = replace(PARENT, actor="guardian", of_adult=True)

    assert refusal(family, PARENT) == refusal(family) == "not-before-of-age"
    family.births[KIM] = date(1990, 3, 1)
    assert refusal(family, guardian) == "own-confirmation"
    assert family.answers(guardian, said=State.REFUSED)
    family.wallet.prove()
