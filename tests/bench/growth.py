"""How much more a large installation costs than a small one: ratios, side by side.

Ten thousand people and a million, three leaves each, on SQLite or on PostgreSQL;
``--people`` takes other sizes. What concerns one person is held against the same of
the small one, what concerns all of them against the same for each of its rows. The
roots are compared with what an auditor's verification finds; of the signatures every
hundredth is checked. With ``--verify`` nothing but that is timed and weighed.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from consentkit.store.sqlite import journal_mode
from tests.bench.footprint import footprint_of
from tests.bench.growing import Contender
from tests.bench.measure import Line
from tests.bench.measure import circumstances
from tests.bench.measure import p99
from tests.bench.measure import race
from tests.bench.measure import race_calls
from tests.bench.measure import report
from tests.bench.measure import write
from tests.bench.peak import Verified
from tests.bench.peak import verified_in
from tests.bench.populating import LEAVES_EACH
from tests.bench.populating import populate
from tests.bench.postgres import DURABLE
from tests.bench.share_many import PERSON
from tests.bench.world import World
from tests.bench.world import world
from tests.postgres_server import PostgresServer
from tests.postgres_server import serve_postgres

__all__ = ["ENGINES", "ONE_BY_ONE", "PUBLISH", "SMOKE_PEOPLE", "main"]

ENGINES = ("sqlite", "postgres")
PEOPLE = (10_000, 100_000)
SMOKE_PEOPLE = (30, 90)
WAITING, SMOKE_WAITING = 10_000, 50

CHECK, CENTRE, GRANT = "a check", "the centre", "a grant"
HEALTH, PUBLISH = "a look at its health", "a waiting leaf published"
CLAUSE, BATCH = "allowed_clause, a person", "share_many, a person"
EXPORT, LOG = "export, a leaf", "verify, log layer, a leaf"
RECORDS = "verify, log and records, 1 % of signatures, a leaf"
REACH = 1.8  # of what concerns one person: the depth of the indices may show
ONE_BY_ONE = {CHECK: 300, CENTRE: 20, GRANT: 20, HEALTH: 100}
"""What concerns one person, and how often it is timed in a round."""

_TAIL = 10  # times as many calls for the slowest hundredth
_SAMPLE = 100  # one signature of so many is checked


def main(argv: Sequence[str] | None = None) -> None:
    """Build both, then time one beside the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--people", type=int, nargs=2, default=PEOPLE)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--smoke", action="store_true", help="tiny: does it run?")
    parser.add_argument("--verify", action="store_true", help="only verifications")
    asked = parser.parse_args(argv)
    people = SMOKE_PEOPLE if asked.smoke else asked.people
    with contextlib.ExitStack() as stack:
        server = None
        if asked.engine == "postgres":
            server = stack.enter_context(serve_postgres(DURABLE))
        few, many = (stack.enter_context(_built(each, server)) for each in people)
        write("", circumstances(journal_mode(), asked.rounds), asked.engine)
        if asked.verify:
            write(_everybody(few, many, (LOG, RECORDS)))
            return
        waiting = SMOKE_WAITING if asked.smoke else WAITING
        # What is published here is no chain of anybody's: it comes last.
        write(_one_by_one(few, many, 1 if asked.smoke else asked.rounds))
        write(_everybody(few, many, (LOG, RECORDS, EXPORT, CLAUSE, BATCH)))
        write(_publications(few, many, waiting))
        write(_footprints(few, many))


@contextlib.contextmanager
def _built(people: int, server: PostgresServer | None) -> Iterator[Contender]:
    database = server.new_database() if server else ""
    with world(database=database) as made:
        began = time.perf_counter()
        populate(made, people)
        _list_people(made, people)
        seconds = time.perf_counter() - began
        size, files = _bytes_of(made)
        write(
            f"{people:,} people, {people * LEAVES_EACH:,} leaves: {seconds:.0f} s, "
            f"{size / 1e6:,.0f} MB in the database, {files / 1e6:,.0f} MB of files"
        )
        try:
            yield Contender(made, people)
        finally:
            made.installation.close()


def _bytes_of(made: World) -> tuple[int, int]:
    """How much the database takes, and the published log beside it."""
    database, folder = made.installation.database, made.installation.log_folder
    files = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    if database.file is not None:
        return database.file.stat().st_size, files
    with database.read() as connection:
        query = "SELECT pg_database_size(current_database())"
        return connection.exec_driver_sql(query).scalar_one(), files


