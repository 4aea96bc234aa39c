"""A question over JSON: the logged notice in its own words, and nothing chosen."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from consentkit.errors import LogUnavailableError
from consentkit.store.database import Database
from tests import declared
from tests.web.asking import API
from tests.web.asking import SCORER
from tests.web.asking import Phone
from tests.web.asking import refusal
from tests.web.asking import said
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import host
from tests.web.test_overriding import STATEMENT
from tests.web.test_overriding import changed
from tests.web.test_overriding import putting

LOCALES = ("en", "de", "ar", "zh-Hans")
IDS = {"purpose", "recipient", "data", "answer"}


@pytest.fixture
def phone(shop: Host) -> Phone:
    return Phone(shop.client(MAYA))


def kinds(shop: Host) -> list[str]:
    return [row[0] for row in shop.sql("SELECT kind FROM consent_leaf ORDER BY 1")]


def sentences(value: object) -> Iterator[str]:
    """Every text in the wording that is for people."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from sentences(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in IDS:
                yield from sentences(each)


def bare(text: str) -> str:
    return text.translate(dict.fromkeys(range(0x2066, 0x206A)))


@pytest.mark.requirement("R13", "R15", "R16")
def test_a_question_is_logged_before_it_is_shown_and_nothing_in_it_is_chosen(
    shop: Host, phone: Phone
) -> None:
    shown = phone.shown()

    assert kinds(shop).count("notice") == 1
    assert shop.acts() == 0
    assert not shop.allows(MAYA)
    assert phone.http.post("/score").status_code == 403
    assert shown["answers"] == []
    assert {each["initial"] for each in shown["notice"]["manifest"]["controls"]} == {
        "off"
    }
    assert shown["questions"] == [
        {
            "purpose": "credit-score",
            "recipient": "acme-credit",
            "data": ["city", "spending"],
            "optional": ["city"],
        }
    ]
    phone.shown()
    assert kinds(shop).count("notice") == 1


@pytest.mark.requirement("R13")
def test_what_is_named_is_what_stands_at_the_permanent_addresses(phone: Phone) -> None:
    notice = phone.shown()["notice"]

    manifest = phone.http.get(notice["manifest_url"]).data
    html = phone.http.get(notice["html_url"]).data

    assert hashlib.sha256(manifest).hexdigest() == notice["digest"]
    assert json.loads(manifest) == notice["manifest"]
    assert hashlib.sha256(html).hexdigest() == notice["manifest"]["html_sha256"]
    assert notice["digest"] in phone.http.get(notice["url"]).text


@pytest.fixture
def spoken(tmp_path: Path) -> Phone:
    """An app in several languages."""
    shop = host(tmp_path, registry=declared.registry(locales=LOCALES))
    return Phone(shop.client(MAYA))


@pytest.mark.requirement("R14", "R113")
@pytest.mark.parametrize("purpose", ["credit-score", "shop-offers", "night-help"])
@pytest.mark.parametrize("locale", LOCALES)
def test_each_sentence_is_one_of_the_fragments_and_none_is_left_out(
    spoken: Phone, locale: str, purpose: str
) -> None:
    shown = spoken.shown(purpose, locale=locale)

    html = spoken.http.get(shown["notice"]["html_url"]).text
    # What a page needs to be read or undone by is no part of what is asked.
    shown_only = re.sub(r'<button type="reset".*?</button>', "", html)
    read = bare(Markup(shown_only).striptags())  # noqa: S704  it is only read here
    left = read
    for sentence in sorted(map(bare, sentences(shown["wording"])), key=len)[::-1]:
        assert sentence in read
        left = left.replace(sentence, "")
    assert not any(map(str.isalnum, left)), left
    assert shown["notice"]["locale"] == locale
    assert shown["notice"]["direction"] == ("rtl" if locale == "ar" else "ltr")
    keys = [(each["purpose"], each["recipient"]) for each in shown["questions"]]
    told = shown["wording"]["questions"]
    assert sorted((each["purpose"], each["recipient"]) for each in told) == keys


@pytest.mark.requirement("R113")
def test_the_language_is_asked_for_or_negotiated_and_kept_for_the_answer(
    spoken: Phone,
) -> None:
    header = {"Accept-Language": "de-AT, en;q=0.5"}
    body = {"purpose": "credit-score"}
    sent = spoken.http.post(f"{API}/presentations", json=body, headers=header)
    assert sent.json is not None
    assert sent.json["notice"]["locale"] == "de"
    assert spoken.shown(locale="de-CH")["notice"]["locale"] == "de"
    assert spoken.shown(locale="sw")["notice"]["locale"] == "en"

    shown = spoken.shown(locale="de")
    answer = {"token": shown["token"], "answers": [said("refused")]}
    chosen = spoken.http.post(shown["choices_url"], json=answer)
    assert chosen.json is not None
    assert chosen.json["answers"][0]["told"][0] == "Keine Weitergabe"


@pytest.mark.requirement("R29")
def test_nobody_is_asked_again_unless_they_came_to_decide_anew(phone: Phone) -> None:
    phone.answer(said("refused"))

    shown = phone.shown()
    again = phone.shown(again=True)

    assert (shown["notice"], shown["wording"], shown["token"]) == (None, None, None)
    assert (shown["questions"], shown["expires"]) == ([], None)
    assert [each["state"] for each in shown["answers"]] == ["refused"]
    assert again["token"]
    assert [each["state"] for each in again["answers"]] == ["refused"]


