"""From which age somebody agrees alone: to the day, by a table with its sources."""

from __future__ import annotations

import json
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from consentkit.core.act import Millis
from consentkit.core.age import AGES
from consentkit.core.age import CHILDHOOD
from consentkit.core.age import PROHIBITIONS
from consentkit.core.age import age_rule_of
from consentkit.core.age import of_age_from
from consentkit.core.age import prohibition_of
from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.core.decision import ShareRequest
from consentkit.core.decision import Standing
from consentkit.core.decision import decide
from consentkit.core.profile import minimum_of
from consentkit.core.purpose import Practice
from consentkit.core.representative import Representative
from consentkit.errors import DeclarationError
from tests.declared import SCORE
from tests.declared import registry

from .acts import NOW
from .acts import YEAR
from .acts import status

VECTORS = Path(__file__).parents[1] / "vectors"
LIMITS: list[dict[str, Any]] = json.loads(
    (VECTORS / "age_thresholds.json").read_text("utf-8")
)["age_thresholds"]["values"]
PROFILES = {"EU default": "EU"}
OWN_OPT_IN = {"US-CA": 13}
"""Below 16 a sale needs an opt-in, below 13 a parent's: every yes here is an opt-in."""


@pytest.mark.requirement("R80")
@pytest.mark.parametrize("line", LIMITS, ids=lambda line: line["jurisdiction"])
def test_the_table_is_the_one_that_was_looked_up(line: dict[str, Any]) -> None:
    name = line["jurisdiction"]
    rule = age_rule_of(PROFILES.get(name, name))

    assert rule.below == OWN_OPT_IN.get(name, line["below"])
    assert rule.joint == ("jointly" in line.get("rule", ""))
    assert rule.source
    assert rule.confidence in {"text", "secondary", "recalled"}


@pytest.mark.requirement("R80")
@pytest.mark.parametrize("rule", AGES, ids=lambda rule: rule.profile)
def test_somebody_is_of_age_on_the_birthday_and_not_a_day_before(rule: Any) -> None:
    birthday = date(2010, 6, 15)
    midnight = datetime(2010 + rule.below, 6, 15, tzinfo=UTC)

    assert of_age_from(birthday, rule.below) == midnight.timestamp() * 1000
    a_day_later = of_age_from(birthday + timedelta(days=1), rule.below)
    assert a_day_later - of_age_from(birthday, rule.below) == 86_400_000


@pytest.mark.parametrize(
    ("born", "age", "day"),
    [
        (date(2008, 2, 29), 16, date(2024, 2, 29)),
        (date(2008, 2, 29), 18, date(2026, 3, 1)),
        (date(2008, 2, 28), 18, date(2026, 2, 28)),
        (date(2000, 2, 29), 100, date(2100, 3, 1)),
        (date(1999, 12, 31), 1, date(2000, 12, 31)),
    ],
)
def test_who_was_born_on_the_29th_of_february_is_never_of_age_too_early(
    born: date, age: int, day: date
) -> None:
    assert datetime.fromtimestamp(of_age_from(born, age) / 1000, UTC).date() == day


def test_where_no_profile_names_an_age_it_is_the_highest() -> None:
    assert age_rule_of("") is CHILDHOOD
    assert max(each.below for each in AGES) == CHILDHOOD.below
    assert str(age_rule_of("CN")) == "age of consent of CN: 14, PIPL art 28, 31"


def test_a_note_after_a_profiles_name_is_about_other_rules() -> None:
    assert minimum_of("IN (consent manager)")
    assert age_rule_of("IN (consent manager)") == age_rule_of("IN")
    assert prohibition_of("IN (consent manager)") == prohibition_of("IN")


@pytest.mark.requirement("R85")
def test_each_prohibition_names_its_practices_and_its_source() -> None:
    assert prohibition_of("") is None
    assert prohibition_of("DE") is None
    for each in PROHIBITIONS:
        assert each.practices <= set(Practice)
        assert each.source
        assert age_rule_of(each.profile).below <= each.below


