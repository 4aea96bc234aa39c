"""A year of payments for each person: invented, plausible, and the same every time."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import date
from random import Random
from typing import TYPE_CHECKING

from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from werkzeug.security import generate_password_hash

from example_app.wallet import schema
from example_app.wallet.catalogue import HABITS
from example_app.wallet.catalogue import PEOPLE
from example_app.wallet.payment import Payment

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from example_app.wallet.catalogue import Person
    from example_app.wallet.catalogue import Regular

__all__ = ["YEAR", "payments_of", "seed", "set_passwords"]

YEAR = 2026

_NO_PASSWORD = "none"  # noqa: S105  no hash, so no password fits it
_A_MONTH = (18, 26)  # payments a month beside the regular ones
_DECEMBER = 12
_HOLIDAYS = 6  # payments that come on top in it


def payments_of(person: Person) -> list[Payment]:
    """All payments of the person in ``YEAR``, oldest first."""
    # Not a secret: the same person has to get the same year on every machine.
    chance = Random(f"{YEAR} {person.id}")  # noqa: S311
    made = [each for month in range(1, 13) for each in _month(person, month, chance)]
    return sorted(made, key=lambda each: (each.paid_on, each.merchant, each.amount))


def _month(person: Person, month: int, chance: Random) -> Iterator[Payment]:
    for regular in person.regulars:
        yield _regular(regular, month, chance)
    days = calendar.monthrange(YEAR, month)[1]
    times = chance.randint(*_A_MONTH) + (_HOLIDAYS if month == _DECEMBER else 0)
    kinds = chance.choices(
        list(person.weights), weights=list(person.weights.values()), k=times
    )
    for kind in kinds:
        shop = chance.choice(HABITS[kind])
        paid_on = date(YEAR, month, chance.randint(1, days))
        amount = chance.randint(shop.least, shop.most)
        yield Payment(paid_on, shop.name, kind, -amount)


def _regular(regular: Regular, month: int, chance: Random) -> Payment:
    percent = 100 + chance.randint(-regular.drift, regular.drift)
    paid_on = date(YEAR, month, regular.day)
    amount = regular.amount * percent // 100
    return Payment(paid_on, regular.merchant, regular.kind, amount)


def seed(engine: Engine, *, until: date) -> None:
    """Make the tables; fill them with people and their payments up to ``until``.

    People who are there already are left as they are. New ones cannot sign in before
    ``set_passwords``.
    """
    schema.metadata.create_all(engine)
    with engine.begin() as connection:
        known = set(connection.scalars(select(schema.person.c.id)))
        for person in PEOPLE:
            if person.id in known:
                continue
            connection.execute(
                insert(schema.person),
                {
                    "id": person.id,
                    "email": person.email,
                    "name": person.name,
                    "city": person.city,
                    "password_hash": _NO_PASSWORD,
                },
            )
            connection.execute(insert(schema.payment), _rows(person, until))


def _rows(person: Person, until: date) -> list[dict[str, object]]:
    return [
        {
            "person_id": person.id,
            "paid_on": each.paid_on,
            "merchant": each.merchant,
            "kind": each.kind,
            "amount": each.amount,
        }
        for each in payments_of(person)
        if each.paid_on <= until
    ]


def set_passwords(engine: Engine, passwords: Mapping[str, str]) -> None:
    """Give each person the password that ``passwords`` has for their e-mail."""
    with engine.begin() as connection:
        for email, password in passwords.items():
            connection.execute(
                update(schema.person)
                .where(schema.person.c.email == email)
                .values(password_hash=generate_password_hash(password))
            )
