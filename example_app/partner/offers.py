"""The offers of the network's shops, and which of them suit somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

__all__ = ["AudienceSchema", "answer_request", "pick"]

_MOST = 3

# kind of shop: (shop, offer); {city} is the person's.
_OFFERS = {
    "groceries": ("The Green Crate", "A tenth off a weekly vegetable box in {city}"),
    "eating-out": ("Juniper Café", "Second coffee at half price before ten, in {city}"),
    "leisure": ("Folio Books", "Three paperbacks for the price of two in {city}"),
    "clothing": ("Second Story", "Repairs at half price all month in {city}"),
    "transport": ("Wheelhouse Cycles", "A bicycle check for £10 in {city}"),
    "health": ("Well Street Pharmacy", "A blood pressure check, no charge, in {city}"),
    "giving": ("Petal & Stem", "A tenth off flowers by post from {city}"),
    "travel": ("Coastway Rooms", "Two nights for one on weekdays, an hour from {city}"),
}


class MemberSchema(Schema):
    """What is known of the person: the city, and kinds of shop if they agreed."""

    city = fields.String(required=True)
    kinds = fields.List(fields.String())


class AudienceSchema(Schema):
    """What the network takes. Anything more is refused: it was not agreed to."""

    reference = fields.String(required=True, validate=validate.Length(equal=32))
    purpose = fields.String(required=True, validate=validate.Equal("shop-offers"))
    record = fields.String(required=True)
    data = fields.List(fields.String(), required=True)
    member = fields.Nested(MemberSchema, required=True)


def answer_request(given: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The offers as JSON, and the line that the inbox keeps about them."""
    member = given["member"]
    offers = pick(member["city"], member.get("kinds", ()))
    return {"offers": offers}, f"{len(offers)} offers"


def pick(city: str, kinds: Sequence[str] = ()) -> list[dict[str, str]]:
    """Up to three offers in the city: of the kinds given first, then of any kind."""
    wanted = [each for each in kinds if each in _OFFERS]
    others = [each for each in _OFFERS if each not in wanted]
    return [
        {"shop": shop, "text": text.format(city=city)}
        for shop, text in (_OFFERS[each] for each in [*wanted, *others][:_MOST])
    ]
