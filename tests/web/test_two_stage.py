"""A purpose of two stages: a yes counts only once the link was opened and pressed on.

The sender of these apps is a list; what an app would put into a mail is taken from it.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from consentkit import ConfirmationLink
from consentkit.errors import ConfigurationError
from consentkit.testing import answer
from consentkit.testing import confirm
from consentkit.web.links import check_can_confirm
from tests.web import hosts
from tests.web.hosts import MAYA
from tests.web.two_stages import AGAIN
from tests.web.two_stages import CITY
from tests.web.two_stages import NOON
from tests.web.two_stages import YES
from tests.web.two_stages import Wallet
from tests.web.two_stages import again
from tests.web.two_stages import press
from tests.web.two_stages import text
from tests.web.two_stages import two_stages


@pytest.fixture
def maya(wallet: Wallet) -> FlaskClient:
    return wallet.shop.client(MAYA)


# -- the first stage -------------------------------------------------------------------


@pytest.mark.requirement("R33")
def test_the_first_post_is_a_request_and_only_the_link_gives(
    wallet: Wallet, maya: FlaskClient
) -> None:
    first = answer(maya, "credit-score", YES, optional=CITY)
    assert "One step is left" in text(first)
    assert "It does not count yet" in text(first)
    assert wallet.score == ("requested", "", "session")
    assert not wallet.allows("session")

    page = maya.get(wallet.link)
    assert wallet.score[0] == "requested"
    assert not wallet.allows("session")

    done = press(maya, page, **{"choice.credit-score.acme-credit": "given"})
    assert "You said yes to sharing" in text(done)
    assert wallet.score == ("given", "city spending", "confirmed")
    assert wallet.allows()


@pytest.mark.requirement("R33")
def test_a_gate_that_wants_it_confirmed_passes_for_nothing_less(
    wallet: Wallet, maya: FlaskClient, tmp_path: Path
) -> None:
    one_stage = hosts.host(tmp_path / "one")
    answer(one_stage.client(MAYA), "credit-score", YES)
    answer(maya, "credit-score", YES)
    confirm(maya, wallet.link)

    assert Wallet(one_stage, wallet.clock).allows("session")
    assert not Wallet(one_stage, wallet.clock).allows("confirmed")
    assert wallet.allows("confirmed")
    assert not wallet.allows("signed")


@pytest.mark.requirement("R33")
@pytest.mark.parametrize("said", ["refused", "deferred"])
def test_a_no_and_later_take_one_step(
    wallet: Wallet, maya: FlaskClient, said: str
) -> None:
    done = answer(maya, "credit-score", {"acme-credit": said})

    assert "Your answer is saved" in text(done)
    assert wallet.score == (said, "", "session")
    assert wallet.sent == []


def test_a_purpose_of_one_stage_beside_it_is_as_it_was(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "shop-offers", {"corner-shops": "given"})

    assert wallet.states()["shop-offers", "corner-shops"][0] == "given"
    assert wallet.sent == []


@pytest.mark.requirement("R33")
def test_the_question_says_before_the_answer_that_a_yes_takes_two_steps(
    wallet: Wallet, maya: FlaskClient
) -> None:
    page = maya.get("/consent/ask/credit-score").text
    other = maya.get("/consent/ask/shop-offers").text
    told = "Your yes counts only once you open it and confirm."

    assert told in page.partition('data-ck-action="decline"')[0]
    assert told not in other
    answer(maya, "credit-score", YES)
    kept = [
        html.decode() for (html,) in wallet.shop.sql("SELECT html FROM consent_notice")
    ]
    assert [told in html for html in kept if "acme-credit" in html] == [True]


def test_what_the_sender_gets_is_all_that_a_message_needs(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", YES)

    (link,) = wallet.sent
    assert (link.subject, link.locale) == (MAYA, "en")
    assert link.purpose == "Work out your credit score"
    assert link.until == NOON + timedelta(days=7)
    parts = urlsplit(link.address)
    assert (parts.scheme, parts.netloc) == ("http", "localhost")
    assert parts.path.startswith("/consent/confirmations/")


def test_a_link_tells_nobody_what_it_is_about(
    wallet: Wallet, maya: FlaskClient
) -> None:
    """It travels by mail and stands in the logs of servers."""
    answer(maya, "credit-score", YES)
    answer(maya, "credit-score", YES)
    first, second = (urlsplit(each.address).path for each in wallet.sent)

    token = first.rpartition("/")[2]
    assert "." not in token
    assert "credit" not in token
    assert first != second


@pytest.mark.requirement("R33")
def test_both_questions_about_a_recipient_abroad_are_confirmed_each_on_its_own(
    wallet: Wallet, maya: FlaskClient
) -> None:
    answer(maya, "night-help", {"night-desk": "given"}, abroad={"night-desk": "given"})
    assert len(wallet.sent) == 1
    page = maya.get(wallet.link)
    assert page.text.count('type="radio"') == 4
    assert "checked" not in page.text

    press(
        maya,
        page,
        **{
            "choice.night-help.night-desk": "given",
            "choice.night-help.cross-border.night-desk": "refused",
        },
    )
    states = wallet.states()
    assert states["night-help", "night-desk"][0] == "given"
    assert states["night-help.cross-border", "night-desk"][0] == "refused"


# -- the sender ------------------------------------------------------------------------


@pytest.mark.requirement("R33")
def test_without_a_sender_nobody_is_asked(tmp_path: Path) -> None:
    shop = hosts.host(tmp_path, registry=two_stages())
    maya = shop.client(MAYA)

    with pytest.raises(ConfigurationError, match="confirmation_sender"):
        maya.get("/")
    with pytest.raises(ConfigurationError, match="'credit-score' has two_stage"):
        maya.get("/consent/ask/credit-score")
    assert maya.get("/consent/ask/shop-offers").status_code == 200


@pytest.mark.requirement("R33")
def test_a_sender_that_fails_loses_nothing_and_says_nothing_of_the_person(
    wallet: Wallet, maya: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(link: ConfirmationLink) -> None:
        raise OSError(f"no route to {link.subject}")

    wallet.shop.consent.confirmation_sender(broken)
    done = answer(maya, "credit-score", YES)

    assert done.status_code == 200
    assert "We could not send you the link" in text(done)
    assert "wait a minute, then try again" in text(done)
    assert AGAIN in done.text
    assert wallet.score[0] == "requested"
    assert "OSError" in caplog.text
    assert MAYA not in caplog.text

    wallet.shop.consent.confirmation_sender(wallet.sent.append)
    wallet.clock.shift(60)
    assert "One step is left" in text(again(maya))
    confirm(maya, wallet.link)
    assert wallet.allows()


@pytest.mark.parametrize("known", ["TRUSTED_HOSTS", "SERVER_NAME", ""])
def test_in_production_the_links_lead_only_where_the_app_says(
    wallet: Wallet, known: str
) -> None:
    """Else whoever has a session could choose who gets the link (``Host``)."""
    state, app = wallet.shop.state, wallet.shop.app
    strict = replace(state, config=replace(state.config, production=True))
    if known:
        app.config[known] = "localhost"
    questions = state.installation.registry.questions("credit-score")
    outcome = (
        contextlib.nullcontext()
        if known
        else pytest.raises(ConfigurationError, match="TRUSTED_HOSTS or SERVER_NAME")
    )
    with app.app_context(), outcome:
        check_can_confirm(strict, questions)
