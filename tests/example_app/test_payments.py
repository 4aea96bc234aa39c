"""The invented year: the same for everybody who runs it, and plausible."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import Engine
from sqlalchemy import create_engine
from sqlalchemy import func
from sqlalchemy import select
from werkzeug.security import check_password_hash

from example_app.wallet import schema
from example_app.wallet.catalogue import HABITS
from example_app.wallet.catalogue import PEOPLE
from example_app.wallet.catalogue import Person
from example_app.wallet.payment import INCOME
from example_app.wallet.payment import KINDS
from example_app.wallet.payment import format_amount
from example_app.wallet.payment import format_change
from example_app.wallet.seeding import YEAR
from example_app.wallet.seeding import payments_of
from example_app.wallet.seeding import seed
from example_app.wallet.seeding import set_passwords

EACH_PERSON = pytest.mark.parametrize("person", PEOPLE, ids=lambda each: each.name)


@pytest.fixture
def engine() -> Engine:
    return create_engine("sqlite://")


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        statement = select(func.count()).select_from(schema.payment)
        return connection.scalar(statement) or 0


def hash_of(engine: Engine, person: Person) -> str:
    chosen = select(schema.person.c.password_hash).where(
        schema.person.c.email == person.email
    )
    with engine.connect() as connection:
        kept: str = connection.scalars(chosen).one()
        return kept


@EACH_PERSON
def test_a_person_gets_the_same_year_each_time(person: Person) -> None:
    assert payments_of(person) == payments_of(person)


def test_the_first_payments_are_the_ones_that_every_machine_makes() -> None:
    """Python promises that ``Random`` of a string is the same everywhere."""
    first = payments_of(PEOPLE[0])[0]
    assert (first.paid_on, first.merchant, first.amount) == (
        date(YEAR, 1, 1),
        "Alder Lettings",
        -745_00,
    )
    assert sum(each.amount for each in payments_of(PEOPLE[0])) == EXPECTED_OF_MAYA


EXPECTED_OF_MAYA = 10_953_95


@EACH_PERSON
def test_a_person_has_about_three_hundred_payments_in_every_month(
    person: Person,
) -> None:
    payments = payments_of(person)
    assert 280 <= len(payments) <= 360
    assert {each.paid_on.month for each in payments} == set(range(1, 13))
    assert {each.paid_on.year for each in payments} == {YEAR}


@EACH_PERSON
def test_money_comes_in_as_income_and_goes_out_as_anything_else(
    person: Person,
) -> None:
    for each in payments_of(person):
        assert (each.amount > 0) == (each.kind == INCOME)


@EACH_PERSON
def test_nobody_spends_more_than_they_have(person: Person) -> None:
    assert sum(each.amount for each in payments_of(person)) > 0


def test_every_kind_that_people_spend_on_has_a_title_and_shops() -> None:
    spent_on = {kind for person in PEOPLE for kind in person.weights}
    assert spent_on <= set(HABITS)
    assert set(HABITS) <= set(KINDS)


def test_people_have_ids_that_do_not_give_their_address_away() -> None:
    ids = {each.id for each in PEOPLE}
    assert len(ids) == len(PEOPLE) >= 4
    assert not any(each.email.partition("@")[0] in each.id for each in PEOPLE)


def test_seeding_twice_adds_nothing(engine: Engine) -> None:
    seed(engine, until=date(YEAR, 12, 31))
    once = count(engine)
    seed(engine, until=date(YEAR, 12, 31))
    assert count(engine) == once == sum(len(payments_of(each)) for each in PEOPLE)


def test_seeding_stops_at_the_day_it_is_told(engine: Engine) -> None:
    seed(engine, until=date(YEAR, 3, 31))
    with engine.connect() as connection:
        last = connection.scalar(select(func.max(schema.payment.c.paid_on)))
    assert last is not None
    assert date(YEAR, 3, 1) < last <= date(YEAR, 3, 31)


def test_passwords_are_kept_as_hashes_and_can_be_set_anew(engine: Engine) -> None:
    seed(engine, until=date(YEAR, 1, 31))
    set_passwords(engine, {PEOPLE[0].email: "the first"})
    assert check_password_hash(hash_of(engine, PEOPLE[0]), "the first")
    set_passwords(engine, {PEOPLE[0].email: "another one"})
    kept = hash_of(engine, PEOPLE[0])
    assert "another one" not in kept
    assert check_password_hash(kept, "another one")
    assert not check_password_hash(kept, "the first")


def test_nobody_can_sign_in_before_a_password_is_set(engine: Engine) -> None:
    seed(engine, until=date(YEAR, 1, 31))
    kept = hash_of(engine, PEOPLE[1])
    assert not check_password_hash(kept, kept)
    assert not check_password_hash(kept, "")


@pytest.mark.parametrize(
    ("pence", "amount", "change"),
    [
        (0, "£0.00", "+£0.00"),
        (5, "£0.05", "+£0.05"),
        (-7_40, "£7.40", "\N{MINUS SIGN}£7.40"),
        (1_234_567, "£12,345.67", "+£12,345.67"),
    ],
)
def test_amounts_read_as_people_write_them(
    pence: int, amount: str, change: str
) -> None:
    assert format_amount(pence) == amount
    assert format_change(pence) == change