OF_AGE = {
    "nobody answered for them": (None, True),
    "in a moment": (NOW + 1, True),
    "now": (NOW, False),
    "a moment ago": (NOW - 1, False),
    "on the day of the answer": (0, True),
    "long before it": (-YEAR, True),
    "when it ends": (NOW + YEAR, True),
}


def judged(of_age: int | None, **standing: Any) -> Decision:
    asked = registry(purposes=[SCORE]).question("credit-score", "acme-credit")
    assert asked is not None
    since = Millis(NOW - 1_000)
    given = status(scope=asked.scope, data=asked.categories, since=since)
    if of_age is not None and of_age <= 0:
        of_age += given.since
    facts = Standing(given, of_age=of_age, **standing)  # type: ignore[arg-type]  milliseconds
    request = ShareRequest("anna", "credit-score", "acme-credit")
    return decide(request, asked, facts, now=NOW)


@pytest.mark.requirement("R83")
@pytest.mark.parametrize(("of_age", "holds"), OF_AGE.values(), ids=OF_AGE)
def test_what_was_agreed_to_before_an_age_ends_with_it(
    of_age: int | None, *, holds: bool
) -> None:
    decision = judged(of_age)

    assert bool(decision) is holds
    if holds:
        ends = of_age == NOW + 1
        assert decision.until_ms == (NOW + 1 if ends else NOW + YEAR)
    else:
        assert decision.reason is Reason.GUARDIAN_REAFFIRMATION_NEEDED


@pytest.mark.requirement("R85")
def test_what_the_law_forbids_is_denied_whatever_was_answered() -> None:
    assert judged(None, prohibited=True).reason is Reason.PROHIBITED_FOR_MINORS
    suspended = judged(None, prohibited=True, suspended=True)
    assert suspended.reason is Reason.SUSPENDED


ACTING: dict[str, Any] = {"by": "ruth", "actor": "parent", "label": "Kim"}
WRONG: dict[str, dict[str, Any]] = {
    "an actor that represents nobody": {"actor": "controller"},
    "no actor": {"actor": ""},
    "no word for an actor": {"actor": ["parent"]},
    "oneself": {"by": "kim"},
    "a sentence for a word": {"verification": "we looked at the passport"},
    "no text for a word": {"verification": 1},
    "two lines": {"evidence": "case\n4711"},
    "a long reference": {"evidence": "x" * 201},
    "no label": {"label": ""},
    "a text for a flag": {"adult": "yes"},
    "the parent of an adult": {"of_adult": True},
}


@pytest.mark.requirement("R40", "R81")
@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_representative_that_cannot_be_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError):
        Representative("kim", **{**ACTING, **wrong})


def test_ids_of_numbers_and_texts_are_the_same_person() -> None:
    with pytest.raises(DeclarationError, match="somebody else than the subject"):
        Representative(7, by="7", actor="parent", label="Kim")


PRACTICES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "none": ({}, set()),
    "named": ({"practices": ["tracking"]}, {"tracking"}),
    "meant by the IRI": (
        {"iri": "dpv:PersonalisedAdvertising"},
        {"targeted-advertising"},
    ),
    "both": (
        {"iri": "dpv:DirectMarketing", "practices": [Practice.TRACKING]},
        {"marketing", "tracking"},
    ),
}


@pytest.mark.requirement("R85")
@pytest.mark.parametrize(("said", "meant"), PRACTICES.values(), ids=PRACTICES)
def test_a_purpose_says_which_practice_it_is(
    said: dict[str, Any], meant: set[str]
) -> None:
    purpose = type(SCORE)(**{**SCORE.__dict__, **said})
    assert set(purpose.practices) == meant


@pytest.mark.parametrize("wrong", [["profiling"], "tracking", [1], [["tracking"]]])
def test_a_practice_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(DeclarationError, match="practices"):
        type(SCORE)(**{**SCORE.__dict__, "practices": wrong})


def test_what_a_purpose_is_to_a_law_does_not_change_what_an_answer_rests_on() -> None:
    scopes = {
        registry(purposes=[type(SCORE)(**{**SCORE.__dict__, **said})])
        .questions("credit-score")[0]
        .scope
        for said in ({}, {"practices": ["marketing"]}, {"joint": True})
    }
    assert len(scopes) == 1
