"""What clients send, read once at the door; unknown fields are refused.

The two forms have control names that depend on the question, so that they are read by
name (``choice.<purpose>.<recipient>``) and not by a fixed schema. In JSON no field of
an answer can be left out and mean "all": a yes to several at once cannot be said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from marshmallow import RAISE
from marshmallow import Schema
from marshmallow import ValidationError
from marshmallow import fields
from marshmallow import validate

from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.errors import InvalidRequestError
from consentkit.service.choosing import ANSWERS
from consentkit.service.choosing import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping

    from werkzeug.datastructures import MultiDict

__all__ = [
    "ChecksSchema",
    "ChoicesSchema",
    "PageSchema",
    "PresentationSchema",
    "RevocationSchema",
    "SharesSchema",
    "form_answers",
    "form_token",
    "json_answers",
    "means_several",
]

_CHOICE = "choice."
_DATA = "data."
_MAX_FIELDS = 400  # a notice of a hundred questions with their boxes; more is no form
_MAX_TOKEN = 2_048  # ours are some 300 characters
_MAX_ANSWERS = 200  # a notice of a hundred recipients, all of them abroad
_MAX_BOXES = 100  # optional data categories of one question
_MAX_CHECKS = 100  # of one request, which a service waits for
_PAGE, _LONGEST_PAGE = 50, 200  # entries of a list; a receipt's summary is some 500 B
_FURTHEST = 1_000_000  # entries into a list; no address of ours goes further
_LONGEST_SUBJECT = 255  # characters, as ``web.subject`` takes them
_PLAIN = {"token", "csrf_token"}
_TAG = r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}"
_FORM = r"[a-z0-9][a-z0-9-]{0,63}(?:\.cross-border)?"
_ID = validate.Regexp(
    rf"{_FORM}\Z",
    error="Expected an id of a-z, 0-9 and '-', 64 characters at most.",
)


def _id(about: str) -> fields.Str:
    """An id that may be left out, which means "all"; ``null`` is no way to say so."""
    return fields.Str(
        validate=_ID,
        load_default=lambda: None,
        allow_none=False,
        metadata={"description": about, "pattern": f"^{_FORM}$"},
    )


class _Strict(Schema):
    """What a client sends, and nothing besides.

    A misspelt field cannot widen what is meant, and none could set an answer.
    """

    class Meta:
        """Unknown fields are an error."""

        unknown = RAISE


class RevocationSchema(_Strict):
    """Body of ``POST /api/v1/revocations``: what to end, everything if left out."""

    purpose = _id("Id of the purpose to end; all of them if left out.")
    recipient = _id("Id of the recipient to end it for; all if left out.")


def _one_id(about: str) -> fields.Str:
    """An id that has to be there."""
    return fields.Str(
        required=True,
        validate=_ID,
        metadata={"description": about, "pattern": f"^{_FORM}$"},
    )


class _Flag(fields.Bool):
    """``true`` or ``false``, and nothing that only means one of them."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **more: Any
    ) -> Any:
        if not isinstance(value, bool):
            raise ValidationError("Expected true or false.")
        return super()._deserialize(value, attr, data, **more)


class PageSchema(_Strict):
    """Query of a list: which part of it, the newest first."""

    limit = fields.Int(
        load_default=_PAGE,
        validate=validate.Range(1, _LONGEST_PAGE),
        metadata={"description": "How many entries at most."},
    )
    after = fields.Int(
        load_default=0,
        validate=validate.Range(0, _FURTHEST),
        metadata={"description": "How many entries to pass over."},
    )


class SharesSchema(PageSchema):
    """Query of the list of shares."""

    recipient = _id("Id of the only recipient meant; all if left out.")


