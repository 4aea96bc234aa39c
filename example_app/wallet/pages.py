"""The wallet's everyday pages. None of them asks for a consent or can record one."""

from __future__ import annotations

from calendar import month_name
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from flask import Blueprint
from flask import render_template
from flask import request

from example_app.wallet import book
from example_app.wallet.bill import add_up
from example_app.wallet.charts import HEIGHT
from example_app.wallet.charts import WIDTH
from example_app.wallet.charts import draw_columns
from example_app.wallet.forms import refuse_foreign_posts
from example_app.wallet.payment import KINDS
from example_app.wallet.seeding import YEAR
from example_app.wallet.signing_in import current_account
from example_app.wallet.signing_in import current_person
from example_app.wallet.signing_in import signed_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask.typing import ResponseReturnValue

    from example_app.wallet.payment import Payment

__all__ = ["blueprint"]

blueprint = Blueprint("pages", __name__)
blueprint.before_request(refuse_foreign_posts)

_LATEST = 6
_MOST_DIGITS = 6  # no page has more, and SQLite's integers end at 63 bits


@blueprint.get("/")
def start() -> ResponseReturnValue:
    account = current_account()
    if account is None:
        return render_template("wallet/welcome.html")
    payments = book.payments_of(account.id)
    return render_template(
        "wallet/home.html",
        bill=add_up(payments, year=YEAR),
        balance=book.balance_of(account.id),
        days=_by_day(payments[:_LATEST]),
    )


@blueprint.get("/up")
def up() -> ResponseReturnValue:
    """Answer that this process answers."""
    return "up\n", {"Content-Type": "text/plain; charset=utf-8"}


@blueprint.get("/activity")
@signed_in
def activity() -> ResponseReturnValue:
    person = current_person()
    chosen = _filter()
    page = book.page_of(person.id, chosen, number=_number("page"))
    return render_template(
        "wallet/activity.html",
        page=page,
        days=_by_day(page.payments),
        chosen=chosen,
        months=[(each, month_name[each]) for each in book.months_of(person.id)],
    )


@blueprint.get("/review")
@signed_in
def review() -> ResponseReturnValue:
    bill = add_up(book.payments_of(current_person().id), year=YEAR)
    return render_template(
        "wallet/review.html",
        bill=bill,
        columns=draw_columns([each.spent for each in bill.months]),
        canvas=(WIDTH, HEIGHT),
    )


@blueprint.get("/account")
@signed_in
def account() -> ResponseReturnValue:
    return render_template("wallet/account.html")


def _filter() -> book.Filter:
    kind = request.args.get("kind", "")
    month = _number("month")
    return book.Filter(
        kind=kind if kind in KINDS else "",
        month=month if month in range(1, 13) else 0,
        words=request.args.get("words", "")[:60].strip(),
    )


def _number(name: str) -> int:
    text = request.args.get(name, "")
    whole = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if whole else 0


def _by_day(payments: Iterable[Payment]) -> list[tuple[date, list[Payment]]]:
    return [
        (day, list(those))
        for day, those in groupby(payments, key=lambda each: each.paid_on)
    ]
