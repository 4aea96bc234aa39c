"""Each condition of the rule is one of the clause, and its negation the opposite."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from typing import Any

import pytest
import sqlalchemy as sa

from consentkit.store import schema
from consentkit.store.clause import Minors
from consentkit.store.clause import allowed
from consentkit.store.database import Database
from tests.declared import registry
from tests.store.agreeing import NOW
from tests.store.agreeing import question
from tests.store.agreeing import state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.core.registry import Question


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    if request.param == "sqlite":
        uri = f"sqlite:///{tmp_path_factory.mktemp('rule') / 'app.sqlite3'}"
    else:
        uri = request.getfixturevalue("postgres").new_tables()
    found = Database(uri, shared=True)
    found.upgrade()
    yield found
    found.dispose()


# What differs from a good answer, and whether the answer is still one.
ROWS: dict[str, tuple[dict[str, Any], bool]] = {
    "good": ({}, True),
    "renewed": ({"state": "renewed"}, True),
    "refused": ({"state": "refused"}, False),
    "of an unknown state": ({"state": "GIVEN"}, False),
    "ends now": ({"until": NOW}, False),
    "ends later": ({"until": NOW + 1}, True),
    "to something else": ({"scope": "0" * 64}, False),
    "asserted": ({"assurance": "asserted"}, False),
    "confirmed": ({"assurance": "confirmed"}, True),
    "of an unknown assurance": ({"assurance": "sworn"}, False),
    "to these data alone": ({"data": "spending"}, True),
    "to these and what nobody asks about": ({"data": "a spending z"}, True),
    "to other data": ({"data": "city"}, False),
    "to no data": ({"data": ""}, False),
    "to data that begin so": ({"data": "city spending-x"}, False),
    "to data that end so": ({"data": "x-spending"}, False),
    "to data in capitals": ({"data": "SPENDING"}, False),
    "for another purpose": ({"purpose": "credit-scores"}, False),
    "for another recipient": ({"recipient": "acme"}, False),
}
AGES = {None: True, NOW - 5: True, NOW - 4: False, NOW: False, NOW + 1: True}
NOTED = {None: True, NOW - 5: True, NOW - 4: False, NOW: False, NOW + 1: False}


@pytest.mark.requirement("R62", "R64", "R86", "R87")
def test_each_column_of_an_answer_counts(database: Database) -> None:
    with answered(database, {name: ROWS[name][0] for name in ROWS}) as connection:
        found = {name: holds(connection, database, name) for name in ROWS}
    assert found == {name: good for name, (_, good) in ROWS.items()}


CORRUPT = {
    "until is text": ("until", "tomorrow"),
    "until is bytes": ("until", b"9999999999999"),
    "since is text": ("since", "yesterday"),
    "data are bytes": ("data", b"city spending"),
    "state is bytes": ("state", b"given"),
}


@pytest.mark.requirement("R62")
def test_what_only_sqlite_keeps_in_a_column_is_nobodys_yes(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'app.sqlite3'}", shared=True)
    database.upgrade()
    with answered(database, {name: {} for name in (*CORRUPT, "good")}) as connection:
        for name, (column, value) in CORRUPT.items():
            update = f"UPDATE consent_state SET {column} = ? WHERE subject = ?"  # noqa: S608  columns of ours
            connection.exec_driver_sql(update, (value, name))
        found = {name for name in CORRUPT if holds(connection, database, name)}
        assert found == set()
        assert holds(connection, database, "good")
    database.dispose()


@pytest.mark.requirement("R66")
def test_a_suspension_counts_for_everybody(database: Database) -> None:
    for purpose, recipient, stopped in (
        *(("credit-score", "", True), ("", "acme-credit", True), ("", "", True)),
        *(("credit-score", "acme-credit", True), ("credit-score", "other", False)),
        *(("other", "", False), ("", "other", False)),
    ):
        with answered(database, {"good": {}}) as connection:
            connection.execute(
                schema.suspension.insert(),
                {"purpose": purpose, "recipient": recipient, "since": 0, "leaf": ""},
            )
            assert holds(connection, database, "good") is not stopped


@pytest.mark.requirement("R82", "R83")
@pytest.mark.parametrize("minors", Minors)
def test_when_somebody_comes_of_age_counts(database: Database, minors: Minors) -> None:
    expected = AGES if minors is Minors.ALLOWED else dict(NOTED)
    if minors is Minors.UNLESS_NOTED:
        expected[None] = False
    names = {f"of age {at}": {"since": NOW - 5} for at in expected}
    with answered(database, names) as connection:
        for name, at in zip(names, expected, strict=True):
            if at is not None:
                connection.execute(
                    schema.coming_of_age.insert(), {"subject": name, "at": at}
                )
        found = [holds(connection, database, name, minors=minors) for name in names]
    assert found == list(expected.values())


@pytest.mark.requirement("R71")
def test_the_second_yes_for_a_recipient_abroad_counts(database: Database) -> None:
    wanted = registry().question("night-help", "night-desk")
    assert wanted
    first = {"purpose": "night-help", "recipient": "night-desk", "data": "messages"}
    first["scope"] = wanted.scope
    second = {
        **first,
        "purpose": "night-help.cross-border",
        "scope": wanted.transfer_scope,
    }
    seconds: dict[str, tuple[dict[str, Any] | None, bool]] = {
        "both": ({}, True),
        "none": (None, False),
        "refused": ({"state": "refused"}, False),
        "ended": ({"until": NOW}, False),
        "to the first scope": ({"scope": wanted.scope}, False),
        "asserted": ({"assurance": "asserted"}, False),
        "to other data": ({"data": "city"}, False),
    }
    with answered(database, dict.fromkeys(seconds, first)) as connection:
        for name, (change, _) in seconds.items():
            if change is not None:
                row = {**state(name), **second, **change}
                connection.execute(schema.state.insert(), row)
        found = {
            name: holds(connection, database, name, wanted, data=None)
            for name in seconds
        }
    assert found == {name: good for name, (_, good) in seconds.items()}


@contextlib.contextmanager
def answered(
    database: Database, answers: dict[str, dict[str, Any]]
) -> Iterator[sa.Connection]:
    """Answers of these subjects, good but for what differs; gone afterwards."""
    with database.engine.connect() as connection:
        for name, change in answers.items():
            connection.execute(schema.state.insert(), {**state(name), **change})
        yield connection
        connection.rollback()


def holds(
    connection: sa.Connection,
    database: Database,
    subject: str,
    wanted: Question | None = None,
    *,
    data: frozenset[str] | None = frozenset({"spending"}),
    minors: Minors = Minors.ALLOWED,
) -> bool:
    """What the clause says of one subject; its negation says the opposite."""
    condition = allowed(
        sa.literal(subject),
        wanted or question(),
        data=data,
        minors=minors,
        now=lambda: NOW,
        dialect=database.engine.dialect.name,
    )
    found, not_found = connection.execute(sa.select(condition, ~condition)).one()
    assert bool(found) is not bool(not_found)
    return bool(found)
