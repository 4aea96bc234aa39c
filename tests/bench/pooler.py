"""The hot read: through pgbouncer in transaction mode, and sent in full each time.

The server is one of our own on a Unix socket, the pooler another process beside it; the
role plans once, as docs/postgres.md advises. All read the same rows by the same words.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from collections.abc import Sequence
from functools import partial
from typing import Any

import psycopg

from consentkit.core.act import Millis
from consentkit.store.connections import Connections
from consentkit.store.database import Database
from consentkit.store.heartbeat import Heartbeat
from consentkit.store.postgres_reader import query_for_one
from consentkit.store.postgres_replica import Replica
from tests.bench.measure import Line
from tests.bench.measure import arguments
from tests.bench.measure import one_by_one
from tests.bench.measure import race_calls
from tests.bench.measure import report
from tests.bench.measure import write
from tests.pooler import serve_pooler
from tests.postgres_server import on_postgres
from tests.postgres_server import serve_postgres

SIZE, SMOKE_SIZE = 100_000, 300
CALLS = 300
_ONE = query_for_one().encode()
_KEY = "credit-score", "acme-credit"
_ROW = "city spending", 2_000, "5" * 64, "session", "1" * 32, 1_000, "2" * 64

PREPARED, FULL = "the read, prepared", "the read, sent in full"
POOLED, NOTHING = "the read, pgbouncer", "SELECT 1, pgbouncer"
WITH_AGE = "the read and its age, as of a replica"
_LINES = (
    Line(PREPARED),
    Line(FULL, PREPARED),
    Line(POOLED, PREPARED),
    Line(POOLED, NOTHING),
    Line(WITH_AGE, PREPARED),
)


def _person(number: int) -> str:
    return f"person-{number:07d}"


def _fill(uri: str, count: int) -> None:
    with psycopg.connect(uri) as connection:
        with connection.cursor().copy("COPY consent_state FROM STDIN") as copy:
            for number in range(count):
                state = "given" if number % 10 < 6 else "refused"
                copy.write_row((_person(number), *_KEY, state, *_ROW))
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE consent_state")


def _in_full(connection: psycopg.Connection[Any], subject: str) -> str:
    values = [each.encode() for each in (subject, *_KEY)]
    found = connection.pgconn.exec_params(_ONE, values)
    return (found.get_value(0, 0) or b"").decode()


def _nothing(connection: psycopg.Connection[Any], _subject: str) -> None:
    connection.pgconn.exec_(b"SELECT 1")


def _read(database: Database) -> Callable[[str], str]:
    reader = database.reader()

    def read(subject: str) -> str:
        status = reader.standing(subject, *_KEY).status
        return status.state if status else ""

    return read


def _read_with_age(replica: Replica, subject: str) -> str:
    standing, at = replica.standing(subject, *_KEY)
    return standing.status.state if standing.status and at else ""


def _race(uri: str, pooled: str, size: int, calls: int, rounds: int) -> str:
    draw = random.Random(7)  # noqa: S311  the same people in each run
    people = [_person(number) for number in draw.sample(range(size), calls)]
    database = Database(uri)
    Heartbeat(database).beat(Millis(1))
    with (
        psycopg.connect(uri, autocommit=True) as server,
        psycopg.connect(pooled, autocommit=True) as pooler,
    ):
        # Whoever plans each time does so with the values at hand.
        server.execute("SET plan_cache_mode TO auto")
        asks: dict[str, Callable[[str], object]] = {
            PREPARED: _read(database),
            FULL: partial(_in_full, server),
            POOLED: _read(Database(pooled)),
            WITH_AGE: partial(_read_with_age, Replica(uri, Connections())),
        }
        for each in people:
            if len({str(ask(each)) for ask in asks.values()}) > 1:
                raise SystemExit(f"two reads of {each} differ")
        asks[NOTHING] = partial(_nothing, pooler)
        batches = {name: partial(one_by_one, asks[name], people) for name in asks}
        table = report(race_calls(batches, rounds=rounds), _LINES)
    database.dispose()
    return f"same answers: {len(people)} people\n\n{table}"


def main(argv: Sequence[str] | None = None) -> None:
    """Compare answers, then times."""
    asked = arguments(argv, __doc__, rounds=60)
    size = SMOKE_SIZE if asked.smoke else SIZE
    with serve_postgres({"shared_buffers": "256MB"}) as server:
        on_postgres(
            server.address, "ALTER ROLE ck SET plan_cache_mode = force_generic_plan"
        )
        uri = server.new_tables()
        _fill(uri, size)
        with serve_pooler(server) as pooler:
            calls = 20 if asked.smoke else CALLS
            write(_race(uri, pooler.through(uri), size, calls, asked.rounds))


if __name__ == "__main__":
    main()
