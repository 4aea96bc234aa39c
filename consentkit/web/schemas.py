"""What clients send, read once at the door; unknown fields are refused.

The two forms have control names that depend on the question, so that they are read by
name (``choice.<purpose>.<recipient>``) and not by a fixed schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshmallow import RAISE
from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate

from consentkit.core.act import State
from consentkit.errors import InvalidRequestError
from consentkit.service.choosing import ANSWERS
from consentkit.service.choosing import Answer

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

__all__ = ["RevocationSchema", "form_answers", "form_token"]

_CHOICE = "choice."
_DATA = "data."
_MAX_FIELDS = 400  # a notice of a hundred questions with their boxes; more is no form
_PLAIN = {"token", "csrf_token"}
_ID = validate.Regexp(
    r"[a-z0-9][a-z0-9-]{0,63}(?:\.cross-border)?\Z",
    error="Expected an id of a-z, 0-9 and '-', 64 characters at most.",
)


class RevocationSchema(Schema):
    """Body of ``POST /api/v1/revocations``: what to end, everything if left out."""

    class Meta:
        """Unknown fields are an error, so that a misspelt one cannot widen the end."""

        unknown = RAISE

    # Without a default of its own, ``null`` would be let through and mean "all".
    purpose = fields.Str(validate=_ID, load_default=None, allow_none=False)
    recipient = fields.Str(validate=_ID, load_default=None, allow_none=False)


def form_token(form: MultiDict[str, str]) -> str:
    """The token of a form.

    Raises:
        InvalidRequestError: there is none, or more than one.
    """
    tokens = form.getlist("token")
    if len(tokens) != 1:
        raise InvalidRequestError(
            "this form does not come from here; nothing was stored",
            code="token-invalid",
        )
    return tokens[0]


def form_answers(form: MultiDict[str, str]) -> dict[tuple[str, str], Answer]:
    """The answers in a form, by (purpose, recipient).

    Raises:
        InvalidRequestError: a field is none of a question's, stands twice, or holds
            what nobody can answer.
    """
    if len(form) > _MAX_FIELDS:
        raise InvalidRequestError("the form has more fields than any of ours")
    states: dict[tuple[str, str], State] = {}
    boxes: dict[tuple[str, str], frozenset[str]] = {}
    for name, values in form.lists():
        if name.startswith(_CHOICE):
            states[_key(name, _CHOICE)] = _state(values)
        elif name.startswith(_DATA):
            boxes[_key(name, _DATA)] = frozenset(values)
        elif name not in _PLAIN:
            raise InvalidRequestError(
                "the form has a field that does not belong to a question",
                code="not-offered",
            )
    return {
        key: Answer(
            state, boxes.get(key, frozenset()) if state is State.GIVEN else frozenset()
        )
        for key, state in states.items()
    }


def _key(name: str, prefix: str) -> tuple[str, str]:
    purpose, _, recipient = name.removeprefix(prefix).rpartition(".")
    return purpose, recipient


def _state(values: list[str]) -> State:
    if len(values) != 1 or values[0] not in ANSWERS:
        raise InvalidRequestError(
            "each question takes one answer: given, refused or deferred",
            code="not-offered",
        )
    return State(values[0])