def test_what_is_open_is_asked_and_what_is_answered_is_told(phone: Phone) -> None:
    key = ("shop-offers", "corner-shops")
    phone.answer(said("given", key), purpose="shop-offers")
    phone.answer(said("given", ("shop-offers", "controller")), purpose="shop-offers")

    shown = phone.shown("shop-offers")

    assert shown["questions"] == []
    assert {each["recipient"] for each in shown["answers"]} == {
        "controller",
        "corner-shops",
    }
    assert all(each["holds"] for each in shown["answers"])


def test_where_the_app_words_the_notice_the_fragment_is_all_there_is(
    tmp_path: Path,
) -> None:
    own = changed("notice.html", old=STATEMENT, new=f"{STATEMENT}<p>Hello!</p>")
    phone = Phone(host(tmp_path, before=putting(own)).client(MAYA))

    shown = phone.shown()

    assert shown["wording"] is None
    assert "Hello!" in phone.http.get(shown["notice"]["html_url"]).text
    assert phone.send(shown["token"], said("given")).status_code == 200


BAD: dict[str, tuple[object, str]] = {
    "nothing": ({}, "invalid-request"),
    "a list": (["credit-score"], "invalid-request"),
    "no purpose": ({"purpose": None}, "invalid-request"),
    "a number": ({"purpose": 1}, "invalid-request"),
    "several purposes": ({"purpose": ["credit-score"]}, "invalid-request"),
    "all purposes": ({"purpose": "*"}, "invalid-request"),
    "a purpose that never was": ({"purpose": "credit"}, "unknown-purpose"),
    "a transfer alone": ({"purpose": "night-help.cross-border"}, "unknown-purpose"),
    "a language that is none": (
        {"purpose": "credit-score", "locale": "../en"},
        "invalid-request",
    ),
    "no language": ({"purpose": "credit-score", "locale": None}, "invalid-request"),
    "a flag in words": ({"purpose": "credit-score", "again": "yes"}, "invalid-request"),
    "a flag in numbers": ({"purpose": "credit-score", "again": 1}, "invalid-request"),
    "a control that is on": (
        {"purpose": "credit-score", "checked": True},
        "invalid-request",
    ),
    "an answer": ({"purpose": "credit-score", "answer": "given"}, "invalid-request"),
}


@pytest.mark.requirement("R16")
@pytest.mark.parametrize("name", BAD)
def test_nothing_can_be_asked_for_but_a_question(
    name: str, shop: Host, phone: Phone
) -> None:
    body, code = BAD[name]

    sent = phone.http.post(f"{API}/presentations", json=body)

    refusal(sent, code)
    assert "notice" not in kinds(shop)


def test_a_question_that_cannot_be_logged_is_not_shown(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_how: object, **_more: object) -> None:
        raise LogUnavailableError("the consent database did not answer")

    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", down)
        refusal(phone.present(), "unavailable")


@pytest.mark.requirement("R116")
def test_while_nobody_is_signed_in_nothing_is_asked_answered_or_told(
    shop: Host, phone: Phone
) -> None:
    token = phone.token()
    nobody = Phone(shop.client())

    refusal(nobody.present(), "sign-in")
    refusal(nobody.send(token, said("given")), "sign-in")
    refusal(nobody.http.get(f"{API}/status"), "sign-in")
    assert shop.acts() == 0


@pytest.mark.requirement("R53", "R116")
def test_the_status_is_the_persons_own_and_tells_what_stands(
    shop: Host, phone: Phone
) -> None:
    assert phone.status() == {}
    act = phone.answer(said("given", SCORER, "city"))
    Phone(shop.client(TOM)).answer(said("refused"))

    (found,) = phone.status().values()

    assert found == act["answers"][0] | {"receipt_url": found["receipt_url"]}
    assert (found["state"], found["holds"]) == ("given", True)
    assert found["data"] == ["city", "spending"]
    assert found["record_id"] == act["record_id"]
    assert phone.http.get(found["receipt_url"]).status_code == 200
    year = int(found["until"][:4]) - int(found["since"][:4])
    assert year == 1

    ended = phone.http.post(f"{API}/revocations", json={})
    (found,) = phone.status().values()
    assert ended.json is not None
    assert found["record_id"] == ended.json["receipt_id"]
    assert (found["state"], found["holds"]) == ("withdrawn", False)
    assert (found["until"], found["data"]) == (None, [])
    assert found["told"][0] == "No longer shared"


def test_the_signal_of_a_browser_is_told_and_heeded(phone: Phone) -> None:
    phone.answer(said("given"))
    phone.http.environ_base["HTTP_SEC_GPC"] = "1"

    (found,) = phone.status().values()
    shown = phone.shown()
    again = phone.shown(again=True)

    assert (found["state"], found["holds"]) == ("withdrawn", False)
    assert shown["token"] is None
    assert "says no to sharing" in shown["beside"]["signal"]
    assert "in spite of it" in again["wording"]["signal"]
    told: dict[str, Any] = phone.answer(said("given"))
    assert told["answers"][0]["holds"]
    assert "in spite of it" in phone.shown()["beside"]["signal"]
