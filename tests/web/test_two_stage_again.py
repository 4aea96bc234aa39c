"""Two stages: a yes that stood before, another link, and what remains of both acts."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf import CSRFProtect  # type: ignore[import-untyped]  # it has no types

from consentkit.testing import answer
from consentkit.testing import confirm
from tests.web.hosts import MAYA
from tests.web.hosts import body_of
from tests.web.two_stages import AGAIN
from tests.web.two_stages import CITY
from tests.web.two_stages import NO
from tests.web.two_stages import WAITS
from tests.web.two_stages import YES
from tests.web.two_stages import Wallet
from tests.web.two_stages import again
from tests.web.two_stages import make
from tests.web.two_stages import text

DAY = timedelta(days=1)


@pytest.fixture
def maya(wallet: Wallet) -> FlaskClient:
    return wallet.shop.client(MAYA)


@pytest.fixture
def agreed(wallet: Wallet, maya: FlaskClient) -> Wallet:
    """She said yes, confirmed it, and a month has passed."""
    answer(maya, "credit-score", YES)
    confirm(maya, wallet.link)
    wallet.clock.shift(30 * DAY)
    return wallet


# -- a yes that stands -----------------------------------------------------------------


@pytest.mark.requirement("R33", "R90")
def test_a_yes_that_stands_goes_on_until_another_is_confirmed(
    agreed: Wallet, maya: FlaskClient
) -> None:
    before = agreed.score
    first = answer(maya, "credit-score", YES, optional=CITY)

    assert "One step is left" in text(first)
    assert "Until then, your earlier yes goes on." in text(first)
    assert agreed.score == before
    assert agreed.allows()
    page = maya.get(agreed.link)
    assert "Your earlier yes of 22 November 2026 goes on" in text(page)

    confirm(maya, agreed.link)
    assert agreed.score == ("renewed", "city spending", "confirmed")
    assert agreed.allows()


@pytest.mark.requirement("R33")
def test_a_no_to_the_renewal_ends_the_yes_that_stood(
    agreed: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    confirm(maya, agreed.link, answer="refused")

    assert agreed.score[0] == "refused"


@pytest.mark.requirement("R33")
def test_a_renewal_is_void_once_the_yes_that_stood_was_stopped(
    agreed: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    with agreed.shop.app.app_context():
        agreed.shop.consent.revoke(MAYA)

    assert maya.get(agreed.link).status_code == 410
    assert agreed.score[0] == "withdrawn"


def test_a_renewal_can_be_confirmed_after_the_yes_that_stood_ran_out(
    agreed: Wallet, maya: FlaskClient
) -> None:
    agreed.clock.shift(334 * DAY)
    answer(maya, "credit-score", YES)
    agreed.clock.shift(2 * DAY)
    assert not agreed.allows()

    confirm(maya, agreed.link)
    assert agreed.score[0] == "renewed"
    assert agreed.allows()


@pytest.mark.requirement("R90")
def test_a_yes_after_one_that_ran_out_is_a_renewal_in_two_stages_too(
    agreed: Wallet, maya: FlaskClient
) -> None:
    agreed.clock.shift(400 * DAY)
    answer(maya, "credit-score", YES)
    assert agreed.score[0] == "requested"

    confirm(maya, agreed.link)
    assert agreed.score[0] == "renewed"


def test_a_first_form_that_is_sent_twice_sends_one_message(
    wallet: Wallet, maya: FlaskClient
) -> None:
    page = maya.get("/consent/ask/credit-score").text
    token = re.findall(r'name="token" value="([^"]+)"', page)[-1]
    form = {"token": token, "choice.credit-score.acme-credit": "given"}
    maya.post("/consent/choices", data=form)
    twice = maya.post("/consent/choices", data=form)
    other = {**form, "data.credit-score.acme-credit": "city"}

    assert twice.status_code == 303
    assert maya.post("/consent/choices", data=other).status_code == 409
    assert (len(wallet.sent), wallet.shop.acts()) == (1, 1)


# -- another link ----------------------------------------------------------------------


@pytest.mark.requirement("R33")
def test_the_widget_and_the_centre_say_what_is_left_and_send_the_link_again(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES, optional=CITY)
    for path in ("/", "/consent/"):
        page = maya.get(path)
        assert WAITS in text(page)
        assert "The city you live in" in text(page)
        assert AGAIN in page.text
        assert 'data-ck-action="accept"' not in page.text
    first = wallet.link

    wallet.clock.shift(3_600)
    assert "One step is left" in text(again(maya))
    assert len(wallet.sent) == 2
    assert wallet.sent[1].until - wallet.sent[0].until == timedelta(hours=1)
    assert "12:00" not in text(maya.get("/consent/"))
    assert maya.get(first).status_code == 200  # it may still be the one she opens
    confirm(maya, wallet.link)
    assert wallet.score == ("given", "city spending", "confirmed")
    assert maya.get(first).status_code == 410


@pytest.mark.requirement("R33")
def test_a_link_is_sent_once_a_minute_at_most(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    acts = wallet.shop.acts()
    wallet.clock.shift(59.999)
    soon = again(maya)
    assert soon.status_code == 429
    assert "We sent you a link a moment ago" in text(soon)
    assert (len(wallet.sent), wallet.shop.acts()) == (1, acts)

    wallet.clock.shift(0.001)
    assert again(maya).status_code == 200
    assert again(maya).status_code == 429
    assert len(wallet.sent) == 2


def test_a_button_that_is_pressed_twice_sends_one_link(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    page = maya.get("/consent/").text.partition("/confirmations/again")[2]
    form = {"token": re.findall(r'name="token" value="([^"]+)"', page)[0]}
    wallet.clock.shift(60)
    for _ in range(2):
        sent = maya.post("/consent/confirmations/again", data=form)
        assert sent.status_code == 303

    assert len(wallet.sent) == 2
    answer(maya, "credit-score", NO)
    late = {"token": form["token"]}
    wallet.clock.shift(60)
    maya.post("/consent/confirmations/again", data=late)
    assert len(wallet.sent) == 2
    assert wallet.score[0] == "refused"


def test_nothing_is_sent_again_for_what_was_answered_since(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    page = maya.get("/consent/").text.partition("/confirmations/again")[2]
    form = {"token": re.findall(r'name="token" value="([^"]+)"', page)[0]}
    wallet.clock.shift(60)
    answer(maya, "credit-score", NO)

    assert maya.post("/consent/confirmations/again", data=form).status_code == 410
    assert len(wallet.sent) == 1


def test_the_hosts_form_protection_is_satisfied(tmp_path: Path, wallet: Wallet) -> None:
    def protect(app: Flask) -> None:
        CSRFProtect(app)

    protected = make(tmp_path / "protected", wallet.clock, before=protect)
    client = protected.shop.client(MAYA)
    answer(client, "credit-score", YES)

    assert confirm(client, protected.link).status_code == 200
    assert protected.allows()


# -- what remains ----------------------------------------------------------------------


def receipts(client: FlaskClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body_of(client.get("/consent/export.json"))[
        "receipts"
    ]
    return found


@pytest.mark.requirement("R33")
def test_both_acts_have_receipts_and_the_second_names_the_first(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES, optional=CITY)
    confirm(maya, wallet.link)
    second, first = receipts(maya)
    told = dict(json.loads(_decoded(each))[1:] for each in second["disclosures"])

    assert told["confirmed_by"] == "link"
    assert told["confirms"] == [first["receipt_id"]]
    page = text(maya.get(f"/consent/receipts/{first['receipt_id']}"))
    assert "You said yes to sharing with Acme Credit Scoring Ltd" in page
    assert "It does not count yet" in page
    assert "The city you live in" in page
    page = text(maya.get(f"/consent/receipts/{second['receipt_id']}"))
    assert "You were signed in and confirmed it a second time." in page
    copy = text(maya.get("/consent/export"))
    assert "It does not count yet" in copy
    assert AGAIN not in copy


def _decoded(disclosure: str) -> bytes:
    return base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4))


@pytest.mark.requirement("R33", "R106")
def test_a_browser_that_opts_out_is_told_so_before_a_yes_of_two_stages_counts(
    wallet: Wallet, maya: FlaskClient
) -> None:
    """Confirmed where the browser says no, a yes would be undone at once."""
    answer(maya, "credit-score", YES)
    page = maya.get(wallet.link).text
    token = re.findall(r'name="token" value="([^"]+)"', page)[0]
    form = {"token": token, "choice.credit-score.acme-credit": "given"}
    sent = maya.post("/consent/confirmations", data=form, headers={"Sec-GPC": "1"})

    assert sent.status_code == 409
    assert "/consent/ask/credit-score" in sent.text
    assert wallet.shop.grants() == []
