"""A small app of somebody's, with consentkit in it, as its developer would write it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any

import time_machine
from flask import Flask
from flask import Response
from flask import jsonify
from flask import render_template_string
from flask import session
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consentkit import ConsentKit
from consentkit.core.registry import Registry
from consentkit.service.publishing import publish_all
from consentkit.web.state import AppState
from consentkit.web.state import current_state
from tests import declared
from tests.laid_tables import lay_tables

_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
MAYA, TOM = "maya@example.org", "tom@example.org"
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

PAGE = """<!doctype html><html lang="en"><head><title>Score</title>
{{ consent_head() }}</head><body><main>{{ consent_widget("credit-score") }}</main>
<footer>{{ consent_centre_link() }}</footer></body></html>"""

SetUp = Callable[[Flask], object]


def body_of(sent: TestResponse) -> dict[str, Any]:
    """The JSON object that came back."""
    body = sent.get_json()
    assert isinstance(body, dict)
    return body


@dataclass(frozen=True)
class Host:
    """The app, its ConsentKit, and what tests want to know of both."""

    app: Flask
    consent: ConsentKit

    @property
    def state(self) -> AppState:
        with self.app.app_context():
            return current_state()

    def client(self, subject: str | None = None) -> FlaskClient:
        """A browser with its own cookies, in which ``subject`` has signed in.

        Long ago: a session that began after the moment that a test travels to is none.
        """
        client = self.app.test_client()
        if subject is not None:
            with time_machine.travel(_LONG_AGO), client.session_transaction() as kept:
                kept["person"] = subject
        return client

    def allows(
        self,
        subject: str,
        purpose: str = "credit-score",
        recipient: str = "acme-credit",
        *,
        data: Collection[str] | None = frozenset({"spending"}),
    ) -> bool:
        with self.app.app_context():
            return bool(
                self.consent.check(subject, purpose, recipient=recipient, data=data)
            )

    def publish(self) -> None:
        publish_all(self.state.installation)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """What stands in the database, seen past all of our own code."""
        path = self.state.config.places.database_uri.removeprefix("sqlite:///")
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(query).fetchall()

    def acts(self) -> int:
        """How many acts of persons are in the log."""
        query = "SELECT count(*) FROM consent_leaf WHERE handle IS NOT NULL"
        return int(self.sql(query)[0][0])

    def grants(self) -> list[tuple[str, str, str]]:
        """Every standing yes: subject, purpose, recipient."""
        return self.sql(
            "SELECT subject, purpose, recipient FROM consent_state "
            "WHERE state IN ('given', 'renewed') ORDER BY 1, 2, 3"
        )


def bare_app(folder: Path, **config: object) -> Flask:
    """An app without consentkit; nothing of it runs by itself."""
    app = Flask("shop", instance_path=str(folder))
    app.config.update(
        SECRET_KEY="a secret of the tests",  # noqa: S106  of the tests
        TESTING=True,
        CONSENTKIT_PUBLISH="command",
        PERMANENT_SESSION_LIFETIME=timedelta(days=100_000),
    )
    app.config.update(config)
    return app


def host(
    folder: Path,
    *,
    registry: Registry | None = None,
    before: SetUp | None = None,
    after: SetUp | None = None,
    engine: Any = None,
    **config: object,
) -> Host:
    """An app with consentkit; ``before`` and ``after`` set up its other extensions."""
    app = bare_app(folder, **config)
    if before:
        before(app)
    if "CONSENTKIT_DATABASE_URI" not in app.config:
        lay_tables(folder / "consentkit" / "consent.sqlite3")
    consent = ConsentKit(registry or declared.registry())
    consent.init_app(app, engine=engine)
    if after:
        after(app)
    consent.subject_loader(lambda: session.get("person"))
    consent.account_label_loader(lambda subject: subject)
    _add_pages(app, consent)
    return Host(app, consent)


def _add_pages(app: Flask, consent: ConsentKit) -> None:
    @app.get("/")
    def home() -> str:
        return render_template_string(PAGE)

    @app.post("/feature")
    def feature() -> str:
        return "done"

    if consent.registry.question("credit-score", "acme-credit"):
        _add_score(app, consent)


def _add_score(app: Flask, consent: ConsentKit) -> None:
    @app.route("/score", methods=["GET", "POST"])
    @consent.require(declared.SCORE, recipient=declared.CREDIT, data={"spending"})
    def score() -> Response:
        return jsonify(score=700)
