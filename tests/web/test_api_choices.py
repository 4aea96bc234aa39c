"""An answer over JSON: stored exactly as it was sent, by the form's rules, or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import time_machine

from consentkit.audit.bundle import FolderSource
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.core.vocabulary import Recipient
from consentkit.errors import LogUnavailableError
from consentkit.log.leaf import read_leaf
from consentkit.service.openings import Opening
from consentkit.store.database import Database
from consentkit.testing import answer
from tests import declared
from tests.web.asking import API
from tests.web.asking import SCORER
from tests.web.asking import Phone
from tests.web.asking import refusal
from tests.web.asking import said
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host
from tests.web.test_foreign_requests import FOREIGN

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
OWN, SHOPS = ("shop-offers", "controller"), ("shop-offers", "corner-shops")
STATES = ("given", "refused", "deferred")
YES = said("given")


@pytest.fixture
def phone(shop: Host) -> Phone:
    return Phone(shop.client(MAYA))


def last_act(shop: Host) -> dict[str, Any]:
    query = "SELECT bytes FROM consent_leaf WHERE handle IS NOT NULL"
    return dict(read_leaf(shop.sql(f"{query} ORDER BY position")[-1][0]).body)


@pytest.mark.requirement("R31")
def test_what_is_sent_is_what_is_stored_and_told(shop: Host) -> None:
    for number, answers in enumerate(product((*STATES, None), repeat=2)):
        if not any(answers):
            continue
        phone = Phone(shop.client(f"person-{number}"))
        sent = dict(zip((OWN, SHOPS), answers, strict=True))
        told = phone.answer(
            *(said(each, key) for key, each in sent.items() if each),
            purpose="shop-offers",
        )

        wanted = {key: each or "requested" for key, each in sent.items()}
        stored = last_act(shop)
        assert {
            (each["purpose"], each["recipient"]): each["state"]
            for each in stored["choices"]
        } == wanted
        assert {
            (each["purpose"], each["recipient"]): each["state"]
            for each in told["answers"]
        } == wanted
        assert (stored["id"], stored["channel"]) == (told["record_id"], "api")
        given = [key for key, each in sent.items() if each == "given"]
        assert [key for key, each in phone.status().items() if each["holds"]] == given


@pytest.mark.requirement("R8", "R19", "R31")
def test_optional_data_is_covered_only_when_it_is_ticked_beside_a_yes(
    shop: Host, phone: Phone
) -> None:
    assert phone.answer(YES)["answers"][0]["data"] == ["spending"]
    told = phone.answer(said("given", SCORER, "city"))["answers"][0]
    assert (told["state"], told["data"]) == ("renewed", ["city", "spending"])
    assert phone.answer(said("refused", SCORER, "city"))["answers"][0]["data"] == []
    assert not shop.allows(MAYA)


@pytest.mark.requirement("R15", "R46", "R47")
def test_a_yes_opens_the_gate_and_its_receipt_shows_it(
    shop: Host, phone: Phone
) -> None:
    assert phone.http.post("/score").status_code == 403

    told = phone.answer(YES)

    assert phone.http.post("/score").status_code == 200
    shop.publish()
    receipt = told["receipt_url"].partition("?")[0]
    kept = body_of(phone.http.get(f"{receipt}.json"))
    assert kept["receipt_id"] == told["record_id"]
    assert phone.http.get(f"{receipt}.tlog-proof").status_code == 200
    installation = shop.state.installation
    trust = Trust.of(installation.keyring.vkeys)
    verified = verify_log(FolderSource(installation.log_folder), trust=trust)
    assert verified.assurances == {"session": 1}


# -- one yes, one question -------------------------------------------------------------

GIVEN = {"answer": "given"}
BULK: dict[str, dict[str, Any]] = {
    "a yes to all": GIVEN,
    "a yes for answers": {"answers": "given"},
    "a yes by star": {"answers": {"*": "given"}},
    "a yes by purpose": {"answers": {"shop-offers": "given"}},
    "no recipient": {"answers": [{"purpose": "shop-offers", **GIVEN}]},
    "no purpose": {"answers": [{"recipient": "corner-shops", **GIVEN}]},
    "neither": {"answers": [GIVEN]},
    "a recipient that is null": {
        "answers": [{"purpose": "shop-offers", "recipient": None, **GIVEN}]
    },
    "all recipients": {
        "answers": [{"purpose": "shop-offers", "recipient": "*", **GIVEN}]
    },
    "any recipient": {
        "answers": [{"purpose": "shop-offers", "recipient": "", **GIVEN}]
    },
    "a list of recipients": {
        "answers": [
            {
                "purpose": "shop-offers",
                "recipient": ["corner-shops", "controller"],
                **GIVEN,
            }
        ]
    },
    "all purposes": {
        "answers": [{"purpose": "*", "recipient": "corner-shops", **GIVEN}]
    },
    "one of several": {"answers": [said("given", OWN), GIVEN]},
}


@pytest.mark.requirement("R21", "R73")
@pytest.mark.parametrize("name", BULK)
def test_a_yes_to_several_is_none_where_one_takes_a_yes_of_its_own(
    name: str, shop: Host, phone: Phone
) -> None:
    body = {"token": phone.token("shop-offers"), **BULK[name]}

    sent = phone.http.post(f"{API}/choices", json=body)

    refusal(sent, "separate-consent-required")
    assert shop.acts() == 0


@pytest.mark.requirement("R21")
@pytest.mark.parametrize("name", BULK)
def test_nor_does_it_count_where_all_is_ordinary_or_the_token_is_none(
    name: str, tmp_path: Path
) -> None:
    own_use = replace(declared.OFFERS, recipients=())
    shop = host(tmp_path, registry=declared.registry(purposes=[own_use]))
    phone = Phone(shop.client(MAYA))
    token = phone.token("shop-offers")

    sent = phone.http.post(f"{API}/choices", json={"token": token, **BULK[name]})
    refusal(sent, "invalid-request")
    for bad, code in ((token + "x", "token-invalid"), (7, "invalid-request")):
        sent = phone.http.post(f"{API}/choices", json={"token": bad, **BULK[name]})
        refusal(sent, code)
    assert shop.acts() == 0


BAD: dict[str, tuple[list[object], str]] = {
    "no answer": ([], "no-answer"),
    "another purpose's question": ([said("given", SHOPS)], "not-offered"),
    "its own and another": ([YES, said("given", SHOPS)], "not-offered"),
    "another recipient": (
        [said("given", ("credit-score", "corner-shops"))],
        "not-offered",
    ),
    "the same twice": ([YES, YES], "not-offered"),
    "a yes and a no": ([YES, said("refused")], "not-offered"),
    "a no and a yes": ([said("refused"), YES], "not-offered"),
    "data that was not asked about": (
        [said("given", SCORER, "messages")],
        "not-offered",
    ),
    "a state of the log": ([said("renewed")], "invalid-request"),
    "a state that nobody answers": ([said("withdrawn")], "invalid-request"),
    "capitals": ([said("GIVEN")], "invalid-request"),
    "a truth": ([{**YES, "answer": True}], "invalid-request"),
    "no word": ([{"purpose": SCORER[0], "recipient": SCORER[1]}], "invalid-request"),
    "data that is no id": ([said("given", SCORER, "<b>")], "invalid-request"),
    "data that is no list": ([{**YES, "optional": "city"}], "invalid-request"),
    "an end": ([{**YES, "until": "2099-01-01T00:00:00Z"}], "invalid-request"),
    "an assurance": ([{**YES, "assurance": "signed"}], "invalid-request"),
    "no object": (["given"], "invalid-request"),
    "too many": ([YES] * 201, "invalid-request"),
}


@pytest.mark.requirement("R22", "R115")
@pytest.mark.parametrize("name", BAD)
def test_an_answer_that_does_not_fit_the_question_stores_nothing(
    name: str, shop: Host, phone: Phone
) -> None:
    answers, code = BAD[name]

    refusal(phone.send(phone.token(), *answers), code)

    assert shop.acts() == 0


def test_whose_answer_it_is_is_not_for_the_body_to_say(
    shop: Host, phone: Phone
) -> None:
    sent = phone.send(phone.token(), YES, subject=TOM)

    assert refusal(sent, "invalid-request")["fields"] == ["subject"]
    assert shop.acts() == 0


# -- the token -------------------------------------------------------------------------

TOKENS: dict[str, tuple[Callable[[Host, str], object], str]] = {
    "none": (lambda *_: None, "invalid-request"),
    "empty": (lambda *_: "", "invalid-request"),
    "endless": (lambda *_: "x" * 3_000, "invalid-request"),
    "made up": (lambda *_: "e30.aaaaaa.bbbb", "token-invalid"),
    "changed": (lambda _, token: "x" + token[1:], "token-invalid"),
    "longer": (lambda _, token: token + "x", "token-invalid"),
    "one that stops": (
        lambda shop, _: shop.state.tokens.issue_stop(MAYA, "credit-score"),
        "token-invalid",
    ),
    "somebody else's": (
        lambda shop, _: Phone(shop.client(TOM)).token(),
        "foreign-token",
    ),
    "of a notice that was never shown": (
        lambda shop, _: shop.state.tokens.issue_answer(MAYA, "0" * 64, Opening()),
        "stale-notice",
    ),
}


@pytest.mark.requirement("R115")
@pytest.mark.parametrize("name", TOKENS)
def test_without_a_token_of_this_person_and_question_nothing_is_stored(
    name: str, shop: Host, phone: Phone
) -> None:
    make, code = TOKENS[name]

    refusal(phone.send(make(shop, phone.token()), YES), code)

    assert shop.acts() == 0


@pytest.mark.requirement("R115")
def test_a_token_lapses_when_it_says(tmp_path: Path) -> None:
    with time_machine.travel(NOW, tick=False) as clock:
        shop = host(tmp_path)
        phone = Phone(shop.client(MAYA))
        shown = phone.shown()
        expires = datetime.fromisoformat(shown["expires"])
        assert expires == NOW + timedelta(seconds=shop.state.config.form_lifetime)

        clock.move_to(expires + timedelta(seconds=1))
        refusal(phone.send(shown["token"], YES), "token-expired")
        assert shop.acts() == 0
        clock.move_to(expires)
        assert phone.send(shown["token"], YES).status_code == 200


@pytest.mark.requirement("R61", "R115")
def test_a_token_counts_once_and_the_same_answer_again_is_the_same_act(
    shop: Host, phone: Phone
) -> None:
    token = phone.token()
    first = phone.send(token, YES)
    acts_then = shop.acts()

    again = phone.send(token, YES)
    other = phone.send(token, said("refused"))

    assert again.json == first.json
    refusal(other, "token-spent")
    assert shop.acts() == acts_then
    assert shop.allows(MAYA)


@pytest.mark.requirement("R115")
def test_an_old_yes_that_is_sent_again_revives_nothing(
    shop: Host, phone: Phone
) -> None:
    token = phone.token()
    phone.send(token, YES)
    phone.http.post(f"{API}/revocations", json={})

    again = body_of(phone.send(token, YES))

    assert again["answers"][0]["state"] == "withdrawn"
    assert not shop.allows(MAYA)


@pytest.mark.requirement("R87", "R115")
def test_a_question_that_has_changed_takes_no_answer(tmp_path: Path) -> None:
    token = Phone(host(tmp_path).client(MAYA)).token()
    other = Recipient(**{**vars_of(declared.CREDIT), "role": "joint-controller"})
    changed = replace(declared.SCORE, recipients=[other])
    shop = host(tmp_path, registry=declared.registry(purposes=[changed]))

    refusal(Phone(shop.client(MAYA)).send(token, YES), "stale-notice")

    assert shop.acts() == 0


def vars_of(recipient: Recipient) -> dict[str, Any]:
    return {name: getattr(recipient, name) for name in recipient.__dataclass_fields__}


@pytest.mark.requirement("R115")
@pytest.mark.parametrize("name", FOREIGN)
def test_another_site_neither_asks_nor_answers(
    name: str, shop: Host, phone: Phone
) -> None:
    body = {"token": phone.token(), "answers": [YES]}

    answered = phone.http.post(f"{API}/choices", json=body, headers=FOREIGN[name])
    asked = phone.http.post(
        f"{API}/presentations", json={"purpose": "credit-score"}, headers=FOREIGN[name]
    )

    refusal(answered, "cross-site")
    refusal(asked, "cross-site")
    assert shop.acts() == 0


@pytest.mark.requirement("R115")
@pytest.mark.parametrize(
    "media", ["", "text/plain", "application/x-www-form-urlencoded"]
)
def test_what_a_form_of_another_site_could_send_is_not_read(
    shop: Host, phone: Phone, media: str
) -> None:
    for path in ("choices", "presentations"):
        sent = phone.http.post(f"{API}/{path}", data=b"{}", content_type=media)
        refusal(sent, "unsupported-media-type")
    for path in ("choices", "presentations", "status"):
        other = phone.http.get if path != "status" else phone.http.post
        refusal(other(f"{API}/{path}"), "method-not-allowed")
    assert shop.acts() == 0


def test_when_nothing_can_be_stored_nothing_is(
    shop: Host, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_how: object, **_more: object) -> None:
        raise LogUnavailableError("the consent database did not answer")

    token = phone.token()
    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", down)
        refusal(phone.send(token, YES), "unavailable")
    assert shop.acts() == 0
    assert phone.send(token, YES).status_code == 200


def test_the_form_and_the_phone_share_one_record(shop: Host, phone: Phone) -> None:
    answer(phone.http, "credit-score", {"acme-credit": "refused"})
    assert phone.status()[SCORER]["state"] == "refused"

    phone.answer(YES)
    assert "Shared until" in phone.http.get("/consent/").text
    assert shop.allows(MAYA)


@pytest.mark.requirement("R105")
def test_a_yes_that_was_not_told_of_the_signal_does_not_count_against_it(
    shop: Host, phone: Phone
) -> None:
    token = phone.token()
    phone.http.environ_base["HTTP_SEC_GPC"] = "1"

    refusal(phone.send(token, YES), "stale-notice")

    assert shop.acts() == 0
