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

from consentkit.core.act import Assurance
from consentkit.core.act import Millis
from consentkit.core.decision import ShareRequest
from consentkit.service import checking
from consentkit.store.sqlite import journal_mode
from tests.bench.measure import Line
from tests.bench.measure import arguments
from tests.bench.measure import circumstances
from tests.bench.measure import race
from tests.bench.measure import report
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
_DATA = frozenset({SPENDING.id})


def _person(number: int) -> str:
    return f"person-{number:07d}"


def _states(world: World, count: int, now: Millis) -> Iterator[tuple[object, ...]]:
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
        key = _person(number), SCORE.id, CREDIT.id
        yield (*key, state, data, end, scope, assurance, record, now, notice)


@contextlib.contextmanager
def _filled(count: int) -> Iterator[World]:
    with world() as made:
        made.add_states(_states(made, count, made.installation.clock()))
        with contextlib.closing(sqlite3.connect(made.path)) as connection, connection:
            # So that the table is not empty; the purpose asked about is not stopped.
            connection.execute(
                "INSERT INTO consent_suspension VALUES (?, '', 0, '')", (OFFERS.id,)
            )
        yield made


def _raw(connection: sqlite3.Connection, people: Sequence[str]) -> None:
    for person in people:
        connection.execute(_SELECT, (person, SCORE.id, CREDIT.id)).fetchall()


def _service(world: World, people: Sequence[str]) -> None:
    installation = world.installation
    for person in people:
        checking.check(installation, ShareRequest(person, SCORE.id, CREDIT.id, _DATA))


def _whole(world: World, people: Sequence[str]) -> None:
    consent = world.consent
    with world.app.app_context():
        for person in people:
            consent.check(person, SCORE, recipient=CREDIT, data={SPENDING})


def _by_hand(world: World, connection: sqlite3.Connection, person: str) -> bool:
    """The rule once more, in one line, on the row that the reference reads."""
    key = person, SCORE.id, CREDIT.id
    state, data, until, scope, assurance, _ = connection.execute(
        _SELECT, key
    ).fetchone()
    return (
        state in {"given", "renewed"}
        and world.installation.clock() < until
        and scope == world.question.scope
        and assurance in _STRONG_ENOUGH
        and data.split().count(SPENDING.id) == 1
    )


def _agreement(
    world: World, connection: sqlite3.Connection, people: Sequence[str]
) -> str:
    """A line that says how many answers were compared; stops at one that differs."""
    said_yes = 0
    with world.app.app_context():
        for person in people:
            yes = _by_hand(world, connection, person)
            request = ShareRequest(person, SCORE.id, CREDIT.id, _DATA)
            ours = (
                bool(checking.check(world.installation, request)),
                bool(world.consent.check(person, SCORE, recipient=CREDIT, data=_DATA)),
            )
            if ours != (yes, yes):
                raise SystemExit(f"{person}: by hand {yes}, ours {ours}")
            said_yes += yes
    return f"same answers: {len(people)} people, {said_yes} times yes"


def _contenders(
    size: int, world: World, connection: sqlite3.Connection, people: Sequence[str]
) -> Mapping[str, Callable[[], None]]:
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
    contenders: dict[str, Callable[[], None]] = {}
    draw = random.Random(7)  # noqa: S311  the same people in each run
    with contextlib.ExitStack() as stack:
        for size in sizes:
            made = stack.enter_context(_filled(size))
            connection = stack.enter_context(open_raw(made.path))
            people = [_person(number) for number in draw.sample(range(size), calls)]
            write(_agreement(made, connection, people))
            contenders |= _contenders(size, made, connection, people)
        samples = race(contenders, rounds=asked.rounds, calls=calls)
    write(circumstances(journal_mode(), asked.rounds))
    write(report(samples, list(_lines(sizes))))


if __name__ == "__main__":
    main()
