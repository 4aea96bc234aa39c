"""A yes to the affiliate, as a row of the state table."""

from __future__ import annotations

from typing import Any

from consentkit.core.act import Millis
from consentkit.core.registry import Question
from tests.declared import registry

__all__ = ["NOW", "question", "state"]

NOW = Millis(1_000_000)


def question() -> Question:
    found = registry().question("credit-score", "acme-credit")
    assert found
    return found


def state(subject: str) -> dict[str, Any]:
    return {
        "subject": subject,
        "purpose": "credit-score",
        "recipient": "acme-credit",
        "state": "given",
        "data": "city spending",
        "until": NOW + 10,
        "scope": question().scope,
        "assurance": "session",
        "record": "1" * 32,
        "since": 1,
        "notice": "2" * 64,
    }
