"""The yearly bill: what a year of payments adds up to.

It reads payments and nothing else. It does not know that consent exists, so that it
cannot differ between somebody who agreed to something and somebody who did not.
"""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from example_app.wallet.payment import INCOME
from example_app.wallet.payment import KINDS

if TYPE_CHECKING:
    from datetime import date

    from example_app.wallet.payment import Payment

__all__ = ["Bill", "KindTotal", "MonthTotal", "add_up"]


@dataclass(frozen=True, kw_only=True)
class KindTotal:
    """What went to one kind of thing: pence, payments, and thousandths of it all."""

    kind: str
    title: str
    spent: int
    count: int
    share: int


@dataclass(frozen=True, kw_only=True)
class MonthTotal:
    """What one month came to: pence out and in, and the payments out."""

    month: int
    title: str
    spent: int
    received: int
    count: int


@dataclass(frozen=True, kw_only=True)
class Bill:
    """One person's year. Amounts are pence and positive in both directions."""

    year: int
    spent: int
    received: int
    count: int
    kinds: tuple[KindTotal, ...]
    months: tuple[MonthTotal, ...]
    dearest_month: MonthTotal | None
    biggest: Payment | None
    favourite: tuple[str, int] | None
    last_day: date | None

    @property
    def kept(self) -> int:
        """What came in and did not go out; negative if more went out."""
        return self.received - self.spent


def add_up(payments: Iterable[Payment], *, year: int) -> Bill:
    """The bill of ``year``; payments of other years are left out."""
    mine = [each for each in payments if each.paid_on.year == year]
    out = [each for each in mine if each.kind != INCOME]
    months = _months(mine)
    # Rent is everybody's largest payment, and nobody's news.
    chosen = [each for each in out if each.kind != "home"]
    visits = Counter(each.merchant for each in chosen)
    return Bill(
        year=year,
        spent=_sum(out),
        received=_sum(each for each in mine if each.kind == INCOME),
        count=len(out),
        kinds=_kinds(out),
        months=months,
        dearest_month=max(months, key=lambda each: each.spent) if out else None,
        biggest=min(chosen, key=lambda each: each.amount, default=None),
        favourite=visits.most_common(1)[0] if visits else None,
        last_day=max((each.paid_on for each in mine), default=None),
    )


def _sum(payments: Iterable[Payment]) -> int:
    return abs(sum(each.amount for each in payments))


def _kinds(out: Sequence[Payment]) -> tuple[KindTotal, ...]:
    whole = _sum(out)
    totals = []
    for kind, title in KINDS.items():
        mine = [each for each in out if each.kind == kind]
        if not mine:
            continue
        spent = _sum(mine)
        share = round(1000 * spent / whole) if whole else 0
        totals.append(
            KindTotal(kind=kind, title=title, spent=spent, count=len(mine), share=share)
        )
    return tuple(sorted(totals, key=lambda each: -each.spent))


def _months(mine: Sequence[Payment]) -> tuple[MonthTotal, ...]:
    totals = []
    for month in range(1, 13):
        those = [each for each in mine if each.paid_on.month == month]
        out = [each for each in those if each.kind != INCOME]
        totals.append(
            MonthTotal(
                month=month,
                title=calendar.month_name[month],
                spent=_sum(out),
                received=_sum(each for each in those if each.kind == INCOME),
                count=len(out),
            )
        )
    return tuple(totals)
