"""What is asked of partitioned tables reads the partitions it needs, by an index."""

from __future__ import annotations

import hashlib
import itertools
import re
from typing import TYPE_CHECKING

import psycopg
import pytest
import sqlalchemy as sa

from consentkit.core.act import Millis
from consentkit.core.act import SubjectHandle
from consentkit.store import keys
from consentkit.store import ledger
from consentkit.store import newcomers
from consentkit.store import numbers
from consentkit.store import partitions
from consentkit.store import schema
from consentkit.store.admission import Admission
from consentkit.store.batch_standings import Asked
from consentkit.store.batches import Batches
from consentkit.store.batches import BatchRow
from consentkit.store.database import Database
from consentkit.store.disclosures import Disclosures
from consentkit.store.history import History
from consentkit.store.oversight import Oversight
from tests.store.filled_periods import fill
from tests.store.filled_periods import planned

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

    from consentkit.store.statement import Statement
    from tests.postgres_server import PostgresServer
    from tests.store.filled_periods import Plans

_LOGS, _MANY = 3, 6_000  # leaves of each: enough for an index to be worth its while
_OFTEN = 12  # the driver prepares what it is asked for the fifth time


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


LEAF, HANDLE = md5("2leaf101"), SubjectHandle(md5("handle50"))
OF_ONE_LEAF = {f"Index Scan on consent_leaf_{log}" for log in (1, 2, 3)}


@pytest.fixture(scope="module")
def uri(postgres: PostgresServer) -> str:
    found = postgres.new_tables()
    database = Database(found)
    with database.write() as connection:
        for log in range(1, _LOGS + 1):
            connection.execute(
                sa.insert(schema.log).values(
                    id=log, origin=str(log), size=_MANY - 3, created=0
                )
            )
            partitions.make_room(connection, log)
    database.dispose()
    with psycopg.connect(found, autocommit=True) as connection:
        fill(connection, _LOGS, _MANY)
        connection.execute("VACUUM ANALYZE")
    return found


@pytest.fixture
def database(uri: str) -> Iterator[Database]:
    found = Database(uri)
    yield found
    found.dispose()


@pytest.fixture
def plans(database: Database) -> Iterator[Plans]:
    with planned(database) as found:
        yield found


def reads(plans: Plans, ask: Callable[[], object]) -> set[str]:
    """How what is large is read, the first time and each later one."""
    ask()
    first = _of_large(plans)
    for _ in range(_OFTEN):
        ask()
        assert _of_large(plans) == first
    return first


def _of_large(plans: Plans) -> set[str]:
    large = ("consent_leaf", "consent_disclosure", "consent_state")
    return {each for each in plans.read() if each.split(" on ")[1].startswith(large)}


def rows(database: Database, statement: Statement, **values: object) -> list[object]:
    with database.read() as connection:
        return [*statement.rows(connection, **values)]


def test_a_receipt_is_found_in_whichever_log_by_an_index(
    database: Database, plans: Plans
) -> None:
    history = History(database)
    assert history.leaf(LEAF, HANDLE) is not None
    assert reads(plans, lambda: history.leaf(LEAF, HANDLE)) == OF_ONE_LEAF


def test_acts_of_a_person_a_challenge_and_a_hash_are_found_by_an_index(
    database: Database, plans: Plans
) -> None:
    history, spent = History(database), md5("2challenge101")
    for found in (
        lambda: history.acts(HANDLE),
        lambda: history.times_of([LEAF]).items(),
        lambda: rows(database, ledger._BY_CHALLENGE, challenge=spent),
        lambda: rows(database, ledger._HASH_BY_ID, id=LEAF),
    ):
        assert found()
        plans.taken()
        assert reads(plans, found) == OF_ONE_LEAF


def test_what_waits_is_read_in_its_own_log_alone(
    database: Database, plans: Plans
) -> None:
    def counted() -> list[object]:
        with database.read() as connection:
            return [numbers.count_waiting(connection, 3)]

    values = {"log": 3, "size": _MANY - 3, "most": 10}
    for ask in (lambda: rows(database, keys._WAITING, **values), counted):
        found = reads(plans, ask)
        assert found <= {
            "Index Only Scan on consent_leaf_3",
            "Index Scan on consent_leaf_3",
        }
        assert found


