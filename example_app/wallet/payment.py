"""A payment, its kinds, and amounts as people read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

__all__ = ["INCOME", "KINDS", "Payment", "format_amount", "format_change"]

INCOME = "income"

KINDS = {
    "home": "Home and bills",
    "groceries": "Groceries",
    "eating-out": "Eating out",
    "transport": "Getting about",
    "clothing": "Clothes",
    "leisure": "Free time",
    "health": "Health",
    "travel": "Trips",
    "giving": "Gifts and giving",
    INCOME: "Money in",
}
"""The kinds of payment, by id, as the pages name them."""


@dataclass(frozen=True)
class Payment:
    """Money that moved: when, to or from whom, of which kind, pence (out < 0)."""

    paid_on: date
    merchant: str
    kind: str
    amount: int


def format_amount(pence: int) -> str:
    """The amount without a sign: ``£1,234.05``."""
    pounds, rest = divmod(abs(pence), 100)
    return f"£{pounds:,}.{rest:02}"


def format_change(pence: int) -> str:
    """The amount with its direction: ``+£12.00`` in, ``−£12.00`` out."""
    sign = "+" if pence >= 0 else "\N{MINUS SIGN}"
    return sign + format_amount(pence)
