"""A batch, written and gone through, beside fetching the ids and hashing the entries.

One million people, six in ten of whom agreed, on SQLite and on PostgreSQL. The
reference asks nobody: it fetches as many ids as the batch hands out, and hashes and
folds as many entries as the batch has. Ours judges everybody, writes who was in it and
who was not, signs the leaf, and asks about each of them again while it hands them out.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.log.batch import BatchTree
from consentkit.log.batch import hash_entries
from consentkit.service.batching import People
from consentkit.service.batching import share_with_many
from consentkit.service.judging import Wanted
from consentkit.service.live import live
from consentkit.service.release import LIFETIME
from consentkit.service.sharing import Circumstances
from consentkit.store import schema
from consentkit.store.batch_standings import insert_many
from consentkit.store.clause import allowed
from consentkit.store.sqlite import journal_mode
from tests.bench.measure import Line
from tests.bench.measure import arguments
from tests.bench.measure import circumstances
from tests.bench.measure import race
from tests.bench.measure import report
from tests.bench.measure import write
from tests.bench.world import LONG
from tests.bench.world import World
from tests.bench.world import world
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.postgres_server import serve_postgres

__all__ = [
    "CLAUSE",
    "ENGINES",
    "OURS",
    "PERSON",
    "RAW",
    "by_clause",
    "hand_out",
    "main",
]

SIZE, SMOKE_SIZE = 1_000_000, 400
ENGINES = ("SQLite", "PostgreSQL")
RAW = "fetch, hash and fold, asking nobody"
CLAUSE = "fetch by allowed_clause alone"
OURS = "share_many, whole and handed out"

_AT_ONCE = 10_000  # rows written in one go
_OF_TEN = 6  # so many agreed
_LEAF_BYTES = bytes(770)  # as long as a leaf; nobody reads them here
PERSON = sa.Table(
    "person", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True)
)
_Entries = Sequence[tuple[str, str, bytes]]


@dataclass(frozen=True)
class Filled:
    """A database of so many people, and the entries that a batch of them has."""

    world: World
    size: int
    entries: _Entries

    @property
    def engine(self) -> sa.Engine:
        """What the reference reads by."""
        return self.world.installation.database.engine


@contextlib.contextmanager
def filled(size: int, *, database: str = "") -> Iterator[Filled]:
    """An app whose database holds ``size`` people, most of whom have answered."""
    with world(database=database) as made:
        entries: list[tuple[str, str, bytes]] = []
        with made.installation.database.write() as connection:
            PERSON.create(connection)
            for first in range(0, size, _AT_ONCE):
                numbers = range(first, min(first + _AT_ONCE, size))
                entries += _add(made, connection, numbers)
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(
                    "SELECT setval(pg_get_serial_sequence('consent_leaf', 'position'), "
                    "(SELECT max(position) FROM consent_leaf))"
                )
        with made.installation.database.read() as connection:
            connection.exec_driver_sql("ANALYZE")
        try:
            yield Filled(made, size, entries)
        finally:
            made.installation.close()


def _add(made: World, connection: sa.Connection, numbers: range) -> _Entries:
    """People with these numbers; the entries of those who agreed."""
    question, now = made.question, made.installation.clock()
    ids = [
        (number, secrets.token_hex(16), secrets.token_hex(16), secrets.token_bytes(32))
        for number in numbers
        if number % 10 < _OF_TEN
    ]
    first = 10 + numbers.start
    add = partial(insert_many, connection)
    add(PERSON, [(number,) for number in numbers])
    add(
        schema.subject,
        [(str(number), handle, b"", 1, "", now) for number, handle, _, _ in ids],
    )
    add(
        schema.leaf,
        [
            (
                first + at,
                1,
                None,
                record,
                "choice",
                act,
                _LEAF_BYTES,
                handle,
                0,
                None,
                now,
            )
            for at, (_, handle, record, act) in enumerate(ids)
        ],
    )
    said, until = " ".join(sorted(question.categories)), now + LONG
    given = State.GIVEN.value, said, until, question.scope, Assurance.SESSION.value
    add(
        schema.state,
        [
            (str(number), *question.key, *given, record, now, "")
            for number, _, record, _ in ids
        ],
    )
    return [(handle, record, act) for _, handle, record, act in ids]


def _raw(made: Filled) -> None:
    query = sa.select(PERSON.c.id).limit(len(made.entries))
    with made.engine.connect() as connection:
        found = connection.execute(query, execution_options={"yield_per": _AT_ONCE})
        for rows in found.partitions():
            for _ in rows:
                pass
    tree = BatchTree(lambda _level, _number, _hashes: None)
    for first in range(0, len(made.entries), _AT_ONCE):
        some = made.entries[first : first + _AT_ONCE]
        tree.add(hash_entries(some, scope=made.world.question.scope))
    tree.finish()


def by_clause(made: World) -> set[int]:
    """Whose data may be shared, by one statement."""
    question, database = made.question, made.installation.database
    clause = allowed(
        PERSON.c.id,
        question,
        now=made.installation.clock,
        dialect=database.engine.dialect.name,
    )
    with database.engine.connect() as connection:
        return set(connection.scalars(sa.select(PERSON.c.id).where(clause)))


def hand_out(made: World) -> set[int]:
    """Who is in a batch that is written and gone through."""
    batch = share_with_many(
        made.installation,
        People(sa.select(PERSON.c.id), str.isdecimal, int),
        Wanted(SCORE.id, CREDIT.id, None, Assurance.SESSION),
        Circumstances(caller="bench:export"),
        counted=True,
        lifetime=LIFETIME,
    )
    with live(batch):
        return set(batch)


def _contenders(name: str, made: Filled) -> Mapping[str, Callable[[], object]]:
    return {
        f"{RAW}, {name}": partial(_raw, made),
        f"{CLAUSE}, {name}": partial(by_clause, made.world),
        f"{OURS}, {name}": partial(hand_out, made.world),
    }


def _lines(name: str) -> Iterator[Line]:
    yield Line(f"{RAW}, {name}")
    yield Line(f"{CLAUSE}, {name}", f"{RAW}, {name}")
    yield Line(f"{OURS}, {name}", f"{RAW}, {name}", 2.5)


def main(argv: Sequence[str] | None = None) -> None:
    """Compare whom they name, then times."""
    asked = arguments(argv, __doc__, rounds=5, shares=True)
    size = SMOKE_SIZE if asked.smoke else int(SIZE * asked.share)
    contenders: dict[str, Callable[[], object]] = {}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serve_postgres({"fsync": "on"}))
        for name in ENGINES:
            database = server.new_database() if name == "PostgreSQL" else ""
            made = stack.enter_context(filled(size, database=database))
            named = hand_out(made.world)
            if named != by_clause(made.world) or len(named) != len(made.entries):
                raise SystemExit(f"{name}: the batch and the clause name others")
            write(f"{name}: same people: {len(named)} of {size}")
            contenders |= _contenders(name, made)
        samples = race(contenders, rounds=asked.rounds)
    write(circumstances(journal_mode(), asked.rounds))
    write(report(samples, [line for name in ENGINES for line in _lines(name)]))


if __name__ == "__main__":
    main()
