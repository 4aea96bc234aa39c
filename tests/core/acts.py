"""Choices, acts and standing answers with honest values, to be changed one by one."""

from __future__ import annotations

from typing import Any

from consentkit.core.act import AUTHORISING
from consentkit.core.act import Act
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import Choice
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.status import Status

NOW = Millis(1_767_225_600_000)  # 2026-01-01T00:00:00Z
YEAR = 31_536_000_000
SCOPE = "5" * 64
NOTICE = "a" * 64
RECORD = "0123456789abcdef" * 2


def choice(state: State = State.GIVEN, **fields: Any) -> Choice:
    """One choice; a grant of the spending for a year unless told otherwise."""
    grants = state in AUTHORISING
    values: dict[str, Any] = {
        "purpose": "credit-score",
        "recipient": "acme-credit",
        "data": ("spending",) if grants else (),
        "scope": SCOPE,
        "state": state,
        "until": Millis(NOW + YEAR if grants else 0),
    }
    return Choice(**{**values, **fields})


def act(*choices: Choice, **fields: Any) -> Act:
    """One act of the person at ``NOW``, a yes unless told otherwise."""
    values: dict[str, Any] = {
        "id": RECORD,
        "kind": Kind.CHOICE,
        "time": NOW,
        "choices": choices or (choice(),),
        "assurance": Assurance.SESSION,
        "notice": NOTICE,
    }
    return Act(**{**values, **fields})


def ending(state: State, actor: Actor, **fields: Any) -> Act:
    """One act by which ``actor`` ends an answer."""
    values: dict[str, Any] = {"kind": Kind.REVOCATION, "actor": actor, "notice": ""}
    return act(choice(state), **{**values, **fields})


def status(state: State = State.GIVEN, **fields: Any) -> Status:
    """Where one person stands; a grant of the spending for a year unless told."""
    values: dict[str, Any] = {
        "state": state,
        "data": frozenset({"spending"}),
        "until": Millis(NOW + YEAR),
        "scope": SCOPE,
        "assurance": Assurance.SESSION,
        "record": RECORD,
        "since": NOW,
    }
    return Status(**{**values, **fields})