def test_a_leaf_is_numbered_in_its_own_log_alone(
    database: Database, plans: Plans, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What was filled in has the size of leaves, and says nothing.
    monkeypatch.setattr(Admission, "fault", lambda *_: None)
    monkeypatch.setattr(keys, "find_said", lambda *_: set())
    with database.engine.connect() as connection:  # which rolls back at its end
        for _ in range(3):
            plans.taken()
            numbers.give_numbers(connection, 3, _MANY - 3, most=1)
            found = _of_large(plans)
            assert "Index Scan on consent_leaf_3" in found
            assert found <= {
                "Index Only Scan on consent_leaf_3",
                "Index Scan on consent_leaf_3",
                "Index Scan Backward on consent_leaf_3",
            }


def test_the_newest_leaves_are_found_from_the_end(
    database: Database, plans: Plans
) -> None:
    history = History(database)
    newest = reads(plans, history.position)
    assert newest == {f"Index Only Scan on consent_leaf_{log}" for log in (1, 2, 3)}
    since = _LOGS * _MANY - 10
    late = reads(plans, lambda: rows(database, newcomers._ERASED, after=since))
    assert late == OF_ONE_LEAF


def test_all_leaves_are_read_in_the_order_of_the_key(
    database: Database, plans: Plans
) -> None:
    leaves = History(database).all_leaves()
    assert len(list(itertools.islice(leaves, 1_500))) == 1_500
    assert "Sort Method" not in (told := plans.taken())
    assert "Merge Append" in told
    leaves.close()  # type: ignore[attr-defined]  # a generator


def test_acts_of_officials_are_read_from_their_own_index(
    database: Database, plans: Plans
) -> None:
    officials = Oversight(database).acts_of_officials
    found = reads(plans, officials)
    assert found
    assert not any(each.startswith("Seq Scan") for each in found)


def test_lines_of_a_person_are_found_by_an_index_in_each_period(
    database: Database, plans: Plans
) -> None:
    page = Disclosures(database).page
    assert page("person-7", now=Millis(0), limit=5)[1] == _LOGS
    plans.taken()
    found = reads(plans, lambda: page("person-7", now=Millis(0), limit=5))
    assert {each.split(" on ")[1] for each in found} == {
        f"consent_disclosure_{log}" for log in (1, 2, 3)
    }
    assert not any(each.startswith("Seq Scan") for each in found)


def test_shares_are_read_page_by_page_and_not_all_for_each(
    database: Database, plans: Plans
) -> None:
    shares = Oversight(database)._alone()
    next(shares)
    assert "Sort Method" not in (told := plans.taken().partition("consent_leaf")[0])
    assert "Merge Append" in told
    shares.close()  # type: ignore[attr-defined]  # a generator


def test_answers_of_a_person_are_in_one_partition(
    database: Database, plans: Plans
) -> None:
    statuses = History(database).statuses
    assert len(statuses("person-7")) == 1
    plans.taken()
    (only,) = reads(plans, lambda: statuses("person-7"))
    assert only.startswith("Index Scan on consent_state_")


def test_each_person_of_a_batch_is_looked_up_in_one_partition_by_its_key(
    database: Database, plans: Plans
) -> None:
    row = BatchRow(1, "b" * 32, Millis(0), "score", "credit", "spending", "", 20)
    with database.write() as connection:
        connection.execute(
            sa.delete(schema.batch_entry).where(schema.batch_entry.c.batch == 1)
        )
        connection.execute(
            sa.insert(schema.batch_entry),
            [
                {
                    "batch": 1,
                    "handle": md5(f"handle{number}"),
                    "reason": "granted",
                    "record": "",
                    "act": b"",
                }
                for number in range(row.size)
            ],
        )
    plans.taken()
    found = Batches(database).people(
        row, Asked("score", "credit"), after="", limit=row.size
    )
    assert len(found) == row.size
    told = plans.taken()
    assert "Seq Scan on consent_state" not in told
    loops = re.findall(r"on consent_state_\d \w+ .*? loops=(\d+)\)", told)
    assert sum(map(int, loops)) == row.size


def test_a_check_reads_one_partition_and_is_planned_once(uri: str) -> None:
    reader = Database(uri).reader()
    for number in range(20):
        standing = reader.standing(f"person-{number}", "score", "credit")
        assert standing.status is not None
    query = (
        "SELECT sum(generic_plans), sum(custom_plans) FROM pg_prepared_statements "
        "WHERE statement LIKE '%consent_state%'"
    )
    held = reader._held._held.connection  # type: ignore[attr-defined]  # this engine's
    assert held.execute(query).fetchone() == (20, 0)
    name = held.execute(
        "SELECT name FROM pg_prepared_statements WHERE generic_plans > 0"
    ).fetchone()[0]
    told = "\n".join(
        line
        for (line,) in held.execute(
            f"EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF) EXECUTE {name} "
            "('person-7', 'score', 'credit')"
        )
    )
    assert "Subplans Removed: 7" in told
    assert told.count("Index Scan using consent_state_") == 1
    reader.close()
