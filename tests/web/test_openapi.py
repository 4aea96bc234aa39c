"""The description of the JSON interface is valid, complete, and what the app does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from typing import Any

import pytest
from flask import request
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from werkzeug.exceptions import TooManyRequests

from consentkit.testing import answer
from consentkit.web.problems import PROBLEM_STATUS
from tests.web.asking import API
from tests.web.asking import Phone
from tests.web.asking import said
from tests.web.hosts import MAYA
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host
from tests.web.two_stages import Wallet

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

WHERE = "/consent/api/openapi.json"
REVOCATIONS, EXPORT = f"{API}/revocations", f"{API}/export"
PRESENTATIONS, CHOICES, STATUS = (
    f"{API}/{each}" for each in ("presentations", "choices", "status")
)


@pytest.fixture
def described(shop: Host) -> dict[str, Any]:
    return body_of(shop.client().get(WHERE))


def check(document: dict[str, Any], path: str, sent: TestResponse) -> None:
    """Hold an answer against what the document says of its operation and status."""
    (operation,) = document["paths"][path].values()
    responses = operation["responses"]
    told = responses.get(str(sent.status_code), responses["default"])
    media = sent.content_type.partition(";")[0]
    schema = {**told["content"][media]["schema"], "components": document["components"]}
    Draft202012Validator(schema).validate(json.loads(sent.text))


def test_it_is_a_valid_openapi_document(described: dict[str, Any]) -> None:
    validate(described)
    assert described["openapi"].startswith("3.1")


def test_every_route_of_the_interface_is_in_it_and_no_other(
    shop: Host, described: dict[str, Any]
) -> None:
    rules = [
        rule
        for rule in shop.app.url_map.iter_rules()
        if rule.rule.startswith("/consent/api/") and "elsewhere" not in rule.endpoint
    ]
    paths = {re.sub("<([a-z_]+)>", r"{\1}", rule.rule): rule for rule in rules}
    assert set(described["paths"]) == set(paths)
    for path, rule in paths.items():
        methods = {each.lower() for each in rule.methods or () if each != "HEAD"}
        assert set(described["paths"][path]) == methods


def test_every_kind_of_problem_is_in_it(described: dict[str, Any]) -> None:
    kinds = {
        schema["properties"]["type"]["const"]: schema["properties"]["status"]["const"]
        for name, schema in described["components"]["schemas"].items()
        if name.startswith("problem.")
    }
    assert kinds == {
        f"https://consentkit.dev/problems/{code}": status
        for code, status in PROBLEM_STATUS.items()
    }


def test_what_the_app_answers_is_what_it_says(
    shop: Host, described: dict[str, Any]
) -> None:
    maya = shop.client(MAYA)
    answer(maya, "credit-score", {"acme-credit": "given"})
    answer(maya, "shop-offers", {"corner-shops": "refused", "controller": "given"})
    shop.publish()
    assert maya.post("/score").status_code == 200
    _in_a_batch(shop)

    full = maya.get(EXPORT)
    ended = maya.post(REVOCATIONS, json={"purpose": "credit-score"})
    again = maya.post(REVOCATIONS, json={"purpose": "credit-score"})

    lists = ("answers", "receipts", "disclosures", "batches")
    assert all(body_of(full)[name] for name in lists)
    assert body_of(ended)["ended"]
    assert body_of(again)["receipt_id"] is None
    check(described, EXPORT, full)
    check(described, EXPORT, maya.get(EXPORT))  # now with what was ended
    check(described, REVOCATIONS, ended)
    check(described, REVOCATIONS, again)


def _in_a_batch(shop: Host) -> None:
    """Share with all who said yes, of whom Maya is one."""
    with (
        shop.app.app_context(),
        shop.consent.share_many(
            [MAYA], "credit-score", recipient="acme-credit", data={"spending"}
        ) as batch,
    ):
        assert list(batch) == [MAYA]


def test_what_it_asks_and_how_it_takes_an_answer_is_what_it_says(
    wallet: Wallet,
) -> None:
    phone = Phone(wallet.shop.client(MAYA))
    described = body_of(phone.http.get(WHERE))
    key = ("night-help.cross-border", "night-desk")
    check(described, STATUS, phone.http.get(STATUS))
    for purpose, *answers in (
        ("credit-score", said("given", ("credit-score", "acme-credit"), "city")),
        ("shop-offers", said("refused", ("shop-offers", "corner-shops"))),
        ("night-help", said("deferred", key)),
    ):
        asked = phone.present(purpose)
        check(described, PRESENTATIONS, asked)
        check(described, CHOICES, phone.send(body_of(asked)["token"], *answers))
        check(described, PRESENTATIONS, phone.present(purpose))
        check(described, PRESENTATIONS, phone.present(purpose, again=True))
        check(described, CHOICES, phone.send("x", *answers))
        check(described, CHOICES, phone.send(phone.token(purpose)))
    assert len(phone.status()) == 5
    check(described, STATUS, phone.http.get(STATUS))
    check(described, PRESENTATIONS, phone.present("nothing"))


REFUSED: dict[str, dict[str, Any]] = {
    "cross-site": {"json": {}, "headers": {"Sec-Fetch-Site": "cross-site"}},
    "invalid-request": {"json": {"purpose": None}},
    "too-large": {"json": {"purpose": "x" * 70_000}},
    "unknown-purpose": {"json": {"purpose": "nothing"}},
    "unknown-recipient": {"json": {"recipient": "nobody"}},
    "unsupported-media-type": {"data": "purpose=credit-score"},
}


@pytest.mark.requirement("R73")
@pytest.mark.parametrize("code", REFUSED)
def test_what_the_app_refuses_is_refused_as_it_says(
    shop: Host, described: dict[str, Any], code: str
) -> None:
    sent = shop.client(MAYA).post(REVOCATIONS, **REFUSED[code])

    assert body_of(sent)["type"].endswith(f"/{code}")
    assert str(sent.status_code) in described["paths"][REVOCATIONS]["post"]["responses"]
    check(described, REVOCATIONS, sent)


def test_nobody_and_a_busy_server_are_refused_as_it_says(tmp_path: Path) -> None:
    def limit() -> None:
        if request.headers.get("X-Many"):
            raise TooManyRequests

    shop = host(tmp_path, before=lambda app: app.before_request(limit))
    described = body_of(shop.client().get(WHERE))

    check(described, EXPORT, shop.client().get(EXPORT))
    check(described, REVOCATIONS, shop.client().post(REVOCATIONS, json={}))
    check(described, EXPORT, shop.client(MAYA).get(EXPORT, headers={"X-Many": "1"}))


def test_a_body_that_the_schema_refuses_is_refused_by_the_app(
    shop: Host, described: dict[str, Any]
) -> None:
    body = described["paths"][REVOCATIONS]["post"]["requestBody"]["content"]
    schema = body["application/json"]["schema"]
    schema = {**schema, "components": described["components"]}
    for tried in (
        {},
        {"purpose": "a"},
        {"purpose": "A"},
        {"purpose": None},
        {"purposes": "a"},
        {"recipient": "a" * 65},
        [],
    ):
        fits = Draft202012Validator(schema).is_valid(tried)
        said = body_of(shop.client(MAYA).post(REVOCATIONS, json=tried))
        assert fits != said.get("type", "").endswith("/invalid-request"), tried


@pytest.mark.parametrize("path", [PRESENTATIONS, CHOICES])
def test_so_is_one_of_a_question_or_an_answer(
    shop: Host, described: dict[str, Any], path: str
) -> None:
    body = described["paths"][path]["post"]["requestBody"]["content"]
    schema = body["application/json"]["schema"]
    schema = {**schema, "components": described["components"]}
    yes = said("given")
    answers: list[object] = [[], [yes], [yes] * 201, [{**yes, "optional": ["A"]}], [1]]
    answers += [[{**yes, "answer": "renewed"}], [{**yes, "until": 1}], "x", None]
    bodies: list[dict[str, Any]] = [
        *({"purpose": each} for each in ("credit-score", "A", None, 1)),
        *({"purpose": "credit-score", "again": each} for each in (True, 1, "yes")),
        *({"purpose": "credit-score", "locale": e} for e in ("de-AT", "d", "", None)),
        *({"token": "x", "answers": each} for each in answers),
        *({"token": each, "answers": [yes]} for each in ("", "x" * 2_049, None, 1)),
        *({}, {"answers": [yes]}, {"token": "x"}),
    ]
    for tried in bodies:
        fits = Draft202012Validator(schema).is_valid(tried)
        said_of_it = body_of(shop.client(MAYA).post(path, json=tried))
        refused = said_of_it.get("type", "").endswith("/invalid-request")
        assert fits != refused, tried


def test_it_follows_the_prefix_and_the_session_of_the_app(tmp_path: Path) -> None:
    shop = host(
        tmp_path, CONSENTKIT_URL_PREFIX="/privacy", SESSION_COOKIE_NAME="shop_session"
    )
    document = body_of(shop.client().get("/privacy/api/openapi.json"))
    under = body_of(
        shop.client().get("/privacy/api/openapi.json", base_url="http://a.example/shop")
    )

    assert "/privacy/api/v1/revocations" in document["paths"]
    session = document["components"]["securitySchemes"]["session"]
    assert (session["in"], session["name"]) == ("cookie", "shop_session")
    assert under["servers"] == [{"url": "/shop"}]
