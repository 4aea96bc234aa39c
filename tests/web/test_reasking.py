"""Nobody is asked again who said no, until the cool-down is over or something changed.

The clock stands still; a page of the host's is loaded again and again.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import render_template_string
from flask.testing import FlaskClient

from consentkit.core.purpose import Purpose
from consentkit.core.registry import Registry
from consentkit.core.vocabulary import DataItem
from consentkit.errors import ConfigurationError
from consentkit.service.reasking import Cooldown
from consentkit.testing import answer
from tests import declared
from tests.web import hosts
from tests.web.hosts import MAYA
from tests.web.hosts import Host

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LOADS = 1_000
PROMPT = 'data-ck-action="accept"'
ACME = {"acme-credit": "refused"}


def host(folder: Path, **fields: Any) -> Host:
    """An app in which people stay signed in for longer than any cool-down."""
    for_years: dict[str, Any] = {"PERMANENT_SESSION_LIFETIME": timedelta(days=3_650)}
    return hosts.host(folder, **for_years, **fields)


@pytest.fixture
def shop(tmp_path: Path) -> Host:
    return host(tmp_path)


@pytest.fixture
def maya(shop: Host) -> FlaskClient:
    return shop.client(MAYA)


def asked(client: FlaskClient) -> bool:
    """Whether the host's own page asks somebody who did not come for it."""
    page = client.get("/").text
    assert "m•••@example.org" in page  # she is still signed in
    return PROMPT in page


def stop(client: FlaskClient) -> None:
    page = client.get("/consent/").text
    token = re.findall(r'name="token" value="([^"]+)"', page)[0]
    assert client.post("/consent/revocations", data={"token": token}).status_code == 303


def score(**fields: Any) -> Registry:
    """The app's declarations with another question about the score."""
    changed = replace(declared.SCORE, **fields)
    return declared.registry(purposes=[changed, declared.OFFERS])


def moved(purpose: Purpose = declared.SCORE) -> Purpose:
    """The same question, the recipient called something else."""
    return replace(purpose, recipients=[replace(declared.CREDIT, name="Acme Data Ltd")])


