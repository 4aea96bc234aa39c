"""A form leads to a page of its own: going back and loading it again send nothing."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consentkit.testing import answer
from consentkit.testing import form_token
from tests.web.hosts import MAYA
from tests.web.hosts import Host

CHOICE = "choice.credit-score.acme-credit"
RESULT = re.compile(r"/consent/result/[0-9a-f]{32}\Z")
RECEIPT = re.compile(r"/consent/receipts/[0-9a-f]{32}")
ABSENT = "There is nothing at this address"


def say(client: FlaskClient, said: str = "given") -> TestResponse:
    """Send the form of the question, and go no further."""
    page = client.get("/consent/ask/credit-score").text
    token = re.findall(r'name="token" value="([^"]+)"', page)[-1]
    return client.post("/consent/choices", data={"token": token, CHOICE: said})


def stop(client: FlaskClient) -> TestResponse:
    """Press the first button of the centre."""
    token = form_token(client.get("/consent/").text)
    return client.post("/consent/revocations", data={"token": token})


def forget(client: FlaskClient) -> TestResponse:
    """Press the button of the erasure page."""
    token = form_token(client.get("/consent/erasure").text)
    return client.post("/consent/erasure", data={"token": token})


@pytest.mark.requirement("R31", "R115")
def test_every_form_of_a_person_leads_to_a_page_that_can_be_loaded_again(
    shop: Host, maya: FlaskClient
) -> None:
    for press, told in (
        (say, "You said <strong>yes</strong>"),
        (stop, "You <strong>stopped</strong> sharing"),
        (forget, "Your records are erased"),
    ):
        sent = press(maya)
        acts = shop.acts()

        assert sent.status_code == 303
        assert sent.headers["Cache-Control"] == "no-store"
        first, second = (maya.get(sent.location) for _ in range(2))

        assert first.status_code == 200
        assert first.headers["Cache-Control"] == "no-store"
        assert told in first.text
        assert second.text == first.text
        assert shop.acts() == acts


@pytest.mark.requirement("R116")
def test_the_address_of_a_result_tells_nothing_of_the_person(
    maya: FlaskClient,
) -> None:
    for said in ("given", "refused", "deferred"):
        assert RESULT.match(say(maya, said).location)


@pytest.mark.requirement("R31")
def test_a_result_tells_what_counts_now(shop: Host, maya: FlaskClient) -> None:
    address = say(maya).location
    assert "You said <strong>yes</strong>" in maya.get(address).text
    with shop.app.app_context():
        shop.consent.revoke(MAYA)

    page = maya.get(address).text

    assert "You said <strong>yes</strong>" not in page
    assert "You <strong>stopped</strong> sharing" in page
    assert set(RECEIPT.findall(page)) == {address.replace("result", "receipts")}


@pytest.mark.requirement("R31", "R58")
def test_a_yes_sent_again_after_a_stop_is_told_what_counts_now(
    shop: Host, maya: FlaskClient
) -> None:
    token = form_token(maya.get("/consent/ask/credit-score").text)
    form = {"token": token, CHOICE: "given"}
    first = maya.post("/consent/choices", data=form)
    with shop.app.app_context():
        shop.consent.revoke(MAYA)

    again = maya.post("/consent/choices", data=form)

    assert again.location == first.location
    assert "You <strong>stopped</strong> sharing" in maya.get(again.location).text
    assert shop.grants() == []


@pytest.mark.requirement("R116")
def test_a_result_is_there_for_nobody_else(
    maya: FlaskClient, tom: FlaskClient, nobody: FlaskClient
) -> None:
    address = say(maya).location
    answer(tom, "credit-score", {"acme-credit": "refused"})

    theirs = tom.get(address)
    assert theirs.status_code == 404
    assert ABSENT in theirs.text
    for path in (address, "/consent/result", "/consent/erased"):
        assert nobody.get(path).status_code == 401


def test_a_result_that_never_was_is_not_there(maya: FlaskClient) -> None:
    say(maya)
    for made_up in ("0" * 32, "x", "%00", "1' OR '1'='1"):
        assert maya.get(f"/consent/result/{made_up}").status_code == 404


def test_a_stop_with_nothing_left_leads_to_a_page_that_says_so(
    shop: Host, maya: FlaskClient
) -> None:
    say(maya)
    token = form_token(maya.get("/consent/").text)
    maya.post("/consent/revocations", data={"token": token})
    acts = shop.acts()

    again = maya.post("/consent/revocations", data={"token": token})

    assert again.status_code == 303
    assert "There was nothing left to stop" in maya.get(again.location).text
    assert shop.acts() == acts


@pytest.mark.requirement("R92")
def test_after_an_erasure_no_earlier_result_tells_anything(maya: FlaskClient) -> None:
    address = say(maya).location
    forget(maya)
    assert maya.get(address).status_code == 404


@pytest.mark.requirement("R92")
def test_who_has_records_again_is_not_told_that_they_are_erased(
    maya: FlaskClient,
) -> None:
    say(maya)
    erased = forget(maya).location
    say(maya, "refused")

    page = maya.get(erased, follow_redirects=True)

    assert "Your records are erased" not in page.text
    assert page.request.path == "/consent/erasure"
    assert "1 entry in the log" in page.text


REFUSED = {
    "/consent/choices": (403, "We could not tell where this came from"),
    "/consent/revocations": (403, "We could not tell where this came from"),
    "/consent/erasure": (403, "We could not tell where this came from"),
}


@pytest.mark.parametrize("path", REFUSED)
def test_a_refused_form_says_so_at_once(path: str, maya: FlaskClient) -> None:
    status, told = REFUSED[path]
    sent = maya.post(path, data={"token": "made-up"})
    assert sent.status_code == status
    assert told in sent.text


@pytest.mark.requirement("R113")
def test_a_result_can_be_read_in_another_language(maya: FlaskClient) -> None:
    page = maya.get(f"{say(maya).location}?lang=xx")
    assert page.status_code == 200
    assert page.headers["Content-Language"] == "en"


def stops(page: str) -> list[str]:
    """The tokens of a page's buttons that stop something, in their order."""
    return re.findall(
        r'action="/consent/revocations">\s*<input type="hidden" name="token" '
        r'value="([^"]+)"',
        page,
    )


@pytest.mark.requirement("R53", "R54")
@pytest.mark.parametrize(
    ("purpose", "form"),
    [
        ("shop-offers", {"corner-shops": "given", "controller": "given"}),
        ("night-help", {"night-desk": "given"}),
    ],
    ids=["sharing and own use", "a pair about another country"],
)
def test_what_was_agreed_to_by_one_press_is_stopped_by_one_where_it_stands(
    purpose: str, form: dict[str, str], shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    answer(maya, purpose, form, abroad=form if purpose == "night-help" else None)
    page = maya.get(f"/consent/ask/{purpose}").text
    assert page.count("Stop all of these") == 1
    first, *cards = stops(page)
    assert len(cards) == 2

    sent = maya.post("/consent/revocations", data={"token": first})

    told = maya.get(sent.location).text
    assert told.count("<strong>stopped</strong>") == 2
    assert shop.grants() == [(MAYA, "credit-score", "acme-credit")]


def test_where_one_thing_is_agreed_to_there_is_one_button(maya: FlaskClient) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    answer(maya, "shop-offers", {"corner-shops": "given", "controller": "refused"})
    for purpose in ("credit-score", "shop-offers"):
        page = maya.get(f"/consent/ask/{purpose}").text
        assert "Stop all of these" not in page
        assert len(stops(page)) == 1
