"""One check, against the SELECT that nobody can do without.

The reference is the primary-key read of the columns that the rule needs, prepared, on
a held driver connection, and no rule at all. Ours reads the same row, sees suspensions,
judges assurance, scope, expiry and categories, and says why.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial

from consentkit.core.act import Assurance
from consentkit.core.act import Millis
from consentkit.core.decision import ShareRequest
from consentkit.service import checking
from consentkit.store.sqlite import journal_mode
from tests.bench.measure import Line
from tests.bench.measure import arguments
from tests.bench.measure import circumstances
from tests.bench.measure import one_by_one
from tests.bench.measure import race_calls
from tests.bench.measure import report
from tests.bench.measure import report_tails
from tests.bench.measure import write
from tests.bench.world import LONG
from tests.bench.world import World
from tests.bench.world import open_raw
from tests.bench.world import world
from tests.declared import CREDIT
from tests.declared import OFFERS
from tests.declared import SCORE
from tests.declared import SPENDING

SIZES = (10_000, 1_000_000)
SMOKE_SIZES = (100, 300)
CALLS = 300

_SELECT = (
    "SELECT state, data, until, scope, assurance, record FROM consent_state "
    "WHERE subject = ? AND purpose = ? AND recipient = ?"
)
_STRONG_ENOUGH = {level.value for level in Assurance} - {Assurance.ASSERTED.value}
DATA = frozenset({SPENDING.id})


def person(number: int) -> str:
    """The id of one of the people."""
    return f"person-{number:07d}"


def states(world: World, count: int, now: Millis) -> Iterator[tuple[object, ...]]:
    """Six of ten agreed and still do; the others are one of each way not to."""
    question = world.question
    covered, until = " ".join(question.data), now + LONG
    kinds = [
        *[("given", covered, until, question.scope, "session")] * 6,
        ("refused", "", 0, question.scope, "session"),
        ("given", covered, now, question.scope, "session"),  # ends now
        ("given", covered, until, "0" * 64, "session"),  # to something else
        ("given", covered, until, question.scope, "asserted"),  # somebody said so
    ]
    for number in range(count):
        state, data, end, scope, assurance = kinds[number % len(kinds)]
        record, notice = f"{number:032x}", "a" * 64
        key = person(number), SCORE.id, CREDIT.id
        yield (*key, state, data, end, scope, assurance, record, now, notice)


@contextlib.contextmanager
def filled(count: int) -> Iterator[World]:
    """An app whose database has that many people; something else is suspended."""
    with world() as made:
        made.add_states(states(made, count, made.installation.clock()))
        with contextlib.closing(sqlite3.connect(made.path)) as connection, connection:
            # So that the table is not empty; the purpose asked about is not stopped.
            connection.execute(
                "INSERT INTO consent_suspension VALUES (?, '', 0, '')", (OFFERS.id,)
            )
        yield made


def ask_raw(connection: sqlite3.Connection, subject: str) -> list[tuple[object, ...]]:
    """The row that a check needs, by the driver alone."""
    return connection.execute(_SELECT, (subject, SCORE.id, CREDIT.id)).fetchall()


def _raw(connection: sqlite3.Connection, people: Sequence[str]) -> list[float]:
    return one_by_one(partial(ask_raw, connection), people)


def _service(world: World, people: Sequence[str]) -> list[float]:
    installation = world.installation

    def ask(subject: str) -> object:
        request = ShareRequest(subject, SCORE.id, CREDIT.id, DATA)
        return checking.check(installation, request)

    return one_by_one(ask, people)


def _whole(world: World, people: Sequence[str]) -> list[float]:
    consent = world.consent

    def ask(subject: str) -> object:
        return consent.check(subject, SCORE, recipient=CREDIT, data={SPENDING})

    with world.app.app_context():
        return one_by_one(ask, people)


def _by_hand(world: World, connection: sqlite3.Connection, subject: str) -> bool:
    """The rule once more, in one line, on the row that the reference reads."""
    ((state, data, until, scope, assurance, _),) = ask_raw(connection, subject)
    return (
        state in {"given", "renewed"}
        and world.installation.clock() < until
        and scope == world.question.scope
        and assurance in _STRONG_ENOUGH
        and str(data).split().count(SPENDING.id) == 1
    )


def _agreement(
    world: World, connection: sqlite3.Connection, people: Sequence[str]
) -> str:
    """A line that says how many answers were compared; stops at one that differs."""
    said_yes = 0
    with world.app.app_context():
        for each in people:
            yes = _by_hand(world, connection, each)
            request = ShareRequest(each, SCORE.id, CREDIT.id, DATA)
            ours = (
                bool(checking.check(world.installation, request)),
                bool(world.consent.check(each, SCORE, recipient=CREDIT, data=DATA)),
            )
            if ours != (yes, yes):
                raise SystemExit(f"{each}: by hand {yes}, ours {ours}")
            said_yes += yes
    return f"same answers: {len(people)} people, {said_yes} times yes"


def _contenders(
    size: int, world: World, connection: sqlite3.Connection, people: Sequence[str]
) -> Mapping[str, Callable[[], list[float]]]:
    return {
        f"raw SELECT, {size:,} rows": lambda: _raw(connection, people),
        f"checking.check, {size:,} rows": lambda: _service(world, people),
        f"consent.check, {size:,} rows": lambda: _whole(world, people),
    }


def _lines(sizes: Sequence[int]) -> Iterator[Line]:
    for size in sizes:
        raw = f"raw SELECT, {size:,} rows"
        yield Line(raw)
        yield Line(f"checking.check, {size:,} rows", raw, 1.8)
        yield Line(f"consent.check, {size:,} rows", raw, 1.8)
    small, large = sizes
    yield Line(f"consent.check, {large:,} rows", f"consent.check, {small:,} rows", 1.8)


def main(argv: Sequence[str] | None = None) -> None:
    """Compare answers, then times."""
    asked = arguments(argv, __doc__, rounds=60)
    sizes = SMOKE_SIZES if asked.smoke else SIZES
    calls = 20 if asked.smoke else CALLS
    contenders: dict[str, Callable[[], list[float]]] = {}
    alone: dict[str, list[float]] = {}
    draw = random.Random(7)  # noqa: S311  the same people in each run
    with contextlib.ExitStack() as stack:
        for size in sizes:
            made = stack.enter_context(filled(size))
            connection = stack.enter_context(open_raw(made.path))
            people = [person(number) for number in draw.sample(range(size), calls)]
            write(_agreement(made, connection, people))
            contenders |= _contenders(size, made, connection, people)
            many = people * asked.rounds
            alone[f"raw SELECT, {size:,} rows"] = _raw(connection, many)
            alone[f"checking.check, {size:,} rows"] = _service(made, many)
        samples = race_calls(contenders, rounds=asked.rounds)
    write(circumstances(journal_mode(), asked.rounds))
    write(report(samples, list(_lines(sizes))))
    write(report_tails(alone, reach=4.0))


if __name__ == "__main__":
    main()
