"""PostgreSQL: a check, an act and its end, and the publication of ten thousand.

The server is one of our own, on a Unix socket, and flushes at every commit. A check is
held against psycopg alone: the prepared primary-key read of the columns that the rule
needs, in autocommit, on a held connection and on one of SQLAlchemy's pool.
"""

from __future__ import annotations

import contextlib
import random
import secrets
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa

from consentkit.core.decision import ShareRequest
from consentkit.service import checking
from tests.bench.act import Acts
from tests.bench.act import publications
from tests.bench.check import DATA
from tests.bench.check import person
from tests.bench.check import states
from tests.bench.measure import Line
from tests.bench.measure import Samples
from tests.bench.measure import arguments
from tests.bench.measure import one_by_one
from tests.bench.measure import race
from tests.bench.measure import race_calls
from tests.bench.measure import report
from tests.bench.measure import report_tails
from tests.bench.measure import write
from tests.bench.world import World
from tests.bench.world import world
from tests.declared import CREDIT
from tests.declared import OFFERS
from tests.declared import SCORE
from tests.postgres_server import PostgresServer
from tests.postgres_server import on_postgres
from tests.postgres_server import serve_postgres

SIZE, SMOKE_SIZE = 1_000_000, 300
WAITING, SMOKE_WAITING = 10_000, 300
CALLS = 300
DURABLE = {"fsync": "on", "shared_buffers": "256MB", "max_connections": "200"}

RAW, POOLED = "psycopg, prepared, held cursor", "the same, from a pool"
SERVICE, PUBLIC = "checking.check", "consent.check"
INSERT, GRANT, REVOKE = "raw INSERT + COMMIT, 1 KiB", "choose: a grant", "revoke"

_SELECT = (
    "SELECT state, data, until, scope, assurance, record FROM consent_state "
    "WHERE subject = %s AND purpose = %s AND recipient = %s"
)
_KEY = SCORE.id, CREDIT.id


def _ask(cursor: psycopg.Cursor[Any], subject: str) -> list[tuple[Any, ...]]:
    return cursor.execute(_SELECT, (subject, *_KEY), prepare=True).fetchall()


def _ask_pooled(engine: sa.Engine, subject: str) -> list[tuple[Any, ...]]:
    taken = engine.raw_connection()
    try:
        driver = taken.driver_connection
        assert isinstance(driver, psycopg.Connection)
        return _ask(driver.cursor(), subject)
    finally:
        taken.close()


def _check(made: World, subject: str) -> bool:
    request = ShareRequest(subject, *_KEY, DATA)
    return bool(checking.check(made.installation, request))


def _check_public(made: World, subject: str) -> bool:
    return bool(made.consent.check(subject, SCORE, recipient=CREDIT, data=DATA))


@contextlib.contextmanager
def _filled(uri: str, count: int) -> Iterator[World]:
    with world(database=uri) as made, psycopg.connect(uri) as connection:
        with connection.cursor().copy("COPY consent_state FROM STDIN") as copy:
            for row in states(made, count, made.installation.clock()):
                copy.write_row(row)
        connection.execute(
            "INSERT INTO consent_suspension VALUES (%s, '', 0, '')", (OFFERS.id,)
        )
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE consent_state")
        yield made
        made.installation.close()


def _agreement(asks: dict[str, Callable[[str], object]], people: Sequence[str]) -> str:
    """A line that says what was compared; stops where two do not agree."""
    said_yes = 0
    for each in people:
        if asks[RAW](each) != asks[POOLED](each):
            raise SystemExit(f"two reads of {each} differ")
        expected = int(each.rpartition("-")[2]) % 10 < 6  # as ``states`` makes them
        if (asks[SERVICE](each), asks[PUBLIC](each)) != (expected, expected):
            raise SystemExit(f"{each}: expected {expected}")
        said_yes += expected
    return f"same answers: {len(people)} people, {said_yes} times yes"


def _checks(uri: str, size: int, calls: int, rounds: int) -> tuple[str, str]:
    """What agreed, and the tables of the check."""
    draw = random.Random(7)  # noqa: S311  the same people in each run
    people = [person(number) for number in draw.sample(range(size), calls)]
    pool = sa.create_engine(
        uri.replace("postgresql:", "postgresql+psycopg:"),
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
    )
    with (
        _filled(uri, size) as made,
        psycopg.connect(uri, autocommit=True) as connection,
        made.app.app_context(),
    ):
        asks: dict[str, Callable[[str], object]] = {
            RAW: partial(_ask, connection.cursor()),
            POOLED: partial(_ask_pooled, pool),
            SERVICE: partial(_check, made),
            PUBLIC: partial(_check_public, made),
        }
        agreed = _agreement(asks, people)
        batches = {name: partial(one_by_one, asks[name], people) for name in asks}
        samples = race_calls(batches, rounds=rounds)
        tails = {n: one_by_one(asks[n], people * 10) for n in (RAW, SERVICE)}
        pool.dispose()
    lines = [
        Line(RAW),
        Line(POOLED, RAW),
        Line(SERVICE, RAW, 1.3),
        Line(PUBLIC, RAW, 1.3),
        Line(SERVICE, POOLED, 1.3),
    ]
    return agreed, "\n".join((report(samples, lines), report_tails(tails, reach=4.0)))


def _acts(uri: str, rounds: int, people: int) -> Samples:
    with world(database=uri) as made, psycopg.connect(uri, autocommit=True) as raw:
        raw.execute("CREATE TABLE bare (id bigserial PRIMARY KEY, data bytea)")
        acts = Acts(made, people)
        samples = race(
            {INSERT: partial(insert_one, raw), GRANT: acts.grant, REVOKE: acts.end},
            rounds=rounds,
        )
        made.installation.close()
        return samples


def insert_one(connection: psycopg.Connection[Any]) -> None:
    """One kibibyte, durable."""
    data = secrets.token_bytes(1024)
    connection.execute("INSERT INTO bare (data) VALUES (%s)", (data,), prepare=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Compare answers, then times."""
    asked = arguments(argv, __doc__, rounds=60)
    size = SMOKE_SIZE if asked.smoke else SIZE
    waiting = SMOKE_WAITING if asked.smoke else WAITING
    with serve_postgres(DURABLE) as server:
        ((version,),) = on_postgres(server.address, "SHOW server_version")
        uri = server.new_database()
        agreed, checks = _checks(uri, size, 20 if asked.smoke else CALLS, asked.rounds)
        write(agreed, f"PostgreSQL {version}, {size:,} rows, {asked.rounds} rounds", "")
        write(checks)
        acts = _acts(server.new_database(), asked.rounds * 5, people=20)
        published = _publications(server, waiting)
    lines = [Line(INSERT), Line(GRANT, INSERT), Line(REVOKE, GRANT, 1.15)]
    lines += [Line(name, reach=1.0) for name in published]
    write(report({**acts, **published}, lines))


def _publications(server: PostgresServer, waiting: int) -> Samples:
    """Without roles, and with one that may only add: then signatures are checked."""
    found: dict[str, Sequence[float]] = {}
    for where, prepare in (
        ("", "SELECT"),
        (", with roles", "CREATE ROLE adds; GRANT INSERT ON consent_leaf TO adds"),
    ):
        uri = server.new_database()
        with world(database=uri) as made:
            for statement in prepare.split("; "):
                on_postgres(uri, statement)
            told, samples = publications(made, 5, waiting, where=where)
            made.installation.close()
        write(told, "")
        found.update(samples)
    return found


if __name__ == "__main__":
    main()
