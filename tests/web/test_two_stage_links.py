"""The link that confirms a yes: what it shows, and when it no longer counts."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.parse import urlsplit

import pytest
import time_machine
from flask.testing import FlaskClient

from consentkit.core.representative import Representative
from consentkit.testing import answer
from consentkit.testing import confirm
from consentkit.testing import form_token
from tests import declared
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.two_stages import AGAIN
from tests.web.two_stages import CITY
from tests.web.two_stages import NO
from tests.web.two_stages import NOON
from tests.web.two_stages import YES
from tests.web.two_stages import Wallet
from tests.web.two_stages import make
from tests.web.two_stages import press
from tests.web.two_stages import text
from tests.web.two_stages import two_stages


@pytest.fixture
def maya(wallet: Wallet) -> FlaskClient:
    return wallet.shop.client(MAYA)


@pytest.mark.requirement("R33")
def test_opening_a_link_grants_nothing_however_often(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    acts = wallet.shop.acts()
    for method in ("GET", "HEAD", "GET"):
        maya.open(wallet.link, method=method)
    assert maya.get("/consent/confirmations").status_code == 405

    assert wallet.shop.acts() == acts
    assert wallet.shop.grants() == []


@pytest.mark.requirement("R33")
def test_a_link_shows_all_of_what_it_confirms_and_declining_comes_first(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES, optional=CITY)
    page = maya.get(wallet.link)
    said = text(page)

    for told in (
        "I agree that Wallet Ltd shares my spending history and the city I live in",
        "Acme Credit Scoring Ltd works out my credit score",
        "Your spending history",
        "The city you live in",
        "privacy@acme-credit.example",
        "A yes given today ends on 22 November 2027",
    ):
        assert told in said
    assert 'type="checkbox"' not in page.text
    actions = re.findall(r'data-ck-action="(\w+)"', page.text)
    assert actions == ["later", "decline", "accept"]


@pytest.mark.requirement("R33")
def test_a_link_counts_once_and_then_tells_what_stands(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    page = maya.get(wallet.link)
    given = {"choice.credit-score.acme-credit": "given"}
    press(maya, page, **given)
    acts = wallet.shop.acts()

    twice = press(maya, page, **given)
    other = press(maya, page, **{"choice.credit-score.acme-credit": "refused"})
    opened = maya.get(wallet.link, follow_redirects=True)

    assert "Your answer is saved" in text(twice)
    for told in (other, opened):
        assert "This link was used before" in text(told)
        assert "You said yes to sharing" in text(told)
    assert wallet.shop.acts() == acts
    assert wallet.allows()
    answer(maya, "credit-score", NO)
    assert "You said no" in text(maya.get(wallet.link, follow_redirects=True))


@pytest.mark.requirement("R33")
def test_a_no_on_the_page_of_the_link_is_a_no(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    done = confirm(maya, wallet.link, answer="refused")

    assert "You said no" in text(done)
    assert wallet.score == ("refused", "", "confirmed")


@pytest.mark.requirement("R33")
def test_somebody_else_is_refused_and_nobody_is_led_to_sign_in_and_back(
    tmp_path: Path,
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        config: dict[str, Any] = {"CONSENTKIT_SIGN_IN_URL": "/sign-in?next={next}"}
        wallet = make(tmp_path, clock, **config)
        shop = wallet.shop
        maya, tom, nobody = shop.client(MAYA), shop.client(TOM), shop.client()
        answer(maya, "credit-score", YES)
        page = maya.get(wallet.link)
        given = {"choice.credit-score.acme-credit": "given"}

        for refused in (tom.get(wallet.link), press(tom, page, **given)):
            assert refused.status_code == 403
            assert "This link was sent to somebody else" in text(refused)
            assert "Acme" not in refused.text
        asked = nobody.get(wallet.link)
        assert asked.status_code == 401
        assert press(nobody, page, **given).status_code == 401
        path = urlsplit(wallet.link).path
        assert f"/sign-in?next={quote(path, safe='')}" in asked.text
        assert shop.grants() == []


FORGED = {
    "nothing": "x",
    "cut short": lambda token: token[:-5],
    "one letter changed": lambda token: (
        token[:40] + ("A" if token[40] != "A" else "B") + token[41:]
    ),
    "another spelling": lambda token: token + "=",
    "endless": lambda _: "A" * 7_000,
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_link_that_is_not_whole_is_refused(
    wallet: Wallet, maya: FlaskClient, forge: Any
) -> None:
    answer(maya, "credit-score", YES)
    base, _, token = urlsplit(wallet.link).path.rpartition("/")
    wrong = forge(token) if callable(forge) else forge

    told = maya.get(f"{base}/{wrong}")

    assert told.status_code == 404
    assert "This link is not whole" in text(told)


@pytest.mark.requirement("R33")
def test_a_link_is_good_for_a_week(wallet: Wallet, maya: FlaskClient) -> None:
    answer(maya, "credit-score", YES)
    wallet.clock.shift(timedelta(days=7) - timedelta(milliseconds=1))
    assert maya.get(wallet.link).status_code == 200
    wallet.clock.shift(0.001)
    over = maya.get(wallet.link)

    assert over.status_code == 410
    assert "This link is too old" in text(over)
    assert wallet.score[0] == "requested"
    centre = text(maya.get("/consent/"))
    assert "You did not open the link in time" in centre
    assert AGAIN not in centre
    assert 'data-ck-action="accept"' in maya.get("/").text  # and is asked anew


MEANWHILE = {
    "said no": lambda client: answer(client, "credit-score", NO),
    "put it off": lambda client: answer(
        client, "credit-score", {"acme-credit": "deferred"}
    ),
    "said yes to something else": lambda client: answer(
        client, "credit-score", YES, optional=CITY
    ),
}


@pytest.mark.requirement("R33")
@pytest.mark.parametrize("act", MEANWHILE.values(), ids=MEANWHILE)
def test_a_link_is_void_once_the_person_has_answered_anew(
    wallet: Wallet, maya: FlaskClient, act: Any
) -> None:
    answer(maya, "credit-score", YES)
    link = wallet.link
    page = maya.get(link)
    wallet.clock.shift(1)
    act(maya)

    told = maya.get(link)
    pressed = press(maya, page, **{"choice.credit-score.acme-credit": "given"})

    for each in (told, pressed):
        assert each.status_code == 410
        assert "This link no longer counts" in text(each)
        assert "/consent/ask/credit-score" in each.text
    assert wallet.shop.grants() == []


CHANGED = {
    "the recipient": {
        "recipients": [replace(declared.CREDIT, name="Acme Data Ltd")],
    },
    "the stages": {"two_stage": False},
    "the data": {"data": [declared.SPENDING]},
}


@pytest.mark.requirement("R33")
@pytest.mark.parametrize("fields", CHANGED.values(), ids=CHANGED)
def test_a_link_is_void_once_the_question_has_changed(
    wallet: Wallet, maya: FlaskClient, tmp_path: Path, fields: dict[str, Any]
) -> None:
    answer(maya, "credit-score", YES, optional=CITY)
    page = maya.get(wallet.link)
    then = make(tmp_path, wallet.clock, registry=two_stages(**fields))
    client = then.shop.client(MAYA)

    done = press(client, page, **{"choice.credit-score.acme-credit": "given"})

    assert done.status_code in {409, 410}
    assert then.shop.grants() == []


def test_an_open_question_of_another_shape_cannot_be_answered_by_a_link(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    page = maya.get(wallet.link)
    refused = {
        "later": {"choice.credit-score.acme-credit": "deferred"},
        "more data": {
            "choice.credit-score.acme-credit": "given",
            "data.credit-score.acme-credit": "city",
        },
        "another question": {"choice.shop-offers.corner-shops": "given"},
        "nothing": {},
    }
    for form in refused.values():
        assert press(maya, page, **form).status_code in {410, 422}
    assert wallet.shop.grants() == []
    other = {"token": form_token(maya.get("/consent/ask/shop-offers").text)}
    assert maya.post("/consent/confirmations", data=other).status_code == 404


def test_a_link_that_another_site_presses_is_refused(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    form = {
        "token": form_token(maya.get(wallet.link).text),
        "choice.credit-score.acme-credit": "given",
    }
    sent = maya.post(
        "/consent/confirmations", data=form, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert sent.status_code == 403
    assert wallet.shop.grants() == []


def test_an_erased_person_is_nobody_that_a_link_could_confirm_for(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    with wallet.shop.app.app_context():
        wallet.shop.consent.erase(MAYA, reason="request")

    assert maya.get(wallet.link).status_code == 410


@pytest.mark.requirement("R33")
def test_nobody_who_acts_for_a_person_confirms_for_them(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)
    page = maya.get(wallet.link)
    mother = Representative(
        MAYA,
        by=TOM,
        actor="guardian",
        label="Maya",
        verification="register-extract",
        evidence="file 7",
        adult=True,
        of_adult=True,
    )
    wallet.shop.consent.representative_loader(lambda: mother)
    tom = wallet.shop.client(TOM)

    assert tom.get(wallet.link).status_code == 403
    given = press(tom, page, **{"choice.credit-score.acme-credit": "given"})
    assert given.status_code == 403
    assert AGAIN not in tom.get("/consent/").text
    assert wallet.score[0] == "requested"