class _CheckSchema(_Strict):
    """One question to the gate."""

    subject = fields.Str(
        required=True,
        validate=validate.Length(min=1, max=_LONGEST_SUBJECT),
        metadata={"description": "The app's own id of the person."},
    )
    purpose = _one_id("Id of the purpose.")
    recipient = _one_id("Id of the recipient.")
    data = fields.List(
        fields.Str(validate=_ID, metadata={"pattern": f"^{_FORM}$"}),
        validate=validate.Length(min=1, max=_MAX_BOXES),
        load_default=lambda: None,
        allow_none=False,
        metadata={
            "description": "Ids of the data categories; all that the purpose declares "
            "for the recipient if left out."
        },
    )
    min_assurance = fields.Str(
        load_default=Assurance.SESSION.value,
        validate=validate.OneOf([each.value for each in Assurance]),
        metadata={"description": "How well proven the person's part has to be."},
    )


class ChecksSchema(_Strict):
    """Body of ``POST /api/v1/checks``: what may be shared, asked by another service."""

    checks = fields.List(
        fields.Nested(_CheckSchema),
        required=True,
        validate=validate.Length(min=1, max=_MAX_CHECKS),
        metadata={"description": "Answered in this order."},
    )


class PresentationSchema(_Strict):
    """Body of ``POST /api/v1/presentations``: what is to be asked."""

    purpose = _one_id("Id of the purpose to ask about.")
    locale = fields.Str(
        validate=validate.Regexp(rf"{_TAG}\Z"),
        load_default=lambda: None,
        allow_none=False,
        metadata={
            "description": "BCP 47 tag of the language to ask in, as far as the app "
            "has it; as `Accept-Language` says if left out.",
            "pattern": f"^{_TAG}$",
        },
    )
    again = _Flag(
        load_default=False,
        allow_none=False,
        metadata={
            "description": "Whether the person came to decide anew. Otherwise nobody "
            "is asked what they have answered."
        },
    )


class _AnsweredSchema(_Strict):
    """The answer to one question."""

    purpose = _one_id("Id of the purpose, as the question has it.")
    recipient = _one_id("Id of the recipient, as the question has it.")
    answer = fields.Str(
        required=True,
        validate=validate.OneOf(sorted(each.value for each in ANSWERS)),
        metadata={"description": "What the person pressed."},
    )
    optional = fields.List(
        fields.Str(validate=_ID, metadata={"pattern": f"^{_FORM}$"}),
        validate=validate.Length(max=_MAX_BOXES),
        load_default=list,
        metadata={
            "description": "Ids of the optional data categories that the person "
            "ticked; they count with a yes only."
        },
    )


class ChoicesSchema(_Strict):
    """Body of ``POST /api/v1/choices``: the token of a question, and what was said."""

    token = fields.Str(
        required=True,
        validate=validate.Length(min=1, max=_MAX_TOKEN),
        metadata={"description": "The token of the presentation; it counts once."},
    )
    answers = fields.List(
        fields.Nested(_AnsweredSchema),
        required=True,
        validate=validate.Length(max=_MAX_ANSWERS),
        metadata={
            "description": "One for each question that was answered; what is left out "
            "is left open."
        },
    )


def means_several(body: Mapping[str, Any]) -> bool:
    """Whether a body says yes to more than one question at once."""
    said = body.get("answers")
    if isinstance(said, dict):
        return State.GIVEN in said.values()
    if not isinstance(said, list):
        return State.GIVEN in (said, body.get("answer"))
    return any(
        isinstance(each, dict)
        and each.get("answer") == State.GIVEN
        and not all(_names_one(each.get(name)) for name in ("purpose", "recipient"))
        for each in said
    )


def _names_one(value: object) -> bool:
    return isinstance(value, str) and value not in {"", "*"}


def json_answers(
    answers: Iterable[Mapping[str, Any]],
) -> dict[tuple[str, str], Answer]:
    """The answers of a body that fits ``ChoicesSchema``, by (purpose, recipient).

    Raises:
        InvalidRequestError: a question is answered twice (code ``not-offered``).
    """
    found: dict[tuple[str, str], Answer] = {}
    for each in answers:
        key, state = (each["purpose"], each["recipient"]), State(each["answer"])
        if key in found:
            raise InvalidRequestError(
                "each question takes one answer; one has two", code="not-offered"
            )
        ticked = frozenset(each["optional"]) if state is State.GIVEN else frozenset()
        found[key] = Answer(state, ticked)
    return found


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