def _list_people(made: World, people: int) -> None:
    """The app's own table of them; and what the planner wants to know."""
    with made.installation.database.write() as connection:
        PERSON.create(connection)
        connection.execute(PERSON.insert(), [{"id": each} for each in range(people)])
    engine = made.installation.database.engine
    vacuum = "VACUUM " if engine.dialect.name == "postgresql" else ""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as outside:
        outside.exec_driver_sql(f"{vacuum}ANALYZE")


def _named(what: str, of: Contender) -> str:
    return f"{what}, {of.name}"


def _lines(names: Iterable[str], few: Contender, many: Contender) -> list[Line]:
    return [
        line
        for what in names
        for line in (
            Line(_named(what, few)),
            Line(_named(what, many), _named(what, few), REACH),
        )
    ]


def _one_by_one(few: Contender, many: Contender, rounds: int) -> str:
    """What one person costs: the median, and the slowest hundredth of the checks."""
    batches: dict[str, Callable[[], Sequence[float]]] = {}
    for each in (few, many):
        calls = {
            CHECK: each.checks,
            CENTRE: each.centres,
            GRANT: each.grants,
            HEALTH: each.looks,
        }
        for what, call in calls.items():
            batches[_named(what, each)] = partial(call, ONE_BY_ONE[what])
    samples = race_calls(batches, rounds=max(rounds, 2))
    tails = {each.name: each.checks(ONE_BY_ONE[CHECK] * _TAIL) for each in (few, many)}
    slowest = p99(tails[many.name]) / p99(tails[few.name])
    within = p99(tails[many.name]) / statistics.median(tails[many.name])
    return (
        f"{report(samples, _lines(ONE_BY_ONE, few, many))}\n"
        f"p99 of a check: {p99(tails[many.name]) * 1e6:.0f} µs, {slowest:.2f} of that "
        f"with {few.name}, {within:.2f} of its median\n"
    )


def _everybody(few: Contender, many: Contender, asked: Collection[str]) -> str:
    """What concerns all of them, for each row: the small one before and after."""
    with tempfile.TemporaryDirectory(prefix="consentkit-bench-") as name:
        place = Path(name) / "export"
        works: Sequence[tuple[str, int, Callable[[Contender], Verified]]] = (
            (LOG, LEAVES_EACH, partial(_verify, records=False)),
            (RECORDS, LEAVES_EACH, partial(_verify, records=True)),
            (EXPORT, LEAVES_EACH, partial(_export, place=place)),
            (CLAUSE, 1, lambda of: _timed(of, of.ask_all)),
            (BATCH, 1, lambda of: _timed(of, of.share_all)),
        )
        rows = [
            _row(what, each, [work(few), work(many), work(few)])
            for what, each, work in works
            if what in asked
        ]
    head = ("for each row", few.name, many.name, "ratio", "MiB at most")
    table = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in table)


def _row(what: str, each: int, found: Sequence[Verified]) -> tuple[str, ...]:
    before, large, after = (one.seconds / each for one in found)
    small = (before + after) / 2
    weighed = f"{found[0].peak:.0f}, {found[1].peak:.0f}" if found[0].peak else ""
    times = f"{small * 1e6:.1f} µs", f"{large * 1e6:.1f} µs"
    return what, *times, f"{large / small:.2f}", weighed


def _timed(of: Contender, work: Callable[[], object]) -> Verified:
    """Seconds for each person."""
    started = time.perf_counter()
    work()
    return Verified(0, (time.perf_counter() - started) / of.people)


def _export(of: Contender, place: Path) -> Verified:
    shutil.rmtree(place, ignore_errors=True)
    return _timed(of, lambda: of.export_to(place))


def _verify(of: Contender, *, records: bool) -> Verified:
    """What an auditor does with the published files, in a process of its own."""
    of.publish()
    installation = of.made.installation
    folder, vkey = installation.log_folder, installation.keyring.log.vkey
    every = _SAMPLE if records else 0
    found = verified_in(folder, vkey, records=records, every=every)
    return Verified(found.peak, found.seconds / of.people)


def _publications(few: Contender, many: Contender, waiting: int) -> str:
    def wait() -> None:
        for each in (few, many):
            each.wait(waiting)

    samples = race(
        {_named(PUBLISH, each): each.publish for each in (few, many)},
        rounds=3,
        calls=waiting,
        prepare=wait,
    )
    return report(samples, _lines([PUBLISH], few, many))


def _footprints(few: Contender, many: Contender) -> str:
    small, large = (footprint_of(each.made, each.people) for each in (few, many))
    return (
        f"a process that serves: {small:.0f} MiB with {few.name}, {large:.0f} MiB "
        f"with {many.name}, {large / small:.2f} of it\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
