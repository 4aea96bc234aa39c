"""The wallet's questions to its database, each a person's own rows only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from typing import TYPE_CHECKING

from flask import current_app
from sqlalchemy import Row
from sqlalchemy import Select
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select

from example_app.wallet import schema
from example_app.wallet.payment import Payment

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

    from sqlalchemy import Engine

__all__ = [
    "Account",
    "Filter",
    "Offer",
    "Page",
    "Score",
    "all_people",
    "balance_of",
    "find_account",
    "find_sign_in",
    "forget_offers",
    "forget_score",
    "keep_offers",
    "keep_score",
    "months_of",
    "offers_for",
    "page_of",
    "payments_of",
    "score_of",
]

PAGE_SIZE = 25  # about two screens of a phone

EXTENSION = "example_wallet"


@dataclass(frozen=True)
class Account:
    """A person's account, without the password."""

    id: str
    email: str
    name: str
    city: str

    @property
    def masked_email(self) -> str:
        """The address as a screen may show it: ``m•••@example.org``."""
        local, _, domain = self.email.partition("@")
        return f"{local[:1]}•••@{domain}"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Which payments to list; an empty field lets all pass."""

    kind: str = ""
    month: int = 0
    words: str = ""


@dataclass(frozen=True)
class Page:
    """One page of payments, newest first, and where it stands among all."""

    payments: tuple[Payment, ...]
    number: int
    pages: int
    count: int


@dataclass(frozen=True)
class Score:
    """A credit score as the scorer answered it; ``worked_out_at`` is aware UTC."""

    points: int
    band: str
    worked_out_at: datetime


@dataclass(frozen=True)
class Offer:
    """What a shop of the network offers."""

    shop: str
    text: str


def _engine() -> Engine:
    engine: Engine = current_app.extensions[EXTENSION]
    return engine


def _account(row: Row[tuple[str, str, str, str]]) -> Account:
    return Account(row.id, row.email, row.name, row.city)


def _accounts() -> Select[tuple[str, str, str, str]]:
    person = schema.person.c
    return select(person.id, person.email, person.name, person.city)


def all_people() -> list[Account]:
    """Everybody who has an account, in the order of their addresses."""
    with _engine().connect() as connection:
        rows = connection.execute(_accounts().order_by(schema.person.c.email))
        return [_account(row) for row in rows]


def find_account(person_id: str) -> Account | None:
    """The account with this id."""
    with _engine().connect() as connection:
        rows = connection.execute(_accounts().where(schema.person.c.id == person_id))
        row = rows.one_or_none()
    return _account(row) if row else None


def find_sign_in(email: str) -> tuple[str, str] | None:
    """The person's id and password hash for an e-mail address."""
    person = schema.person.c
    with _engine().connect() as connection:
        row = connection.execute(
            select(person.id, person.password_hash).where(person.email == email)
        ).one_or_none()
    return (row.id, row.password_hash) if row else None


def payments_of(person_id: str) -> list[Payment]:
    """All payments of the person, newest first."""
    with _engine().connect() as connection:
        return _payments(connection.execute(_chosen(person_id, Filter())))


def page_of(person_id: str, chosen: Filter, *, number: int) -> Page:
    """One page of the payments that ``chosen`` lets pass; the last if beyond it."""
    statement = _chosen(person_id, chosen)
    with _engine().connect() as connection:
        counted = select(func.count()).select_from(statement.subquery())
        count = connection.scalar(counted) or 0
        pages = max(1, -(-count // PAGE_SIZE))
        number = min(max(1, number), pages)
        rows = connection.execute(
            statement.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
        )
        return Page(tuple(_payments(rows)), number, pages, count)


def _chosen(person_id: str, chosen: Filter) -> Select[tuple[date, str, str, int]]:
    payment = schema.payment.c
    statement = (
        select(payment.paid_on, payment.merchant, payment.kind, payment.amount)
        .where(payment.person_id == person_id)
        .order_by(payment.paid_on.desc(), payment.id.desc())
    )
    if chosen.kind:
        statement = statement.where(payment.kind == chosen.kind)
    if chosen.month:
        month = func.strftime("%m", payment.paid_on)
        statement = statement.where(month == f"{chosen.month:02}")
    if chosen.words:
        found = payment.merchant.icontains(chosen.words, autoescape=True)
        statement = statement.where(found)
    return statement


def _payments(rows: Iterable[Row[tuple[date, str, str, int]]]) -> list[Payment]:
    return [Payment(row.paid_on, row.merchant, row.kind, row.amount) for row in rows]


def months_of(person_id: str) -> list[int]:
    """The months in which the person has payments, newest first."""
    payment = schema.payment.c
    month = func.strftime("%m", payment.paid_on)
    with _engine().connect() as connection:
        found = connection.scalars(
            select(month)
            .where(payment.person_id == person_id)
            .group_by(month)
            .order_by(month.desc())
        )
        return [int(each) for each in found]


def balance_of(person_id: str) -> int:
    """All money in less all money out, in pence."""
    payment = schema.payment.c
    with _engine().connect() as connection:
        total = connection.scalar(
            select(func.sum(payment.amount)).where(payment.person_id == person_id)
        )
    return total or 0


def score_of(person_id: str) -> Score | None:
    """The score that the person asked for last."""
    score = schema.score.c
    with _engine().connect() as connection:
        row = connection.execute(
            select(score.points, score.band, score.worked_out_at).where(
                score.person_id == person_id
            )
        ).one_or_none()
    if row is None:
        return None
    return Score(row.points, row.band, row.worked_out_at.replace(tzinfo=UTC))


def keep_score(person_id: str, score: Score) -> None:
    """Keep the score in place of an older one."""
    with _engine().begin() as connection:
        connection.execute(
            delete(schema.score).where(schema.score.c.person_id == person_id)
        )
        connection.execute(
            insert(schema.score),
            {
                "person_id": person_id,
                "points": score.points,
                "band": score.band,
                "worked_out_at": score.worked_out_at.astimezone(UTC).replace(
                    tzinfo=None
                ),
            },
        )


def offers_for(person_id: str) -> list[Offer]:
    """The offers that came for the person last."""
    offer = schema.offer.c
    with _engine().connect() as connection:
        rows = connection.execute(
            select(offer.shop, offer.text)
            .where(offer.person_id == person_id)
            .order_by(offer.id)
        )
        return [Offer(row.shop, row.text) for row in rows]


def keep_offers(person_id: str, offers: Sequence[Offer]) -> None:
    """Keep the offers in place of older ones."""
    rows = [
        {"person_id": person_id, "shop": each.shop, "text": each.text}
        for each in offers
    ]
    with _engine().begin() as connection:
        connection.execute(
            delete(schema.offer).where(schema.offer.c.person_id == person_id)
        )
        if rows:
            connection.execute(insert(schema.offer), rows)


def forget_score(person_id: str) -> None:
    """Delete the score that was worked out for the person."""
    with _engine().begin() as connection:
        connection.execute(
            delete(schema.score).where(schema.score.c.person_id == person_id)
        )


def forget_offers(person_id: str) -> None:
    """Delete the offers that came for the person."""
    keep_offers(person_id, [])
