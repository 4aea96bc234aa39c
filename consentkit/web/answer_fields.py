"""The kinds of field that answers of the JSON interface are made of.

All of them are always there; what there may be none of is null, or empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from marshmallow import RAISE
from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ACT",
    "HEX",
    "Whole",
    "count_field",
    "flag_field",
    "hex_field",
    "ids_field",
    "list_field",
    "maybe_field",
    "one_of_field",
    "place_field",
    "text_field",
    "time_field",
]

HEX = validate.Regexp(r"^[0-9a-f]{64}$")
"""A SHA-256."""

ACT = validate.Regexp(r"^[0-9a-f]{32}$")
"""The id of an act."""


class Whole(Schema):
    """An answer, whole: nothing stands in it that is not said here."""

    class Meta:
        """Unknown fields make the document say ``additionalProperties: false``."""

        unknown = RAISE


def text_field(about: str) -> fields.Str:
    """A text."""
    return fields.Str(required=True, metadata={"description": about})


def maybe_field(about: str) -> fields.Str:
    """A text, or null."""
    return fields.Str(required=True, allow_none=True, metadata={"description": about})


def hex_field(valid: validate.Regexp, about: str = "") -> fields.Str:
    """A ``HEX`` or an ``ACT``."""
    told = {"description": about} if about else {}
    return fields.Str(required=True, validate=valid, metadata=told)


def one_of_field(values: Iterable[str], about: str = "") -> fields.Str:
    """One of these texts."""
    told = {"description": about} if about else {}
    known = validate.OneOf([str(each) for each in values])
    return fields.Str(required=True, validate=known, metadata=told)


def flag_field(about: str = "") -> fields.Bool:
    """True or false."""
    told = {"description": about} if about else {}
    return fields.Bool(required=True, metadata=told)


def count_field(about: str = "") -> fields.Int:
    """A number of things."""
    told = {"description": about} if about else {}
    return fields.Int(required=True, metadata=told)


def place_field() -> fields.Int:
    """Where an entry stands."""
    about = "Its place in the log, null until it has one."
    return fields.Int(required=True, allow_none=True, metadata={"description": about})


def time_field(about: str, *, maybe: bool = False) -> fields.DateTime:
    """An instant (RFC 3339); with ``maybe`` it can be null."""
    return fields.DateTime(
        required=True, allow_none=maybe, metadata={"description": about}
    )


def ids_field(about: str) -> fields.List[str]:
    """Ids, or other texts; maybe none."""
    return fields.List(fields.Str(), required=True, metadata={"description": about})


def list_field(of: type[Schema]) -> fields.List[dict[str, object]]:
    """Objects of one form; maybe none."""
    return fields.List(fields.Nested(of), required=True)
