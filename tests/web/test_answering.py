"""A form that comes back: stored exactly as pressed, or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from consentkit.core.vocabulary import Recipient
from consentkit.errors import LogUnavailableError
from consentkit.log.leaf import read_leaf
from consentkit.store.ledger import Ledger
from consentkit.testing import answer
from tests import declared
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import host

ASK = "/consent/ask/credit-score"
CHOICE = "choice.credit-score.acme-credit"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NOTHING_SAVED = "Nothing was saved."


def token_of(client: FlaskClient, purpose: str = "credit-score") -> str:
    page = client.get(f"/consent/ask/{purpose}").text
    return str(re.findall(r'name="token" value="([^"]+)"', page)[-1])


def last_act(shop: Host) -> dict[str, Any]:
    (row,) = shop.sql(
        "SELECT bytes FROM consent_leaf WHERE handle IS NOT NULL "
        "ORDER BY position DESC LIMIT 1"
    )
    return dict(read_leaf(row[0]).body)


@pytest.mark.requirement("R31", "R36")
@pytest.mark.parametrize("said", ["given", "refused", "deferred"])
def test_what_is_pressed_is_what_is_stored_and_told(
    shop: Host, maya: FlaskClient, said: str
) -> None:
    page = answer(maya, "credit-score", {"acme-credit": said})

    (choice,) = last_act(shop)["choices"]
    assert choice["state"] == said
    words = {"given": "yes", "refused": "no", "deferred": "later"}
    assert f"<strong>{words[said]}</strong>" in page.text
    assert shop.allows(MAYA) is (said == "given")


@pytest.mark.requirement("R31")
def test_the_result_page_lists_yes_no_and_no_answer_alike(
    shop: Host, maya: FlaskClient
) -> None:
    page = answer(
        maya, "shop-offers", {"controller": "given", "corner-shops": "refused"}
    )
    assert "You said <strong>yes</strong>" in page.text
    assert "You said <strong>no</strong>" in page.text

    page = answer(maya, "night-help", {"night-desk": "given"})
    assert "You said <strong>yes</strong>" in page.text
    assert "You gave <strong>no answer</strong>" in page.text
    assert ("night-help", "night-desk") in {each[1:] for each in shop.grants()}


@pytest.mark.requirement("R71")
def test_a_yes_to_sharing_alone_sends_nothing_abroad(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "night-help", {"night-desk": "given"})
    assert not shop.allows(MAYA, "night-help", "night-desk", data=None)

    answer(maya, "night-help", {}, abroad={"night-desk": "given"})
    assert shop.allows(MAYA, "night-help", "night-desk", data=None)


@pytest.mark.requirement("R8", "R19")
def test_optional_data_is_covered_only_when_it_is_ticked(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", {"acme-credit": "given"})
    assert not shop.allows(MAYA, data={"spending", "city"})

    answer(
        maya,
        "credit-score",
        {"acme-credit": "given"},
        optional={"acme-credit": ["city"]},
    )
    assert shop.allows(MAYA, data={"spending", "city"})


def test_boxes_that_are_ticked_beside_a_no_cover_nothing(
    shop: Host, maya: FlaskClient
) -> None:
    answer(
        maya,
        "credit-score",
        {"acme-credit": "refused"},
        optional={"acme-credit": ["city"]},
    )

    (choice,) = last_act(shop)["choices"]
    assert choice["data"] == []


ODD: dict[str, dict[str, Any]] = {
    "another purpose's question": {"choice.shop-offers.corner-shops": "given"},
    "another recipient": {"choice.credit-score.corner-shops": "given"},
    "its own question and another": {
        CHOICE: "given",
        "choice.shop-offers.corner-shops": "given",
    },
    "an unknown purpose": {"choice.anything.acme-credit": "given"},
    "all recipients": {"choice.credit-score.*": "given"},
    "no recipient": {"choice.credit-score": "given"},
    "no name": {"choice.": "given"},
    "a state of the log": {CHOICE: "renewed"},
    "a state nobody answers": {CHOICE: "withdrawn"},
    "a state in capitals": {CHOICE: "GIVEN"},
    "a checkbox": {CHOICE: "on"},
    "nothing chosen": {CHOICE: ""},
    "a yes and a no": {CHOICE: ["given", "refused"]},
    "a no and a yes": {CHOICE: ["refused", "given"]},
    "twice the same": {CHOICE: ["given", "given"]},
    "data that was not asked about": {
        CHOICE: "given",
        "data.credit-score.acme-credit": ["messages"],
    },
    "data that is no id": {CHOICE: "given", "data.credit-score.acme-credit": "<b>"},
    "a field of nobody's": {CHOICE: "given", "subject": TOM},
    "an assurance": {CHOICE: "given", "assurance": "signed"},
    "an end": {CHOICE: "given", "until": "99999999999999"},
    "too many fields": {f"choice.credit-score.r{n}": "given" for n in range(500)},
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.requirement("R22", "R115")
def test_a_form_that_was_not_ours_stores_nothing(
    name: str, shop: Host, maya: FlaskClient
) -> None:
    form = {"token": token_of(maya), **ODD[name]}

    page = maya.post("/consent/choices", data=form)

    assert page.status_code == 422
    assert "We could not read this answer" in page.text
    assert shop.acts() == 0


@pytest.mark.requirement("R23", "R29")
@pytest.mark.parametrize("purpose", ["credit-score", "shop-offers"])
def test_a_form_without_an_answer_stores_nothing_and_is_shown_again(
    shop: Host, maya: FlaskClient, purpose: str
) -> None:
    """Silence is no answer: it is not told as one, and buys no days of quiet."""
    sent = token_of(maya, purpose)
    page = maya.post("/consent/choices", data={"token": sent})

    assert page.status_code == 422
    assert "You have not chosen an answer" in page.text
    assert NOTHING_SAVED in page.text
    hint = re.search(r'<div [^>]*id="consentkit-hint"[^>]*>', page.text)
    assert hint
    assert 'tabindex="-1" autofocus' in hint[0]
    (target,) = re.findall(r'href="#([^"]+)">Go to the question', page.text)
    assert f'id="{target}"' in page.text
    assert (shop.acts(), shop.grants()) == (0, [])
    assert shop.sql("SELECT * FROM consent_state") == []

    fresh = re.findall(r'name="token" value="([^"]+)"', page.text)[-1]
    assert fresh != sent
    name = "choice.credit-score.acme-credit"
    if purpose == "shop-offers":
        name = "choice.shop-offers.corner-shops"
    page = maya.post("/consent/choices", data={"token": fresh, name: "refused"})
    assert page.status_code == 303


@pytest.mark.requirement("R23")
def test_silence_changes_nothing_that_was_said_before(
    shop: Host, maya: FlaskClient
) -> None:
    answer(maya, "credit-score", {"acme-credit": "refused"})

    page = maya.post("/consent/choices", data={"token": token_of(maya)})

    assert page.status_code == 422
    assert CHOICE in page.text
    assert (shop.acts(), shop.grants()) == (1, [])


@pytest.mark.requirement("R31")
def test_what_is_left_out_of_a_form_with_an_answer_stays_unanswered(
    shop: Host, maya: FlaskClient
) -> None:
    page = answer(maya, "shop-offers", {"corner-shops": "given"})

    assert "You gave <strong>no answer</strong>" in page.text
    states = {each["recipient"]: each["state"] for each in last_act(shop)["choices"]}
    assert states == {"controller": "requested", "corner-shops": "given"}


TOKENS: dict[str, Any] = {
    "none": [],
    "an empty one": [""],
    "a made-up one": ["x.y.z"],
    "an overlong one": ["x" * 100_000],
    "a nul": ["\x00"],
}


@pytest.mark.parametrize("name", TOKENS)
@pytest.mark.requirement("R115")
def test_without_a_token_of_ours_nothing_is_stored(
    name: str, shop: Host, maya: FlaskClient
) -> None:
    for path in ("/consent/choices", "/consent/revocations"):
        page = maya.post(path, data={"token": TOKENS[name], CHOICE: "given"})
        assert page.status_code == 403
        assert NOTHING_SAVED in page.text
    assert shop.acts() == 0


def test_two_tokens_are_none(shop: Host, maya: FlaskClient) -> None:
    form = {"token": [token_of(maya), token_of(maya)], CHOICE: "given"}

    assert maya.post("/consent/choices", data=form).status_code == 403
    assert shop.acts() == 0


@pytest.mark.requirement("R32", "R115")
def test_the_form_of_one_person_says_nothing_for_another(
    shop: Host, maya: FlaskClient, tom: FlaskClient
) -> None:
    """A shared computer: Maya opened the page, Tom signed in and pressed the button."""
    page = tom.post("/consent/choices", data={"token": token_of(maya), CHOICE: "given"})

    assert page.status_code == 403
    assert "opened by somebody else" in page.text
    assert shop.acts() == 0


def test_nobody_answers_while_nobody_is_signed_in(
    shop: Host, maya: FlaskClient, nobody: FlaskClient
) -> None:
    token = token_of(maya)

    page = nobody.post("/consent/choices", data={"token": token, CHOICE: "given"})

    assert page.status_code == 401
    assert shop.acts() == 0


@pytest.mark.requirement("R112")
def test_an_old_form_asks_again_with_nothing_chosen_and_stores_nothing(
    shop: Host, maya: FlaskClient
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        old = token_of(maya)
        clock.shift(timedelta(hours=3))
        page = maya.post("/consent/choices", data={"token": old, CHOICE: "given"})

        assert page.status_code == 409
        assert "This page was open for too long" in page.text
        assert NOTHING_SAVED in page.text
        assert f'name="{CHOICE}" value="refused"' in page.text
        assert "checked" not in page.text
        assert shop.acts() == 0

        (new,) = re.findall(r'name="token" value="([^"]+)"', page.text)
        assert new != old
        page = maya.post("/consent/choices", data={"token": new, CHOICE: "refused"})
        assert page.status_code == 303
    assert shop.acts() == 1


def test_an_old_form_of_somebody_else_asks_nothing(
    maya: FlaskClient, tom: FlaskClient
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        old = token_of(maya)
        clock.shift(timedelta(hours=3))
        page = tom.post("/consent/choices", data={"token": old, CHOICE: "given"})

    assert page.status_code == 403
    assert CHOICE not in page.text


CHANGES: dict[str, Callable[[Recipient], Recipient]] = {
    "the recipient's country": lambda each: replace(each, country="IE"),
    "the recipient's name": lambda each: replace(each, name="Acme Data Ltd"),
    "the recipient's relation": lambda each: replace(each, relation="partner"),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.requirement("R87", "R115")
def test_a_form_about_something_else_by_now_asks_the_new_question(
    name: str, tmp_path: Path
) -> None:
    before = host(tmp_path)
    old = token_of(before.client(MAYA))
    credit = replace(
        declared.CREDIT,
        safeguard="The adequacy decision of 28 June 2021.",
        risks="None that are known.",
        rights_url="https://acme-credit.example/rights",
    )
    recipient = CHANGES[name](credit)
    score = replace(declared.SCORE, recipients=[recipient])
    after = host(tmp_path, registry=declared.registry(purposes=[score]))

    page = after.client(MAYA).post(
        "/consent/choices", data={"token": old, CHOICE: "given"}
    )

    assert page.status_code == 409
    assert "The question has changed" in page.text
    assert NOTHING_SAVED in page.text
    assert f'name="{CHOICE}" value="given"' in page.text
    assert after.acts() == 0


def test_a_form_about_a_purpose_that_is_gone_says_so(tmp_path: Path) -> None:
    old = token_of(host(tmp_path).client(MAYA))
    after = host(tmp_path, registry=declared.registry(purposes=[declared.OFFERS]))

    page = after.client(MAYA).post(
        "/consent/choices", data={"token": old, CHOICE: "given"}
    )

    assert page.status_code == 409
    assert "The question has changed" in page.text
    assert after.acts() == 0


def test_a_new_wording_leaves_an_open_form_good(tmp_path: Path) -> None:
    old = token_of(host(tmp_path).client(MAYA))
    score = replace(declared.SCORE, description="Acme works out your score. It is new.")
    after = host(tmp_path, registry=declared.registry(purposes=[score]))

    after.client(MAYA).post("/consent/choices", data={"token": old, CHOICE: "given"})

    assert after.allows(MAYA)


@pytest.mark.requirement("R115")
def test_a_form_that_is_sent_twice_counts_once(shop: Host, maya: FlaskClient) -> None:
    form = {"token": token_of(maya), CHOICE: "given"}

    first, second = (maya.post("/consent/choices", data=form) for _ in range(2))

    assert first.status_code == second.status_code == 303
    assert re.fullmatch(r"/consent/result/[0-9a-f]{32}", first.location)
    assert first.location == second.location
    assert shop.acts() == 1


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({CHOICE: "given"}, {CHOICE: "refused"}),
        ({CHOICE: "refused"}, {CHOICE: "given"}),
        ({CHOICE: "given"}, {CHOICE: "given", "data.credit-score.acme-credit": "city"}),
        ({CHOICE: "given", "data.credit-score.acme-credit": "city"}, {CHOICE: "given"}),
    ],
)
@pytest.mark.requirement("R31", "R115")
def test_going_back_and_pressing_the_other_button_asks_again(
    shop: Host, maya: FlaskClient, first: dict[str, str], then: dict[str, str]
) -> None:
    """The first answer must not be shown as if it were the second one."""
    token = token_of(maya)
    maya.post("/consent/choices", data={"token": token, **first})

    page = maya.post("/consent/choices", data={"token": token, **then})

    assert page.status_code == 409
    assert "already used for another answer" in page.text
    assert f'name="{CHOICE}" value="refused"' in page.text
    assert shop.acts() == 1


@pytest.mark.requirement("R58", "R115")
def test_an_old_yes_that_is_sent_again_revives_nothing(
    shop: Host, maya: FlaskClient
) -> None:
    form = {"token": token_of(maya), CHOICE: "given"}
    maya.post("/consent/choices", data=form)
    with shop.app.app_context():
        shop.consent.revoke(MAYA)

    maya.post("/consent/choices", data=form)

    assert shop.grants() == []
    assert not shop.allows(MAYA)


def test_when_nothing_can_be_stored_the_page_says_that_and_nothing_else(
    shop: Host, maya: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = token_of(maya)

    def down(_ledger: Ledger) -> None:
        raise LogUnavailableError("the consent database did not answer")

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "write", down)
        page = maya.post("/consent/choices", data={"token": token, CHOICE: "given"})

    assert page.status_code == 503
    assert "We cannot save this right now" in page.text
    assert shop.acts() == 0


@pytest.mark.requirement("R37")
def test_the_servers_clock_decides_when_it_was(shop: Host, maya: FlaskClient) -> None:
    with time_machine.travel(NOW, tick=False):
        form = {"token": token_of(maya), CHOICE: "given"}
        headers = {"Date": "Mon, 01 Jan 2018 00:00:00 GMT", "X-Time": "0"}
        maya.post("/consent/choices", data=form, headers=headers)

    act = last_act(shop)
    assert act["time"] == NOW.timestamp() * 1000
    record = maya.get(f"/consent/receipts/{act['id']}.json").get_json()["record"]
    assert record["events"][0]["event_time"].startswith("2026-11-22T12:00:00")
    assert record["events"][0]["event_time"].endswith("Z")


@pytest.mark.requirement("R45")
def test_the_log_holds_nothing_that_the_browser_says_about_itself(
    shop: Host, maya: FlaskClient
) -> None:
    form = {"token": token_of(maya), CHOICE: "given"}
    maya.post(
        "/consent/choices",
        data=form,
        headers={
            "User-Agent": "Seeded/1.0 \xff\u00e9",
            "Referer": "https://seeded.example",
        },
        environ_base={"REMOTE_ADDR": "203.0.113.77"},
    )

    stored = b"".join(row[0] for row in shop.sql("SELECT bytes FROM consent_leaf"))
    sealed = b"".join(row[0] for row in shop.sql("SELECT sealed FROM consent_evidence"))
    for seeded in (b"Seeded", b"seeded", b"203.0.113.77", MAYA.encode()):
        assert seeded not in stored
        assert seeded not in sealed


WORDS = st.text(max_size=20) | st.sampled_from(
    ["given", "refused", "deferred", "renewed", "city", "on", "true", ""]
)
NAMES = st.text(max_size=20) | st.sampled_from(
    [CHOICE, "data.credit-score.acme-credit", "choice.shop-offers.controller", "token"]
)


@pytest.mark.requirement("R22", "R23", "R115")
@settings(max_examples=60)
@given(form=st.dictionaries(NAMES, st.lists(WORDS, min_size=1, max_size=2), max_size=5))
def test_no_form_made_up_without_a_token_is_stored(
    form: dict[str, list[str]], made_up: tuple[Host, FlaskClient]
) -> None:
    shop, client = made_up
    for path in ("/consent/choices", "/consent/revocations"):
        assert client.post(path, data=form).status_code in {403, 422}
    assert shop.acts() == 0


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Host, FlaskClient]:
    shop = host(tmp_path_factory.mktemp("made-up"))
    return shop, shop.client(MAYA)
