"""Partitioned tables against the same tables in one piece, on PostgreSQL.

Two databases of one server, filled alike; in the second each partitioned table was put
into one again, with the same indexes and triggers. What is asked of both is raced.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from functools import partial
from typing import Any

import psycopg

from consentkit.core.decision import ShareRequest
from consentkit.service import checking
from consentkit.service.checking_many import check_many
from consentkit.service.publishing import publish_all
from tests.bench.act import Acts
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
from tests.bench.measure import write
from tests.bench.world import World
from tests.bench.world import signed_leaves
from tests.bench.world import world
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.postgres_server import serve_postgres

SIZE, SMOKE_SIZE = 1_000_000, 300
WAITING, SMOKE_WAITING = 2_000, 100
CALLS, MANY = 100, 100
_AT_ONCE = 20  # checks of one form before it is the other's turn
# Flushed to memory: how fast the disk is has nothing to do with partitions.
SETTINGS = {"shared_buffers": "256MB", "max_connections": "200"}

RAW = "raw prepared SELECT"
CHECK, CHECK_MANY = "checking.check", f"check_many of {MANY}"
GRANT, REVOKE, PUBLISH = "choose: a grant", "revoke", "publish"
PARTS, WHOLE = "partitioned", "in one piece"
RACED = (CHECK, CHECK_MANY, GRANT, REVOKE, PUBLISH)

_SELECT = (
    "SELECT state, data, until, scope, assurance, record FROM consent_state "
    "WHERE subject = %s AND purpose = %s AND recipient = %s"
)
_TRIGGERS = """
    SELECT pg_get_triggerdef(oid) FROM pg_trigger
    WHERE tgrelid = %s::regclass AND NOT tgisinternal
"""
_TABLES = ("consent_state", "consent_leaf", "consent_disclosure")


def named(what: str, form: str) -> str:
    """What it is called in the table."""
    return f"{what}, {form}"


def _put_together(connection: psycopg.Connection[Any]) -> None:
    """Each partitioned table in one piece, with what was on it."""
    for name in _TABLES:
        triggers = connection.execute(_TRIGGERS, (name,)).fetchall()
        for statement in (
            f"CREATE TABLE whole (LIKE {name} INCLUDING ALL)",
            f"INSERT INTO whole SELECT * FROM {name}",  # noqa: S608  written above
            "ALTER SEQUENCE consent_leaf_position_seq OWNED BY NONE",
            f"DROP TABLE {name}",
            f"ALTER TABLE whole RENAME TO {name}",
            *(str(row[0]) for row in triggers),
        ):
            connection.execute(statement.encode())


@contextlib.contextmanager
def _filled(uri: str, count: int, *, whole: bool) -> Iterator[World]:
    with world(database=uri) as made, psycopg.connect(uri) as connection:
        with connection.cursor().copy("COPY consent_state FROM STDIN") as copy:
            for row in states(made, count, made.installation.clock()):
                copy.write_row(row)
        if whole:
            _put_together(connection)
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
        yield made
        made.installation.close()


def _check(made: World, subject: str) -> bool:
    return bool(checking.check(made.installation, _request(subject)))


def _check_many(made: World, people: Sequence[str]) -> int:
    requests = [_request(each) for each in people]
    return sum(map(bool, check_many(made.installation, requests)))


def _time_many(made: World, people: Sequence[str]) -> list[float]:
    return one_by_one(lambda _: _check_many(made, people[:MANY]), people[:1])


def _request(subject: str) -> ShareRequest:
    return ShareRequest(subject, SCORE.id, CREDIT.id, DATA)


def _checks(
    forms: dict[str, World], raw: psycopg.Connection[Any], size: int, rounds: int
) -> Samples:
    draw = random.Random(7)  # noqa: S311  the same people in each run
    people = [person(number) for number in draw.sample(range(size), min(CALLS, size))]
    cursor = raw.cursor()

    def ask(subject: str) -> object:
        key = (subject, SCORE.id, CREDIT.id)
        return cursor.execute(_SELECT, key, prepare=True).fetchall()

    batches: dict[str, Callable[[], Sequence[float]]] = {
        named(RAW, WHOLE): partial(one_by_one, ask, people[:_AT_ONCE])
    }
    answers = set()
    for form, made in forms.items():
        batches[named(CHECK, form)] = partial(
            one_by_one, partial(_check, made), people[:_AT_ONCE]
        )
        batches[named(CHECK_MANY, form)] = partial(_time_many, made, people)
        answers.add(
            (_check_many(made, people), sum(_check(made, each) for each in people))
        )
    if len(answers) != 1:
        raise SystemExit(f"they do not answer alike: {answers}")
    # Short rounds and many of them: what else runs here comes and goes.
    return race_calls(batches, rounds=rounds * 10)


def _writes(forms: dict[str, World], rounds: int, waiting: int) -> dict[str, Samples]:
    acts = {form: Acts(made, 20) for form, made in forms.items()}
    contenders: dict[str, Callable[[], object]] = {}
    for form in forms:
        contenders[named(GRANT, form)] = acts[form].grant
        contenders[named(REVOKE, form)] = acts[form].end
    written = race(contenders, rounds=rounds * 5)

    def wait() -> None:
        for made in forms.values():
            publish_all(made.installation)
            with made.installation.ledger.write() as transaction:
                for leaf in signed_leaves(made.installation, made.question, waiting):
                    transaction.append(leaf)

    published = race(
        {
            named(PUBLISH, form): partial(publish_all, made.installation)
            for form, made in forms.items()
        },
        rounds=5,
        prepare=wait,
    )
    return {"acts": written, "published": published}


def _lines() -> list[Line]:
    lines = [Line(named(RAW, WHOLE))]
    for what in RACED:
        whole = named(what, WHOLE)
        lines += [Line(whole), Line(named(what, PARTS), whole)]
    return [*lines, Line(named(CHECK, PARTS), named(RAW, WHOLE), 1.3)]


def main(argv: Sequence[str] | None = None) -> None:
    """Compare answers, then times."""
    asked = arguments(argv, __doc__, rounds=40)
    size = SMOKE_SIZE if asked.smoke else SIZE
    waiting = SMOKE_WAITING if asked.smoke else WAITING
    with serve_postgres(SETTINGS) as server, contextlib.ExitStack() as stack:
        address = server.new_database()
        forms = {
            PARTS: stack.enter_context(
                _filled(server.new_database(), size, whole=False)
            ),
            WHOLE: stack.enter_context(_filled(address, size, whole=True)),
        }
        raw = stack.enter_context(psycopg.connect(address, autocommit=True))
        checks = _checks(forms, raw, size, asked.rounds)
        writes = _writes(forms, asked.rounds, waiting)
    write(f"same answers: {min(CALLS, size)} people of {size:,}", "")
    samples = {**checks, **writes["acts"], **writes["published"]}
    write(report(samples, _lines()))


if __name__ == "__main__":
    main()
