"""The gate over JSON, for other services of the controller: by a token, or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consentkit.testing import answer
from tests.web.asking import API
from tests.web.asking import refusal
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import body_of
from tests.web.hosts import host
from tests.web.test_openapi import WHERE
from tests.web.test_openapi import check

CHECKS = f"{API}/checks"
TOKEN, NEXT = "a" * 20 + "-token-of-the-tests", "b" * 43
ASKED = {
    "subject": MAYA,
    "purpose": "credit-score",
    "recipient": "acme-credit",
    "data": ["spending"],
}


@pytest.fixture
def gated(tmp_path: Path) -> Host:
    return host(tmp_path, CONSENTKIT_API_TOKENS=[TOKEN, NEXT])


def ask(
    client: FlaskClient, *checks: dict[str, Any], token: str = TOKEN, **headers: str
) -> TestResponse:
    headers = {"Authorization": f"Bearer {token}", **headers}
    return client.post(CHECKS, json={"checks": list(checks)}, headers=headers)


@pytest.mark.requirement("R73")
def test_a_service_gets_the_answers_of_the_gate_in_its_order(gated: Host) -> None:
    answer(gated.client(MAYA), "credit-score", {"acme-credit": "given"})
    acts = gated.acts()
    asked = (
        ASKED,
        {**ASKED, "data": ["city", "spending"]},
        {**ASKED, "subject": TOM},
        {**ASKED, "min_assurance": "confirmed"},
        {**ASKED, "purpose": "nothing"},
    )

    sent = ask(gated.client(), *asked)

    assert sent.headers["Cache-Control"] == "no-store"
    decisions = body_of(sent)["decisions"]
    assert [each["reason"] for each in decisions] == [
        *("granted", "data_not_covered", "not_asked", "not_asked", "purpose_unknown"),
    ]
    granted = decisions[0]
    assert (granted["allowed"], granted["data"]) == (True, ["spending"])
    assert granted["record_id"]
    assert granted["until"]
    assert decisions[1]["missing"] == ["city"]
    assert not any(each["allowed"] for each in decisions[1:])
    assert MAYA not in sent.text
    assert gated.acts() == acts  # nothing is written


@pytest.mark.requirement("R105")
def test_a_signal_that_a_service_passes_on_narrows(gated: Host) -> None:
    answer(gated.client(MAYA), "shop-offers", {"corner-shops": "given"})
    asked = {"subject": MAYA, "purpose": "shop-offers", "recipient": "corner-shops"}

    assert body_of(ask(gated.client(), asked))["decisions"][0]["allowed"]
    heard = body_of(ask(gated.client(), asked, **{"Sec-GPC": "1"}))["decisions"][0]
    assert (heard["allowed"], heard["reason"]) == (False, "opt_out_signal")


def test_a_token_is_replaced_without_a_gap(gated: Host) -> None:
    for token in (TOKEN, NEXT):
        assert ask(gated.client(), ASKED, token=token).status_code == 200


UNKNOWN = {
    "none": {},
    "another": {"Authorization": f"Bearer {TOKEN[:-1]}"},
    "an empty one": {"Authorization": "Bearer "},
    "a password": {"Authorization": "Basic YWRhOmFkYQ=="},
    "a letter of no alphabet": {"Authorization": "Bearer \u00e9"},
}


@pytest.mark.requirement("R53")
@pytest.mark.parametrize("headers", UNKNOWN.values(), ids=UNKNOWN)
def test_without_a_known_token_the_gate_says_nothing(
    gated: Host, headers: dict[str, str]
) -> None:
    """Nor does a session: who is signed in asks about themselves."""
    maya = gated.client(MAYA)

    sent = maya.post(CHECKS, json={"checks": [ASKED]}, headers=headers)

    refusal(sent, "service-unknown")
    assert sent.headers["WWW-Authenticate"] == 'Bearer realm="consentkit"'


def test_without_tokens_the_address_is_not_there(shop: Host) -> None:
    refusal(ask(shop.client(), ASKED), "not-found")


BODIES: dict[str, dict[str, Any]] = {
    "no checks": {"checks": []},
    "too many": {"checks": [ASKED] * 101},
    "no data": {"checks": [{**ASKED, "data": []}]},
    "no person": {"checks": [{**ASKED, "subject": ""}]},
    "an unknown field": {"checks": [{**ASKED, "amount": 1}]},
    "an assurance that is none": {"checks": [{**ASKED, "min_assurance": "full"}]},
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_of_another_form_is_refused(gated: Host, body: dict[str, Any]) -> None:
    client = gated.client()
    sent = client.post(CHECKS, json=body, headers={"Authorization": f"Bearer {TOKEN}"})
    refusal(sent, "invalid-request")
    check(body_of(client.get(WHERE)), CHECKS, sent)


def test_the_document_says_what_it_answers_and_how_it_is_asked(gated: Host) -> None:
    client = gated.client()
    described = body_of(client.get(WHERE))
    operation = described["paths"][CHECKS]["post"]

    assert operation["security"] == [{"service": []}]
    assert described["components"]["securitySchemes"]["service"]["scheme"] == "bearer"
    check(described, CHECKS, ask(client, ASKED, {**ASKED, "purpose": "nothing"}))
    check(described, CHECKS, ask(client, ASKED, token=TOKEN[:-1]))


def test_what_the_app_keeps_shows_no_token(gated: Host) -> None:
    kept = gated.state.config.service_tokens
    assert kept.knows(TOKEN)
    assert TOKEN not in repr(gated.state.config)
