"""A client that draws its own questions: it asks, answers and looks, all in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consentkit.web.problems import PROBLEM_STATUS
from tests.web.hosts import MAYA
from tests.web.hosts import body_of

API = "/consent/api/v1"
SCORER = ("credit-score", "acme-credit")
TYPE = "https://consentkit.dev/problems/"


def said(
    answer: str, key: tuple[str, str] = SCORER, *optional: str
) -> dict[str, object]:
    """One answer, as a body holds it."""
    purpose, recipient = key
    found: dict[str, object] = {
        "purpose": purpose,
        "recipient": recipient,
        "answer": answer,
    }
    return {**found, "optional": list(optional)} if optional else found


def refusal(sent: TestResponse, code: str) -> Mapping[str, Any]:
    """The problem document, checked for what every one of them has."""
    body = body_of(sent)
    assert body["type"] == TYPE + code, body
    assert sent.content_type == "application/problem+json"
    assert body["status"] == sent.status_code == PROBLEM_STATUS[code]
    assert sent.headers["Cache-Control"] == "no-store"
    assert MAYA not in sent.text
    return body


@dataclass(frozen=True)
class Phone:
    """Somebody's phone, with a session of the app's."""

    http: FlaskClient

    def present(self, purpose: str = "credit-score", **more: Any) -> TestResponse:
        return self.http.post(f"{API}/presentations", json={"purpose": purpose, **more})

    def shown(self, purpose: str = "credit-score", **more: Any) -> dict[str, Any]:
        """The question, which has to come."""
        sent = self.present(purpose, **more)
        assert sent.status_code == 200, sent.text
        assert sent.headers["Cache-Control"] == "no-store"
        return body_of(sent)

    def token(self, purpose: str = "credit-score") -> str:
        return str(self.shown(purpose, again=True)["token"])

    def send(self, token: object, *answers: object, **more: object) -> TestResponse:
        body = {"token": token, "answers": list(answers), **more}
        return self.http.post(f"{API}/choices", json=body)

    def answer(self, *answers: object, purpose: str = "credit-score") -> dict[str, Any]:
        """What came of an answer, which has to be taken."""
        sent = self.send(self.token(purpose), *answers)
        assert sent.status_code == 200, sent.text
        return body_of(sent)

    def status(self) -> dict[tuple[str, str], dict[str, Any]]:
        sent = self.http.get(f"{API}/status")
        assert sent.status_code == 200, sent.text
        return {
            (each["purpose"], each["recipient"]): each
            for each in body_of(sent)["answers"]
        }