@pytest.mark.requirement("R29")
def test_a_no_stops_all_prompts_for_half_a_year_and_a_change_asks_once(
    tmp_path: Path,
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        shop = host(tmp_path)
        maya = shop.client(MAYA)
        assert asked(maya)
        answer(maya, "credit-score", ACME)
        acts = shop.acts()
        step = timedelta(days=180) / LOADS
        for _ in range(LOADS):
            assert not asked(maya)
            clock.shift(step)
        assert shop.acts() == acts

        changed = host(tmp_path, registry=declared.registry(purposes=[moved()]))
        maya = changed.client(MAYA)
        assert asked(maya)
        answer(maya, "credit-score", ACME)
        assert not asked(maya)


SAID: dict[str, tuple[str, datetime]] = {
    "a no": ("refused", datetime(2027, 5, 22, 12, tzinfo=UTC)),
    "later": ("deferred", datetime(2026, 11, 29, 12, tzinfo=UTC)),
}


@pytest.mark.requirement("R18", "R29")
@pytest.mark.parametrize(("said", "end"), SAID.values(), ids=SAID)
def test_an_answer_that_is_no_yes_holds_to_the_millisecond(
    said: str, end: datetime, shop: Host, maya: FlaskClient
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        answer(maya, "credit-score", {"acme-credit": said})
        clock.move_to(end - timedelta(milliseconds=1))
        assert not asked(maya)
        clock.move_to(end)
        assert asked(maya)
        assert not shop.allows(MAYA)


@pytest.mark.requirement("R29")
def test_who_stopped_it_is_left_alone_as_after_a_no(maya: FlaskClient) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        answer(maya, "credit-score", {"acme-credit": "given"})
        stop(maya)
        assert not asked(maya)
        clock.move_to(datetime(2027, 5, 22, 11, 59, tzinfo=UTC))
        assert not asked(maya)
        clock.move_to(datetime(2027, 5, 22, 12, tzinfo=UTC))
        assert asked(maya)


@pytest.mark.requirement("R29", "R90")
def test_a_yes_that_ended_by_itself_may_be_asked_for_and_stays_a_no_till_then(
    shop: Host, maya: FlaskClient
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        answer(maya, "credit-score", {"acme-credit": "given"})
        clock.shift(timedelta(days=365))
        assert asked(maya)
        assert not shop.allows(MAYA)
        assert shop.acts() == 1


@pytest.mark.requirement("R29", "R52")
def test_in_the_cool_down_one_line_says_what_stands_and_leads_to_the_question(
    maya: FlaskClient,
) -> None:
    with time_machine.travel(NOON, tick=False):
        answer(maya, "credit-score", ACME)
        page, centre = maya.get("/").text, maya.get("/consent/").text

        (line,) = re.findall(r'<div class="consentkit-quiet".*?</div>', page, re.DOTALL)
        assert "Not shared" in line
        assert "You said no on" in line
        (link,) = re.findall(r'href="([^"]+)"', line)
        question = maya.get(link).text
        assert PROMPT in question
        assert "We will not ask you" not in question
        assert "<form" not in page
        assert "We will not ask you about this before" in centre
        assert 'datetime="2027-05-22T12:00' in centre


@pytest.mark.requirement("R29")
def test_the_person_can_decide_again_at_any_time_from_the_centre(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", ACME)
    centre = maya.get("/consent/").text
    (link,) = re.findall(r'href="(/consent/ask/credit-score)"', centre)

    assert PROMPT in maya.get(link).text
    answer(maya, "credit-score", {"acme-credit": "given"})
    assert shop.allows(MAYA)


def test_only_what_is_open_is_asked_and_not_what_was_refused_beside_it(
    tmp_path: Path,
) -> None:
    """Another recipient joins a purpose that the person answered in part with no."""
    wide = replace(declared.SCORE, recipients=[declared.CREDIT, declared.SHOP])
    with time_machine.travel(NOON, tick=False) as clock:
        answer(host(tmp_path).client(MAYA), "credit-score", ACME)
        then = host(tmp_path, registry=declared.registry(purposes=[wide]))
        maya = then.client(MAYA)

        page = maya.get("/").text
        assert "choice.credit-score.corner-shops" in page
        assert "choice.credit-score.acme-credit" not in page
        assert (
            "choice.credit-score.acme-credit"
            in maya.get("/consent/ask/credit-score").text
        )
        clock.shift(timedelta(days=200))
        assert "choice.credit-score.acme-credit" in maya.get("/").text


@pytest.mark.requirement("R18")
def test_a_question_left_open_among_others_counts_as_later(
    shop: Host, maya: FlaskClient
) -> None:
    shop.app.add_url_rule(
        "/offers",
        "offers",
        lambda: render_template_string('{{ consent_widget("shop-offers") }}'),
    )
    with time_machine.travel(NOON, tick=False) as clock:
        answer(maya, "shop-offers", {"controller": "refused"})
        assert "choice.shop-offers" not in maya.get("/offers").text
        clock.shift(timedelta(days=7))
        again = maya.get("/offers").text
        assert "choice.shop-offers.corner-shops" in again
        assert "choice.shop-offers.controller" not in again


CONFIGURED = {
    "nothing": ({}, "P6M"),
    "Italy": ({"profile": "IT"}, "P6M"),
    "France": ({"profile": "FR"}, "P6M"),
    "China": ({"profile": "CN"}, "P6M"),
    "California": ({"profile": "US-CA"}, "P12M"),
    "a profile without a rule": ({"profile": "IN"}, "P6M"),
    "longer than the profile": ({"period": "P2Y", "profile": "IT"}, "P2Y"),
    "shorter, where no profile says more": ({"period": "P30D"}, "P30D"),
}


@pytest.mark.requirement("R29")
@pytest.mark.parametrize(("given", "period"), CONFIGURED.values(), ids=CONFIGURED)
def test_the_cool_down_is_the_profiles_or_half_a_year(
    given: dict[str, str], period: str
) -> None:
    assert Cooldown(**given).period == period


TOO_SHORT = {
    "than California asks for": ({"period": "P6M", "profile": "US-CA"}, "P12M"),
    "than Italy asks for": ({"period": "P5M", "profile": "IT"}, "Garante"),
    "than later": ({"period": "P1D"}, "7 days"),
}


@pytest.mark.requirement("R29")
@pytest.mark.parametrize(("given", "told"), TOO_SHORT.values(), ids=TOO_SHORT)
def test_a_cool_down_that_is_too_short_is_refused_with_the_rule(
    given: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        Cooldown(**given)


# -- what changed ----------------------------------------------------------------------


def changes(page: str) -> list[str]:
    """The sentences of the list of changes, as a person reads them."""
    found = re.search(r'<ul class="consentkit-changes">(.*?)</ul>', page, re.DOTALL)
    items = re.findall(r"<li>(.*?)</li>", found[1]) if found else []
    return [re.sub(r"<[^>]+>|[\u2066-\u2069]", "", each) for each in items]


NEEDED_CITY = [DataItem(declared.SPENDING), DataItem(declared.CITY)]
DIFFERENCES: dict[str, tuple[dict[str, Any], str]] = {
    "the recipient's name": (
        {"recipients": [replace(declared.CREDIT, name="Acme Data Ltd")]},
        "The recipient was Acme Credit Scoring Ltd before. It is now Acme Data Ltd.",
    ),
    "its relation": (
        {"recipients": [replace(declared.CREDIT, relation="partner")]},
        (
            "What Acme Credit Scoring Ltd is to us was: “A company in the same group "
            "as Wallet Ltd.” It is now: “An outside company that works with Wallet "
            "Ltd.”"
        ),
    ),
    "its role": (
        {"recipients": [replace(declared.CREDIT, role="joint-controller")]},
        (
            "Who answers for the data at Acme Credit Scoring Ltd was: “It answers for "
            "your data itself.” It is now: “It answers for your data together with "
            "Wallet Ltd.”"
        ),
    ),
    "the retention": (
        {"retention": "P2Y6M"},
        (
            "Acme Credit Scoring Ltd kept the data for 1 year before. It is now 2 "
            "years and 6 months."
        ),
    ),
    "what is done": (
        {"operations": ["share", "combine"]},
        (
            "What is done with the data was “share” before. It is now “combine” and "
            "“share”."
        ),
    ),
    "no computer": (
        {"automated": None},
        "A computer no longer decides anything with the data.",
    ),
    "data that is now needed": (
        {"data": NEEDED_CITY},
        "Needed now, and optional before: “The city you live in”.",
    ),
    "more data": (
        {"data": [*declared.SCORE.data, DataItem(declared.MESSAGES)]},
        (
            "Acme Credit Scoring Ltd would now also get: “The messages you send to our "
            "help desk”."
        ),
    ),
}


@pytest.mark.requirement("R29", "R87", "R89")
@pytest.mark.parametrize("said", ["given", "refused"])
@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_material_change_asks_again_and_says_what_changed(
    name: str, said: str, tmp_path: Path
) -> None:
    fields, sentence = DIFFERENCES[name]
    answer(host(tmp_path).client(MAYA), "credit-score", {"acme-credit": said})
    maya = host(tmp_path, registry=score(**fields)).client(MAYA)

    page = maya.get("/").text

    assert PROMPT in page
    assert changes(page) == [sentence]
    assert changes(maya.get("/consent/ask/credit-score").text) == [sentence]


IMMATERIAL: dict[str, tuple[dict[str, Any], list[str]]] = {
    "other words": ({"title": "Find out your score", "aim": "adds it all up"}, []),
    "how long a yes lasts": (
        {"valid_for": timedelta(days=30)},
        ["Your yes lasted 1 year before. It now lasts 30 days."],
    ),
    "fewer data": (
        {"data": [declared.SPENDING]},
        ["Acme Credit Scoring Ltd would no longer get: “The city you live in”."],
    ),
}


@pytest.mark.requirement("R29", "R88", "R89")
@pytest.mark.parametrize("name", IMMATERIAL)
def test_what_makes_nothing_worse_opens_no_question_but_is_told_on_its_own_page(
    name: str, tmp_path: Path
) -> None:
    fields, sentences = IMMATERIAL[name]
    answer(host(tmp_path).client(MAYA), "credit-score", ACME)
    maya = host(tmp_path, registry=score(**fields)).client(MAYA)

    assert not asked(maya)
    assert changes(maya.get("/consent/ask/credit-score").text) == sentences


@pytest.mark.requirement("R89")
def test_a_recipient_that_joins_and_one_that_leaves_are_told(tmp_path: Path) -> None:
    other = replace(declared.SCORE, recipients=[declared.SHOP])
    answer(host(tmp_path).client(MAYA), "credit-score", ACME)
    # The answer about the one that left no longer has a question.
    both = replace(declared.SCORE, recipients=[declared.CREDIT, declared.SHOP])
    joined = host(tmp_path, registry=declared.registry(purposes=[both]))
    maya = joined.client(MAYA)
    assert changes(maya.get("/").text) == [
        "You were not asked about Corner Shops Network Ltd before."
    ]

    answer(maya, "credit-score", {"acme-credit": "refused", "corner-shops": "given"})
    left = host(tmp_path, registry=declared.registry(purposes=[other]))
    assert changes(left.client(MAYA).get("/consent/ask/credit-score").text) == [
        "Acme Credit Scoring Ltd no longer gets the data."
    ]


@pytest.mark.requirement("R89")
def test_after_a_stop_the_change_is_measured_from_the_last_answer(
    tmp_path: Path,
) -> None:
    maya = host(tmp_path).client(MAYA)
    answer(maya, "credit-score", {"acme-credit": "given"})
    stop(maya)
    then = host(tmp_path, registry=declared.registry(purposes=[moved()]))

    page = then.client(MAYA).get("/").text

    assert PROMPT in page
    assert changes(page) == [
        "The recipient was Acme Credit Scoring Ltd before. It is now Acme Data Ltd."
    ]


def test_a_first_question_tells_of_no_change(maya: FlaskClient) -> None:
    assert "has changed" not in maya.get("/consent/ask/credit-score").text
    answer(maya, "credit-score", ACME)
    assert "has changed" not in maya.get("/consent/ask/credit-score").text


@pytest.mark.requirement("R89", "R114")
@pytest.mark.parametrize("locale", ["de", "ar", "zh-Hans"])
def test_the_changes_are_told_in_the_persons_language(
    locale: str, tmp_path: Path
) -> None:
    locales = ("en", "de", "ar", "zh-Hans")
    first = host(tmp_path, registry=declared.registry(locales=locales))
    answer(first.client(MAYA), "credit-score", ACME)
    changed = declared.registry(purposes=[moved()], locales=locales)
    maya = host(tmp_path, registry=changed).client(MAYA)

    page = maya.get(f"/consent/ask/credit-score?lang={locale}").text

    assert "The recipient was" not in page
    (change,) = changes(page)
    assert "Acme Data Ltd" in change
