"""A credit score of payments: simple, repeatable, and as the notice explains it.

The notice says: months with all bills paid count, and steady months raise the score.
"""

from __future__ import annotations

from collections import defaultdict
from statistics import mean
from statistics import pstdev
from typing import TYPE_CHECKING
from typing import Any

from marshmallow import Schema
from marshmallow import fields
from marshmallow import validate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

__all__ = ["ScoreRequestSchema", "answer_request", "work_out"]

LOWEST, HIGHEST = 300, 850

_BILLS = "home"
_FOR_BILLS = 300  # points of the 550 that can be gained
_FOR_STEADINESS = 200
_FOR_PLACE = 50
_STRICTNESS = 4  # months that differ by a quarter count as not steady at all
# What a month costs in thousands of pence; "" is the whole country.
_USUAL = {"": 150, "Leeds": 140, "Bristol": 175, "Manchester": 165, "Cardiff": 140}
_BANDS = ((740, "excellent"), (670, "good"), (580, "fair"), (LOWEST, "building"))


class PaymentSchema(Schema):
    """One payment, without the name of the shop."""

    paid_on = fields.Date(required=True)
    amount = fields.Integer(required=True, strict=True)
    kind = fields.String(required=True)


class ApplicantSchema(Schema):
    """What else is known of the person, if they agreed to it."""

    city = fields.String()


class ScoreRequestSchema(Schema):
    """What Acme takes. Anything more is refused: it was not agreed to."""

    reference = fields.String(required=True, validate=validate.Length(equal=32))
    purpose = fields.String(required=True, validate=validate.Equal("credit-score"))
    record = fields.String(required=True)
    data = fields.List(fields.String(), required=True)
    applicant = fields.Nested(ApplicantSchema, required=True)
    payments = fields.List(
        fields.Nested(PaymentSchema), required=True, validate=validate.Length(min=1)
    )


def answer_request(given: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The score as JSON, and the line that the inbox keeps about it."""
    points = work_out(given["payments"], city=given["applicant"].get("city", ""))
    band = next(name for least, name in _BANDS if points >= least)
    reply = {"points": points, "band": band}
    return reply, f"score {points} ({band}), from {len(given['payments'])} payments"


def work_out(payments: Sequence[Mapping[str, Any]], *, city: str = "") -> int:
    """The points, from 300 to 850; the same for the same payments."""
    months: dict[tuple[int, int], int] = defaultdict(int)
    billed = set()
    for each in payments:
        month = (each["paid_on"].year, each["paid_on"].month)
        months[month] += max(0, -each["amount"])
        if each["kind"] == _BILLS:
            billed.add(month)
    spent = list(months.values())
    usual = mean(spent) or 1
    steadiness = max(0.0, 1 - _STRICTNESS * pstdev(spent) / usual)
    place = min(1.0, 1000 * _USUAL.get(city, _USUAL[""]) / usual)
    gained = (
        _FOR_BILLS * len(billed) / len(months)
        + _FOR_STEADINESS * steadiness
        + _FOR_PLACE * place
    )
    return min(HIGHEST, LOWEST + round(gained))
