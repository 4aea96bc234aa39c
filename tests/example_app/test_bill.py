"""The yearly bill adds up, and the chart shows what it says."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from example_app.wallet.bill import add_up
from example_app.wallet.catalogue import PEOPLE
from example_app.wallet.catalogue import Person
from example_app.wallet.charts import HEIGHT
from example_app.wallet.charts import WIDTH
from example_app.wallet.charts import draw_columns
from example_app.wallet.payment import INCOME
from example_app.wallet.payment import Payment
from example_app.wallet.seeding import YEAR
from example_app.wallet.seeding import payments_of

SOME = [
    Payment(date(2026, 1, 5), "Greenfield Market", "groceries", -20_00),
    Payment(date(2026, 1, 9), "Penny Bakery", "groceries", -5_00),
    Payment(date(2026, 1, 31), "Aire Valley School", INCOME, 100_00),
    Payment(date(2026, 2, 1), "Alder Lettings", "home", -60_00),
    Payment(date(2026, 2, 3), "Penny Bakery", "groceries", -15_00),
    Payment(date(2027, 1, 1), "Penny Bakery", "groceries", -99_00),
]


def test_the_bill_adds_up_one_year_and_leaves_the_others_out() -> None:
    bill = add_up(SOME, year=2026)
    assert (bill.spent, bill.received, bill.kept) == (100_00, 100_00, 0)
    assert bill.count == 4
    assert bill.last_day == date(2026, 2, 3)


def test_kinds_come_largest_first_with_their_share() -> None:
    kinds = add_up(SOME, year=2026).kinds
    assert [(each.kind, each.spent, each.count, each.share) for each in kinds] == [
        ("home", 60_00, 1, 600),
        ("groceries", 40_00, 3, 400),
    ]


def test_months_come_in_order_and_empty_ones_are_there() -> None:
    months = add_up(SOME, year=2026).months
    assert [each.title for each in months][:2] == ["January", "February"]
    assert [each.spent for each in months] == [25_00, 75_00] + [0] * 10
    assert months[0].received == 100_00


def test_the_highlights_are_about_shops_and_not_about_the_rent() -> None:
    bill = add_up(SOME, year=2026)
    assert bill.favourite == ("Penny Bakery", 2)
    assert bill.biggest == SOME[0]
    assert bill.dearest_month is not None
    assert bill.dearest_month.title == "February"


def test_a_year_without_payments_has_a_bill_of_nothing() -> None:
    bill = add_up([], year=2026)
    assert (bill.spent, bill.received, bill.count, bill.kinds) == (0, 0, 0, ())
    assert (bill.favourite, bill.biggest, bill.dearest_month) == (None, None, None)
    assert len(bill.months) == 12


@pytest.mark.parametrize("person", PEOPLE, ids=lambda each: each.name)
def test_kinds_and_months_both_come_to_the_whole(person: Person) -> None:
    bill = add_up(payments_of(person), year=YEAR)
    assert sum(each.spent for each in bill.kinds) == bill.spent
    assert sum(each.spent for each in bill.months) == bill.spent
    assert sum(each.received for each in bill.months) == bill.received
    assert sum(each.count for each in bill.kinds) == bill.count
    assert abs(sum(each.share for each in bill.kinds) - 1000) <= len(bill.kinds)


@given(st.lists(st.integers(min_value=0, max_value=10**9), max_size=24))
def test_bars_stay_on_the_canvas_and_keep_their_proportions(values: list[int]) -> None:
    columns = draw_columns(values)
    assert len(columns.bars) == len(values)
    assert columns.top >= max(values, default=0)
    for value, bar in zip(values, columns.bars, strict=True):
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
        assert bar.y + bar.height == HEIGHT
        assert bar.height == round(HEIGHT * value / columns.top)


def test_only_the_tallest_bar_is_marked_and_none_if_all_are_empty() -> None:
    assert [each.tallest for each in draw_columns([1, 3, 2]).bars] == [
        False,
        True,
        False,
    ]
    assert not any(each.tallest for each in draw_columns([0, 0]).bars)


@pytest.mark.parametrize(("highest", "top"), [(0, 1), (99, 100), (149_503, 200_000)])
def test_the_scale_ends_at_a_round_number(highest: int, top: int) -> None:
    assert draw_columns([highest]).top == top
