"""Whose data may be shared? One clause in a statement, against asking row by row.

The reference is the semi-join that somebody would write by hand who knows our tables,
with the whole rule, through the same SQLAlchemy layer and by the driver alone. Every
time is for one row. By single checks and in batches only some of the rows are asked.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa

from consentkit.core.act import Assurance
from consentkit.core.decision import ShareRequest
from consentkit.service.checking import check
from consentkit.service.checking_many import check_many
from consentkit.store import schema
from consentkit.store.clause import allowed
from consentkit.store.sqlite import journal_mode
from tests.bench.check import DATA
from tests.bench.check import states
from tests.bench.measure import Line
from tests.bench.measure import Samples
from tests.bench.measure import arguments
from tests.bench.measure import circumstances
from tests.bench.measure import race
from tests.bench.measure import report
from tests.bench.measure import write
from tests.bench.postgres import DURABLE
from tests.bench.world import World
from tests.bench.world import world
from tests.declared import CREDIT
from tests.declared import OFFERS
from tests.declared import SCORE
from tests.postgres_server import PostgresServer
from tests.postgres_server import serve_postgres
from tests.store.handwritten import rule

__all__ = [
    "BY_CHECK",
    "BY_CORE",
    "BY_MANY",
    "CLAUSE",
    "DRIVER",
    "HAND",
    "NUMBERS",
    "SERVER",
    "TEXT",
    "UNGATED",
    "main",
]

SIZE, SMOKE_SIZE = 1_000_000, 300
CALLS, SMOKE_CALLS = 2_000, 100
BATCHES = (100, 1_000)

TEXT, NUMBERS, SERVER = "SQLite, text", "SQLite, numbers", "PostgreSQL"
UNGATED = "{}: as many rows with no gate"
DRIVER = "{}: by hand, driver alone"
HAND = "{}: by hand, Core"
CLAUSE = "{}: allowed_clause"
BY_CORE = "{}: a Core read and the rule, row by row"
BY_CHECK = "{}: check, row by row"
BY_MANY = "{}: check_many of {}"

PERSON = sa.table(
    "app_person", sa.column("name", sa.Text), sa.column("number", sa.Integer)
)
_STATE = schema.state.c
_READ = sa.select(
    _STATE.state, _STATE.data, _STATE.until, _STATE.scope, _STATE.assurance
)
_READ = _READ.where(
    _STATE.subject == sa.bindparam("who"),
    _STATE.purpose == SCORE.id,
    _STATE.recipient == CREDIT.id,
)
_STRONG_ENOUGH = {level.value for level in Assurance} - {Assurance.ASSERTED.value}


@dataclass(frozen=True)
class Shop:
    """One store with as many people, whose ids are in one column of the app's."""

    name: str
    made: World
    connection: sa.Connection
    column: str
    size: int
    calls: int

    def subject(self, number: int) -> str:
        """The subject id of one of the people; text in no order, as it mostly is."""
        return str(number) if self.column == "number" else f"{_shuffled(number):08x}-p"

    @property
    def values(self) -> dict[str, object]:
        """What the statement by hand is about."""
        installation, question = self.made.installation, self.made.question
        return {
            "purpose": SCORE.id,
            "recipient": CREDIT.id,
            "now": installation.clock(),
            "scope": question.scope,
            "data": next(iter(DATA)),
        }

    @property
    def by_hand(self) -> sa.TextClause:
        """The rows that the rule by hand lets through."""
        chosen = f"SELECT person.{self.column} FROM app_person AS person"  # noqa: S608  ours
        return sa.text(
            f"{chosen} WHERE {rule(self.connection.dialect.name, self.column)}"
        )

    def fill(self) -> None:
        """The app's people and what they answered; six of ten agreed."""
        installation, run = self.made.installation, self.connection
        columns = [column.name for column in schema.state.columns]
        run.exec_driver_sql("CREATE TABLE app_person (name TEXT, number INTEGER)")
        answers = (
            dict(zip(columns, (self.subject(number), *row[1:]), strict=True))
            for number, row in enumerate(
                states(self.made, self.size, installation.clock())
            )
        )
        people = (
            {"name": self.subject(number), "number": number}
            for number in range(self.size)
        )
        with installation.database.write() as connection:
            for table, rows in ((schema.state, answers), (PERSON, people)):
                for some in _in_batches(rows):
                    connection.execute(table.insert(), some)
            connection.execute(
                schema.suspension.insert(),
                {"purpose": OFFERS.id, "recipient": "", "since": 0, "leaf": ""},
            )
        run.exec_driver_sql("ANALYZE")

    def whole(self) -> dict[str, Callable[[], list[Any]]]:
        """The ways to select all that is allowed, by one statement."""
        installation, run = self.made.installation, self.connection
        column = PERSON.c[self.column]
        clause = allowed(
            column,
            self.made.question,
            data=DATA,
            now=installation.clock,
            dialect=run.dialect.name,
        )
        kept, by_hand = sa.select(column).where(clause), self.by_hand
        free = sa.select(column).limit(self.size * 6 // 10)
        compiled = by_hand.bindparams(**self.values).compile(run.engine)
        values: Any = compiled.params
        if compiled.positiontup is not None:
            values = tuple(values[name] for name in compiled.positiontup)
        driver: Any = run.connection.driver_connection
        return {
            UNGATED.format(self.name): lambda: run.execute(free).all(),
            DRIVER.format(self.name): lambda: driver.execute(
                str(compiled), values
            ).fetchall(),
            HAND.format(self.name): lambda: run.execute(by_hand, self.values).all(),
            CLAUSE.format(self.name): lambda: run.execute(kept).all(),
        }

    def some(self) -> dict[str, Callable[[], list[bool]]]:
        """The ways to ask about some of them, one by one or in batches."""
        draw = random.Random(7)  # noqa: S311  the same people in each run
        numbers = draw.sample(range(self.size), self.calls)
        installation = self.made.installation
        asked = [
            ShareRequest(self.subject(number), SCORE.id, CREDIT.id, DATA)
            for number in numbers
        ]

        def in_batches_of(count: int) -> list[bool]:
            return [
                bool(each)
                for first in range(0, len(asked), count)
                for each in check_many(installation, asked[first : first + count])
            ]

        return {
            BY_CORE.format(self.name): lambda: [self._by_core(each) for each in asked],
            BY_CHECK.format(self.name): lambda: [
                bool(check(installation, each)) for each in asked
            ],
            **{
                BY_MANY.format(self.name, f"{count:,}"): partial(in_batches_of, count)
                for count in BATCHES
            },
        }

    def _by_core(self, asked: ShareRequest) -> bool:
        row = self.connection.execute(_READ, {"who": asked.subject}).one()
        return (
            row.state in {"given", "renewed"}
            and self.made.installation.clock() < row.until
            and row.scope == self.made.question.scope
            and row.assurance in _STRONG_ENOUGH
            and set(row.data.split()) >= DATA
        )

    def agreement(self) -> str:
        """A line that says what was compared; stops where two do not agree."""
        expected = sorted(
            number if self.column == "number" else self.subject(number)
            for number in range(self.size)
            if number % 10 < 6  # as ``states`` makes them
        )
        whole = self.whole()
        del whole[UNGATED.format(self.name)]
        for name, select in whole.items():
            if sorted(each for (each,) in select()) != expected:
                raise SystemExit(f"{name}: other rows than expected")
        first, *others = self.some().values()
        said = first()
        if any(other() != said for other in others):
            raise SystemExit(f"{self.name}: two answers differ")
        return f"{self.name}: same {len(expected):,} of {self.size:,} rows"

    def samples(self, rounds: int) -> Samples:
        """Seconds for a row, each way."""
        whole = race(self.whole(), rounds=rounds, calls=self.size)
        return {**whole, **race(self.some(), rounds=rounds, calls=self.calls)}

    def lines(self) -> Iterator[Line]:
        """The table's."""
        clause, hand = CLAUSE.format(self.name), HAND.format(self.name)
        driver, core = DRIVER.format(self.name), BY_CORE.format(self.name)
        single = BY_CHECK.format(self.name)
        yield Line(UNGATED.format(self.name))
        yield from (Line(driver), Line(hand, driver), Line(core), Line(single))
        yield Line(clause, hand, 1.05)
        yield Line(clause, driver, 1.2)
        yield Line(clause, core, 1 / 6)
        small, large = (BY_MANY.format(self.name, f"{each:,}") for each in BATCHES)
        yield Line(small, single, 0.3)
        yield Line(large, single)


def _shuffled(number: int) -> int:
    """Another number for each one below 2³²: times an odd number, modulo that."""
    return number * 2_654_435_761 % 2**32


def _in_batches(rows: Iterator[Mapping[str, object]]) -> Iterator[list[Any]]:
    while some := [each for _, each in zip(range(10_000), rows, strict=False)]:
        yield some


@contextlib.contextmanager
def _shop(name: str, uri: str, column: str, size: int, calls: int) -> Iterator[Shop]:
    with world(database=uri) as made:
        place = uri or f"sqlite:///{made.path}"
        engine = sa.create_engine(
            place.replace("postgresql:", "postgresql+psycopg:"),
            isolation_level="AUTOCOMMIT",
        )
        with engine.connect() as connection:
            shop = Shop(name, made, connection, column, size, calls)
            shop.fill()
            yield shop
        engine.dispose()
        made.installation.close()


def _shops(server: PostgresServer) -> Iterator[tuple[str, str, str]]:
    yield TEXT, "", "name"
    yield NUMBERS, "", "number"
    yield SERVER, server.new_database(), "name"


def main(argv: Sequence[str] | None = None) -> None:
    """Compare answers, then times."""
    asked = arguments(argv, __doc__, rounds=7, shares=True)
    size = SMOKE_SIZE if asked.smoke else int(SIZE * asked.share)
    calls = SMOKE_CALLS if asked.smoke else CALLS
    samples: dict[str, Sequence[float]] = {}
    lines: list[Line] = []
    with serve_postgres(DURABLE) as server:
        for name, uri, column in _shops(server):
            with _shop(name, uri, column, size, calls) as shop:
                write(shop.agreement())
                samples |= shop.samples(asked.rounds)
                lines += shop.lines()
    numbers, text = CLAUSE.format(NUMBERS), CLAUSE.format(TEXT)
    write("", circumstances(journal_mode(), asked.rounds))
    write(report(samples, [*lines, Line(numbers, text, 0.5)]))


if __name__ == "__main__":
    main()
