"""Nothing but the question's own form can agree to anything.

Every route of the example app is called with everything a page, a link or a foreign
site could send. The log holds no choice afterwards.
"""

from __future__ import annotations

import random
import secrets
from datetime import date
from typing import TYPE_CHECKING

import pytest

from consentkit.log.leaf import read_leaf
from consentkit.testing import answer
from consentkit.testing import form_token
from consentkit.web.state import current_state
from example_app.wallet import create_app
from example_app.wallet.book import EXTENSION
from example_app.wallet.catalogue import PEOPLE
from example_app.wallet.seeding import YEAR
from example_app.wallet.seeding import seed
from example_app.wallet.signing_in import digest_of

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.routing import Rule

ROUNDS = 12
SEED = 2018
FOREIGN = (
    {},
    {"Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site"},
    {"Content-Type": "text/plain"},
)
FIELDS = {
    "choice.credit-score.acme-credit": ("given", "renewed", "on", "1", "true"),
    "choice.shop-offers.corner-shops": ("given", "on"),
    "data.credit-score.acme-credit": ("city", "spending"),
    "token": ("", "x", "null", "eyJuIjoiMCJ9.aaaa.bbbb"),
    "consent": ("yes", "on"),
    "purpose": ("credit-score", "*"),
    "recipient": ("acme-credit", "*"),
    "state": ("given",),
    "form_token": ("x",),
    "lang": ("en", "xx", "../../etc"),
}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    app = create_app(
        {
            "CONSENTKIT_PUBLISH": "command",
            "SECRET_KEY": secrets.token_hex(),
            "WALLET_AUDITOR_DIGEST": digest_of(secrets.token_hex()),
            "WALLET_INSTANCE": tmp_path,
            "WALLET_OFFERS_TOKEN": "unused",
            "WALLET_OFFERS_URL": "http://127.0.0.1:9/offers/audience",
            "WALLET_REFERENCE_KEY": secrets.token_hex(),
            "WALLET_SCORES_TOKEN": "unused",
            "WALLET_SCORES_URL": "http://127.0.0.1:9/scores",
        }
    )
    seed(app.extensions[EXTENSION], until=date(YEAR, 12, 31))
    return app


@pytest.fixture
def maya(app: Flask) -> FlaskClient:
    client = app.test_client()
    with client.session_transaction() as session:
        session["person_id"] = PEOPLE[0].id
    return client


def kinds(app: Flask) -> list[str]:
    """What the log holds, leaf by leaf."""
    with app.app_context():
        leaves = current_state().installation.history.all_leaves()
        return [read_leaf(data).kind.value for data in leaves]


def address(rule: Rule, chance: random.Random) -> str:
    """The rule's address with something in each of its places."""
    values = {
        name: chance.choice(["credit-score", "0" * 32, "0" * 64, "x", "000", "1"])
        for name in rule.arguments
    }
    built = rule.build(values)
    return built[1] if built else rule.rule


def form(chance: random.Random) -> dict[str, str]:
    names = chance.sample(sorted(FIELDS), k=chance.randint(0, len(FIELDS)))
    return {name: chance.choice(FIELDS[name]) for name in names}


@pytest.mark.requirement("R22", "R23", "R115", "D24")
def test_no_page_view_and_no_foreign_post_ever_agrees(
    app: Flask, maya: FlaskClient
) -> None:
    chance = random.Random(SEED)  # noqa: S311  repeatable, not secret
    rules = list(app.url_map.iter_rules())
    assert {"consentkit.choices", "services.work_out"} <= {r.endpoint for r in rules}
    for _ in range(ROUNDS):
        for rule in rules:
            path, fields = address(rule, chance), form(chance)
            maya.get(path, query_string=fields)
            for headers in FOREIGN:
                answered = maya.post(path, data=fields, headers=headers)
                assert answered.status_code < 500, (path, answered.text[:200])
            maya.post(path, json=fields)
            with maya.session_transaction() as session:
                session["person_id"] = PEOPLE[0].id  # a sign-out is among the routes
    found = kinds(app)
    assert "choice" not in found
    assert "disclosure" not in found
    assert set(found) <= {"genesis", "key", "notice", "denial"}


@pytest.mark.requirement("R22")
def test_a_form_of_the_wallet_cannot_carry_an_answer(
    app: Flask, maya: FlaskClient
) -> None:
    page = maya.get("/consent/ask/credit-score").text
    stolen = {
        "token": form_token(page),
        "choice.credit-score.acme-credit": "given",
    }
    for path in ("/credit-score", "/offers", "/sign-in", "/review"):
        maya.post(path, data=stolen)
    assert "choice" not in kinds(app)


@pytest.mark.requirement("R19", "R20", "R63", "R69")
def test_a_yes_to_the_scorer_is_a_yes_to_nobody_else(
    app: Flask, maya: FlaskClient
) -> None:
    assert answer(maya, "credit-score", {"acme-credit": "given"}).status_code == 200
    with app.app_context():
        standing = current_state().installation.history.statuses(PEOPLE[0].id)
    assert set(standing) == {("credit-score", "acme-credit")}
