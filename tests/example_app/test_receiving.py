"""The affiliate and the partner: what they take, what they refuse, what they show."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import TYPE_CHECKING
from typing import Any

import pytest
from standardwebhooks import Webhook

from consentkit.audit import RELEASE_HEADER
from example_app import affiliate
from example_app import partner
from example_app.affiliate.scoring import HIGHEST
from example_app.affiliate.scoring import LOWEST
from example_app.affiliate.scoring import work_out
from example_app.partner.offers import pick
from example_app.wallet.catalogue import PEOPLE
from example_app.wallet.seeding import payments_of
from tests.example_app.proven import KEYS
from tests.example_app.proven import TOKEN
from tests.example_app.proven import proven

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
HEADERS = {"Authorization": f"Bearer {TOKEN}"}

SCORES = "/scores"
AUDIENCE = "/offers/audience"


def score_request(**changes: Any) -> dict[str, Any]:
    return {
        "reference": "5" * 32,
        "purpose": "credit-score",
        "record": "a" * 32,
        "data": ["city", "spending"],
        "applicant": {"city": "Leeds"},
        "payments": [
            {"paid_on": "2026-01-01", "amount": -74500, "kind": "home"},
            {"paid_on": "2026-01-03", "amount": -1250, "kind": "groceries"},
        ],
        **changes,
    }


def audience_request(**changes: Any) -> dict[str, Any]:
    return {
        "reference": "6" * 32,
        "purpose": "shop-offers",
        "record": "b" * 32,
        "data": ["city", "shop-kinds"],
        "member": {"city": "Leeds", "kinds": ["leisure"]},
        **changes,
    }


def config(folder: Path) -> dict[str, object]:
    return {
        "RECIPIENT_INSTANCE": folder,
        "RECIPIENT_TOKEN": TOKEN,
        "RECIPIENT_SECRET": SECRET,
        "RECIPIENT_LOG_KEYS": KEYS,
    }


@pytest.fixture
def scorer(tmp_path: Path) -> FlaskClient:
    return affiliate.create_app(config(tmp_path / "affiliate")).test_client()


@pytest.fixture
def shops(tmp_path: Path) -> FlaskClient:
    return partner.create_app(config(tmp_path / "partner")).test_client()


def test_both_show_that_nothing_was_received_until_something_is(
    scorer: FlaskClient, shops: FlaskClient
) -> None:
    for client in (scorer, shops):
        assert "Nothing received." in client.get("/").text
        assert client.get("/received.json").json == []


def test_the_scorer_answers_with_a_score_and_shows_what_came(
    scorer: FlaskClient,
) -> None:
    answer = scorer.post(SCORES, **proven(score_request()))
    assert answer.status_code == 201
    assert answer.json is not None
    assert LOWEST <= answer.json["points"] <= HIGHEST
    assert scorer.get("/received.json").json == [score_request()]
    page = scorer.get("/").text
    assert "city, spending" in page
    assert "Nothing received." not in page
    assert "74500" in scorer.get("/received/1").text


def test_the_shops_answer_with_offers_and_show_who_came(shops: FlaskClient) -> None:
    answer = shops.post(AUDIENCE, json=audience_request(), headers=HEADERS)
    assert answer.status_code == 201
    assert answer.json is not None
    assert answer.json["offers"][0]["shop"] == "Folio Books"
    assert shops.get("/received.json").json == [audience_request()]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "the name of a shop": (
        score_request(payments=[{**score_request()["payments"][0], "merchant": "x"}]),
        SCORES,
    ),
    "more about the applicant": (score_request(applicant={"name": "Maya"}), SCORES),
    "a field nobody agreed to": (score_request(email="maya@example.org"), SCORES),
    "no payment at all": (score_request(payments=[]), SCORES),
    "another purpose": (score_request(purpose="shop-offers"), SCORES),
    "a broken amount": (
        score_request(
            payments=[{"paid_on": "2026-01-01", "amount": "much", "kind": "home"}]
        ),
        SCORES,
    ),
    "a member without a city": (audience_request(member={}), AUDIENCE),
    "what the member spent": (
        audience_request(member={"city": "Leeds", "spent": 4}),
        AUDIENCE,
    ),
    "an audience for another purpose": (
        audience_request(purpose="credit-score"),
        AUDIENCE,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_was_not_agreed_to_is_refused_and_not_kept(
    name: str, scorer: FlaskClient, shops: FlaskClient
) -> None:
    content, path = REFUSED[name]
    client = scorer if path == SCORES else shops
    assert client.post(path, **proven(content)).status_code == 422
    assert client.get("/received.json").json == []


STRANGERS = {
    "nobody": {},
    "another token": {"Authorization": "Bearer another"},
    "the token as a password": {"Authorization": f"Basic {TOKEN}"},
    "an empty token": {"Authorization": "Bearer "},
}


@pytest.mark.parametrize("name", STRANGERS)
def test_only_the_wallet_is_listened_to(name: str, scorer: FlaskClient) -> None:
    answer = scorer.post(SCORES, json=score_request(), headers=STRANGERS[name])
    assert answer.status_code == 401
    assert scorer.get("/received.json").json == []


def test_what_is_not_json_or_too_large_is_refused(scorer: FlaskClient) -> None:
    assert scorer.post(SCORES, data="x", headers=HEADERS).status_code == 415
    large = score_request(record="a" * 1_100_000)
    assert scorer.post(SCORES, json=large, headers=HEADERS).status_code == 413


def test_a_request_that_never_came_is_not_found(scorer: FlaskClient) -> None:
    assert scorer.get("/received/1").status_code == 404


def test_the_pages_cannot_be_framed_and_load_nothing_from_elsewhere(
    scorer: FlaskClient,
) -> None:
    policy = scorer.get("/").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def ended(*records: str) -> bytes:
    told = [
        {"purpose": "credit-score", "record": each, "state": "withdrawn"}
        for each in records
    ]
    return json.dumps({"type": "consent.ended", "data": {"ended": told}}).encode()


def tell(client: FlaskClient, body: bytes, *, at: datetime | None = None) -> int:
    moment = at or datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", moment, body.decode()),
    }
    return client.post("/consent-events", data=body, headers=headers).status_code


@pytest.mark.requirement("R57")
def test_what_came_under_an_ended_agreement_is_deleted_and_nothing_else(
    scorer: FlaskClient,
) -> None:
    for record in ("a", "b"):
        content = score_request(record=record * 32)
        scorer.post(SCORES, **proven(content))

    assert tell(scorer, ended("a" * 32)) == 204
    assert tell(scorer, ended("a" * 32)) == 204  # told again: nothing is left

    (left,) = scorer.get("/received.json").json or []
    assert left["record"] == "b" * 32
    page = scorer.get("/").text
    assert "What we have deleted" in page
    assert "1 request</td>" in page


@pytest.mark.requirement("R57")
@pytest.mark.parametrize(
    ("kind", "member"),
    [("consent.erased", "ended"), ("consent.narrowed", "narrowed")],
)
def test_what_was_erased_or_ended_in_part_is_deleted_as_well(
    scorer: FlaskClient, kind: str, member: str
) -> None:
    """Whoever acknowledges a message has to have done what it asks."""
    scorer.post(SCORES, **proven(score_request(record="a" * 32)))
    told = {"purpose": "credit-score", "record": "a" * 32, "data": ["spending"]}
    body = json.dumps({"type": kind, "data": {member: [told]}})

    assert tell(scorer, body.encode()) == 204
    assert scorer.get("/received.json").json == []


@pytest.mark.requirement("R120")
@pytest.mark.parametrize("how", ["unsigned", "by another", "old", "changed"])
def test_nobody_but_the_wallet_has_anything_deleted(
    scorer: FlaskClient, how: str
) -> None:
    scorer.post(SCORES, **proven(score_request()))
    body, now = ended("a" * 32), datetime.now(UTC)
    if how == "old":
        status = tell(scorer, body, at=now - timedelta(hours=1))
    else:
        signed_by = "whsec_" + "A" * 40 if how == "by another" else SECRET
        signature = Webhook(signed_by).sign("msg_1", now, body.decode())
        headers = {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": "" if how == "unsigned" else signature,
        }
        sent = body + b" " if how == "changed" else body
        answer = scorer.post("/consent-events", data=sent, headers=headers)
        status = answer.status_code
    assert status == 401
    assert len(scorer.get("/received.json").json or []) == 1


def test_a_score_is_the_same_for_the_same_payments_and_within_its_range() -> None:
    for person in PEOPLE:
        rows = [
            {"paid_on": each.paid_on, "amount": each.amount, "kind": each.kind}
            for each in payments_of(person)
        ]
        assert work_out(rows, city=person.city) == work_out(rows, city=person.city)
        assert LOWEST <= work_out(rows) <= HIGHEST


def test_a_score_rises_with_paid_bills_and_steady_months() -> None:
    """What the notice says about the score is what the score does."""

    def year(kind: str, amounts: list[int]) -> list[dict[str, Any]]:
        return [
            {"paid_on": date(2026, month, 1), "amount": -amount, "kind": kind}
            for month, amount in enumerate(amounts, start=1)
        ]

    steady, swinging = [100_00] * 6, [20_00, 180_00] * 3
    assert work_out(year("home", steady)) > work_out(year("leisure", steady))
    assert work_out(year("home", steady)) > work_out(year("home", swinging))


def test_offers_are_of_the_kinds_given_first_and_never_more_than_three() -> None:
    given = pick("Cardiff", ["health", "no such kind"])
    assert len(given) == 3
    assert given[0]["shop"] == "Well Street Pharmacy"
    assert all("Cardiff" in each["text"] for each in given)
    assert len(pick("Cardiff", list("abc"))) == len(pick("Cardiff")) == 3


UNPROVEN: dict[str, dict[str, Any]] = {
    "no proof": {"json": score_request(), "headers": HEADERS},
    "no proof at all": {
        "json": score_request(),
        "headers": {**HEADERS, RELEASE_HEADER: "trust me"},
    },
    "other bytes": {
        **proven(score_request()),
        "data": json.dumps(score_request(reference="7" * 32)),
    },
    "somebody else's": proven(score_request(), recipient="corner-shops"),
    "another purpose": proven(score_request(), purpose="shop-offers"),
    "another record": proven(score_request(), record="b" * 32),
    "less data": proven(score_request(), data=["spending"]),
    "an hour ago": proven(score_request(), time=1_767_225_600_000),
}


@pytest.mark.parametrize("name", UNPROVEN)
def test_the_scorer_takes_nothing_without_proof(name: str, scorer: FlaskClient) -> None:
    answer = scorer.post(SCORES, **UNPROVEN[name])

    assert answer.status_code == 403
    assert "proof" in (answer.json or {})["error"]
    assert scorer.get("/received.json").json == []
    assert scorer.get("/proofs.json").json == []


def test_the_scorer_keeps_the_proof_and_takes_no_copy_of_it(
    scorer: FlaskClient,
) -> None:
    sent = proven(score_request())

    assert scorer.post(SCORES, **sent).status_code == 201
    assert scorer.post(SCORES, **sent).status_code == 409

    assert len(scorer.get("/received.json").json or []) == 1
    assert scorer.get("/proofs.json").json == [sent["headers"][RELEASE_HEADER]]
    assert tell(scorer, ended("a" * 32)) == 204
    assert scorer.get("/received.json").json == []
    assert len(scorer.get("/proofs.json").json or []) == 1, "it says nothing of anybody"
