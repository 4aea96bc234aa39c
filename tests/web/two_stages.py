"""An app whose credit score takes two stages; its sender is a list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import time_machine
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consentkit import ConfirmationLink
from consentkit.core.registry import Registry
from consentkit.testing import form_token
from tests import declared
from tests.web import hosts
from tests.web.hosts import MAYA
from tests.web.hosts import Host

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
YES = {"acme-credit": "given"}
NO = {"acme-credit": "refused"}
CITY = {"acme-credit": ["city"]}
SCORE = replace(declared.SCORE, two_stage=True)
NIGHT = replace(declared.NIGHT_HELP, two_stage=True)
WAITS = "It counts once you open the link we sent you on"
AGAIN = "Send the link again"


def two_stages(**fields: Any) -> Registry:
    return declared.registry(
        purposes=[replace(SCORE, **fields), declared.OFFERS, NIGHT],
    )


@dataclass
class Wallet:
    """An app that asks twice; ``sent`` are the links that it was to send."""

    shop: Host
    clock: time_machine.Traveller
    sent: list[ConfirmationLink] = field(default_factory=list)

    @property
    def link(self) -> str:
        return self.sent[-1].address

    def states(self) -> dict[tuple[str, str], tuple[str, str, str]]:
        rows = self.shop.sql(
            "SELECT purpose, recipient, state, data, assurance FROM consent_state"
        )
        return {(row[0], row[1]): (row[2], row[3], row[4]) for row in rows}

    @property
    def score(self) -> tuple[str, str, str]:
        return self.states()["credit-score", "acme-credit"]

    def allows(self, minimum: str = "confirmed") -> bool:
        with self.shop.app.app_context():
            return bool(
                self.shop.consent.check(
                    MAYA,
                    "credit-score",
                    recipient="acme-credit",
                    data={"spending"},
                    min_assurance=minimum,
                )
            )


def make(folder: Path, clock: time_machine.Traveller, **fields: Any) -> Wallet:
    years: dict[str, Any] = {"PERMANENT_SESSION_LIFETIME": timedelta(days=3_650)}
    shop = hosts.host(folder, **{"registry": two_stages(), **years, **fields})
    wallet = Wallet(shop, clock)
    shop.consent.confirmation_sender(wallet.sent.append)
    return wallet


def text(sent: TestResponse) -> str:
    """What a person reads of the page."""
    main = re.sub(r"<[^>]+>|[\u2066-\u2069]", "", sent.text.partition("<main")[2])
    return re.sub(r"\s+", " ", main)


def press(client: FlaskClient, page: TestResponse, **answers: str) -> TestResponse:
    """Press on the page of a link."""
    form = {"token": form_token(page.text), **answers}
    return client.post("/consent/confirmations", data=form, follow_redirects=True)


def again(client: FlaskClient) -> TestResponse:
    """Press the button that has the link sent again, in the centre."""
    page = client.get("/consent/").text
    action = 'action="/consent/confirmations/again">'
    token = form_token(page.partition(action)[2])
    return client.post(
        "/consent/confirmations/again", data={"token": token}, follow_redirects=True
    )
