"""Somebody whom a gate sends to a question: what is missing, and the way back."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from flask.testing import FlaskClient

from consentkit.core.vocabulary import DataItem
from consentkit.lint import lint
from consentkit.testing import answer
from tests import declared
from tests.web.hosts import CHROME
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import host

HERE = "http://localhost"
MENU = {"Accept": CHROME, "Referer": f"{HERE}/menu?day=1"}
NEEDS = "What you wanted to do also needs: <bdi>“The city you live in”</bdi>"
WHY = "What you wanted to do shares data with"
OPEN, BACK = "Open the page you wanted", "Back to the page you came from"
CHOICE = "choice.credit-score.acme-credit"


@pytest.fixture
def near(shop: Host) -> Host:
    """An app with a page that needs what is optional, too."""
    gate = shop.consent.require(declared.SCORE, recipient=declared.CREDIT)
    shop.app.add_url_rule("/near", "near", gate(lambda: "near you"))
    shop.app.add_url_rule("/near", "post", gate(lambda: "done"), methods=["POST"])
    return shop


def send(client: FlaskClient, said: str, location: str, *boxes: str) -> str:
    """Answer on the page that the gate led to; the page that tells what came of it."""
    page = client.get(location).text
    action, token = forms(page)[-1]
    form = {"token": token, CHOICE: said, "data.credit-score.acme-credit": list(boxes)}
    sent = client.post(unescape(action), data=form, follow_redirects=True)
    assert sent.status_code == 200
    return sent.text


def forms(page: str) -> list[tuple[str, str]]:
    """Where each form of a page is sent, and its token."""
    return re.findall(
        r'<form method="post" action="([^"]+)"[^>]*>.*?name="token" value="([^"]+)"',
        page,
        re.DOTALL,
    )


def links_of_buttons(page: str) -> dict[str, str]:
    """The links that look like buttons, by their words."""
    found = re.findall(r'<a class="[^"]+" href="([^"]+)">([^<]+)</a>', page)
    return {text: unescape(address) for address, text in found}


def led(client: FlaskClient, path: str = "/near", **headers: str) -> str:
    sent = client.get(path, headers={**MENU, **headers})
    assert sent.status_code == 303
    return str(sent.location)


def links(page: str) -> dict[str, str]:
    found = re.findall(r'<a href="([^"]+)">([^<]+)</a>', page)
    return {text: unescape(address) for address, text in found}


@pytest.mark.requirement("R22", "R17")
def test_who_left_out_what_is_needed_is_told_so_and_not_just_asked_again(
    near: Host,
) -> None:
    maya = near.client(MAYA)
    assert NEEDS not in maya.get(led(maya)).text, "nothing was left out yet"
    answer(maya, "credit-score", {"acme-credit": "given"})
    location = led(maya)
    page = maya.get(location).text

    assert NEEDS in page
    assert links(page)["go back"] == "/menu?day=1"
    assert "checked" not in page
    assert lint(page).rules_broken == ()
    assert NEEDS not in maya.get("/consent/ask/shop-offers").text

    told = send(maya, "given", location)
    assert OPEN not in told
    assert links(told)[BACK] == "/menu?day=1"
    told = send(maya, "given", location, "city")
    assert links(told)[OPEN] == "/near"
    assert maya.get("/near", headers=MENU).text == "near you"


@pytest.mark.requirement("R31")
def test_a_no_leads_back_and_never_to_the_gate_again(near: Host) -> None:
    maya = near.client(MAYA)
    told = send(maya, "refused", led(maya))
    assert links(told)[BACK] == "/menu?day=1"
    assert "/near" not in told

    told = send(maya, "refused", led(maya, Referer=f"{HERE}/near"))
    assert BACK not in told
    assert "/near" not in told


def test_a_form_that_a_gate_refused_is_not_sent_again(near: Host) -> None:
    maya = near.client(MAYA)
    location = maya.post("/near", headers=MENU).location
    told = send(maya, "given", location, "city")
    assert links(told)[BACK] == "/menu?day=1"
    assert "/near" not in told


@pytest.mark.requirement("R22")
def test_who_is_led_to_a_question_is_told_why(near: Host) -> None:
    maya = near.client(MAYA)
    page = maya.get(led(maya)).text
    assert f"{WHY} <bdi>Acme Credit Scoring Ltd</bdi>" in page
    assert lint(page).rules_broken == ()
    assert WHY not in maya.get("/consent/ask/credit-score").text

    location = led(maya)
    answer(maya, "credit-score", {"acme-credit": "given"})
    assert WHY not in maya.get(location).text
    assert "your yes to <bdi>Acme Credit Scoring Ltd</bdi>" in maya.get(location).text


def test_a_box_without_a_yes_keeps_the_hint_that_led_to_it(near: Host) -> None:
    maya = near.client(MAYA)
    answer(maya, "credit-score", {"acme-credit": "given"})
    page = maya.get(led(maya)).text
    action, token = forms(page)[-1]
    boxes = {"token": token, "data.credit-score.acme-credit": "city"}
    sent = maya.post(unescape(action), data=boxes)

    assert sent.status_code == 422
    assert "You have not chosen an answer" in sent.text
    assert NEEDS in sent.text
    assert "choose yes along with it" in sent.text
    assert links(sent.text)["go back"] == "/menu?day=1"


@pytest.mark.requirement("R31")
def test_who_was_signed_out_before_answering_gets_back_to_the_question(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path, CONSENTKIT_SIGN_IN_URL="/sign-in?next={next}")
    action, token = forms(shop.client(MAYA).get("/?tab=2").text)[-1]
    sent = shop.client().post(unescape(action), data={"token": token, CHOICE: "given"})

    assert sent.status_code == 401
    assert "Nothing was saved." in sent.text
    back = unquote(links_of_buttons(sent.text)["Sign in"].partition("next=")[2])
    assert back.startswith("/consent/ask/credit-score?errand=")
    assert shop.client(MAYA).get(back).status_code == 200
    for name in ("choice.https://evil.example/.x", "data..", "token"):
        told = shop.client().post("/consent/choices", data={name: "given"}).text
        assert links_of_buttons(told)["Sign in"] == "/sign-in?next=%2Fconsent%2F"


ELSEWHERE = (
    *("https://evil.example/", "http://localhost.evil.example/", "//evil.example"),
    *(f"{HERE}//evil.example/", f"{HERE}/\\evil.example", "http://[", ""),
    *(f"{HERE}/consent/", f"{HERE}/{'x' * 700}", f'{HERE}/"><script>'),
)


def test_nobody_is_led_to_another_site_or_round_in_circles(near: Host) -> None:
    for number, referer in enumerate(ELSEWHERE):
        somebody = near.client(f"somebody-{number}")
        told = send(somebody, "refused", led(somebody, Referer=referer))
        assert BACK not in told, referer
        assert "evil" not in told


def test_the_address_says_nothing_of_anybody_and_is_good_for_one_person(
    near: Host,
) -> None:
    maya, tom = near.client(MAYA), near.client(TOM)
    answer(maya, "credit-score", {"acme-credit": "given"})
    answer(tom, "credit-score", {"acme-credit": "given"})
    location = led(maya, "/near?name=maya")
    assert re.fullmatch(r"/consent/ask/credit-score\?errand=[\w-]+", location)

    for client, at in (
        (tom, location),
        (maya, f"{location}A"),
        (maya, f"{location[:-1]}"),
        (maya, "/consent/ask/credit-score?errand="),
        (maya, f"/consent/ask/credit-score?errand={'A' * 9_000}"),
        (near.client(), location),
    ):
        sent = client.get(at)
        assert sent.status_code == 200
        assert NEEDS not in sent.text
    assert NEEDS in maya.get(f"{location}&lang=en").text


def test_who_answers_in_a_page_of_the_app_gets_back_to_it(shop: Host) -> None:
    told = send(shop.client(MAYA), "refused", "/?tab=2")
    assert links(told)[BACK] == "/?tab=2"
    assert BACK not in send(shop.client(TOM), "refused", "/consent/ask/credit-score")


@pytest.mark.requirement("R14")
def test_what_was_left_out_of_the_yes_to_another_country_is_told_as_well(
    tmp_path: Path,
) -> None:
    items = [declared.MESSAGES, DataItem(declared.CITY, necessary=False)]
    help_desk = replace(declared.NIGHT_HELP, data=items)
    shop = host(tmp_path, registry=declared.registry(purposes=[help_desk]))
    gate = shop.consent.require(help_desk, recipient=declared.ABROAD)
    shop.app.add_url_rule("/near", "near", gate(lambda: "near you"))
    maya, yes = shop.client(MAYA), {"night-desk": "given"}
    answer(maya, "night-help", yes, abroad=yes, optional={"night-desk": ["city"]})

    page = maya.get(led(maya)).text
    assert NEEDS in page
    assert "to <bdi>Night Desk Inc</bdi> and a yes to sending it abroad" in page
    answer(maya, "night-help", yes, abroad={"night-desk": "refused"})
    assert NEEDS not in maya.get(led(maya)).text, "more than a box was left out"
