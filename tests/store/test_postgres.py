"""PostgreSQL: the same tables, and turns that are taken without one lock for all."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from consentkit.core.act import Millis
from consentkit.core.act import SubjectHandle
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.store import partitions
from consentkit.store import schema
from consentkit.store.connections import Connections
from consentkit.store.database import Database
from consentkit.store.subjects import Person
from consentkit.store.subjects import lock_person
from tests.postgres_server import on_postgres
from tests.store.test_append_only import CHANGES
from tests.store.test_append_only import ROW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres_server import PostgresServer

_SOON = 0.2  # seconds; what does not happen in them, is taken to wait
_LATE = 20.0  # seconds; only what hangs takes longer


@pytest.fixture
def uri(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def database(uri: str) -> Iterator[Database]:
    found = Database(uri)
    found.upgrade()
    yield found
    found.dispose()


@pytest.fixture
def leaf(database: Database) -> Database:
    with database.write() as connection:
        for number in (1, 2):
            connection.execute(
                sa.insert(schema.log).values(
                    id=number, origin=str(number), size=0, created=0
                )
            )
            partitions.make_room(connection, number)
        connection.execute(sa.insert(schema.leaf).values(**ROW))
    return database


def rows(database: Database) -> list[dict[str, object]]:
    with database.read() as connection:
        query = sa.select(schema.leaf)
        return [dict(row) for row in connection.execute(query).mappings()]


def test_alembic_finds_nothing_that_the_migrations_forgot(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": "consent_alembic_version",
                "compare_type": True,
                "include_name": lambda name, *_: name not in _partitions(connection),
            },
        )
        assert compare_metadata(context, schema.METADATA) == []


def _partitions(connection: sa.Connection) -> set[str]:
    query = sa.text("SELECT inhrelid::regclass::text FROM pg_inherits")
    return set(connection.scalars(query))


def test_processes_that_start_at_once_make_the_tables_once(uri: str) -> None:
    def start(_: int) -> None:
        database = Database(uri)
        database.upgrade()
        database.dispose()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(4)))
    assert on_postgres(uri, "SELECT count(*) FROM consent_alembic_version") == [(1,)]


def pass_over(connection: sa.Connection) -> None:
    """A statement that fails, after which PostgreSQL answers COMMIT with a rollback."""
    connection.execute(
        sa.insert(schema.log).values(id=9, origin="9", size=0, created=0)
    )
    with contextlib.suppress(sa.exc.SQLAlchemyError):
        connection.exec_driver_sql("SELECT nonsense")


def test_a_commit_that_the_server_would_answer_with_a_rollback_is_an_error(
    database: Database,
) -> None:
    failing = pytest.raises(LogUnavailableError, match="a statement in it failed")
    with failing, database.write() as connection:
        pass_over(connection)
    refused = pytest.raises(sa.exc.InternalError, match="nothing of it can be")
    with refused, database.engine.begin() as connection:
        pass_over(connection)
    with database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count(schema.log.c.id))) == 0


def test_ids_are_compared_as_bytes_whatever_the_language(database: Database) -> None:
    """In English, a comma sorts before a plus sign, and neither counts for much."""
    with database.read() as connection:
        for table in schema.METADATA.tables.values():
            for column in table.columns:
                if isinstance(column.type, sa.Text):
                    found = connection.scalar(
                        sa.text(
                            "SELECT collation_name FROM information_schema.columns "
                            "WHERE (table_name, column_name) = (:table, :column)"
                        ),
                        {"table": table.name, "column": column.name},
                    )
                    assert found == "C", f"{table.name}.{column.name}"


# Leaves


@pytest.mark.requirement("R93")
@pytest.mark.parametrize("numbered", [False, True], ids=["waiting", "numbered"])
@pytest.mark.parametrize("column", CHANGES)
def test_no_column_of_a_leaf_can_be_changed(
    leaf: Database, column: str, *, numbered: bool
) -> None:
    if numbered:
        with leaf.write() as connection:
            connection.execute(sa.update(schema.leaf).values(idx=0))
    before = rows(leaf)
    with pytest.raises(LogConflictError), leaf.write() as connection:
        connection.execute(sa.update(schema.leaf).values({column: CHANGES[column]}))
    assert rows(leaf) == before


@pytest.mark.requirement("R93")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM consent_leaf",
        "TRUNCATE consent_leaf",
        (
            "INSERT INTO consent_leaf (log, id, kind, hash, bytes, time) "
            "VALUES (1, '11111111111111111111111111111111', 'choice', '', '', 0) "
            "ON CONFLICT (log, id) DO UPDATE SET bytes = excluded.bytes"
        ),
    ],
    ids=["delete", "truncate", "upsert"],
)
def test_a_leaf_cannot_be_taken_out_or_replaced(leaf: Database, statement: str) -> None:
    with pytest.raises(LogConflictError), leaf.write() as connection:
        connection.execute(sa.text(statement))
    assert rows(leaf) == [ROW]


# Turns


def _person() -> Person:
    return Person(SubjectHandle("a" * 32), b"key", 0, "")


def test_of_two_who_meet_somebody_new_at_once_one_makes_the_row(
    database: Database,
) -> None:
    meet = threading.Barrier(2, timeout=_LATE)

    def act(number: int) -> str:
        def new() -> Person:
            meet.wait()  # neither has seen a row
            return Person(SubjectHandle(f"{number:032x}"), b"key", 0, "")

        with database.write(alone=False) as connection:
            return lock_person(connection, "alice", new=new, now=Millis(0)).handle

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(act, range(2)))) == 1


def test_acts_of_one_person_wait_for_each_other_and_others_do_not(
    database: Database, uri: str
) -> None:
    done, elsewhere = threading.Event(), Database(uri)

    def act() -> None:
        with database.write(alone=False) as connection:
            lock_person(connection, "alice", new=_person, now=Millis(0))
        done.set()

    with database.write(alone=False) as connection:
        lock_person(connection, "alice", new=_person, now=Millis(0))
        thread = threading.Thread(target=act)
        thread.start()
        with elsewhere.write(alone=False) as other:
            lock_person(
                other,
                "bob",
                new=lambda: Person(SubjectHandle("b" * 32), b"key", 0, ""),
                now=Millis(0),
            )
        assert not done.wait(_SOON)
    assert done.wait(_LATE)
    thread.join()
    elsewhere.dispose()


@pytest.mark.parametrize(
    ("first", "second", "waits"),
    [
        (True, True, True),
        (True, False, True),
        (False, True, True),
        (False, False, False),
    ],
    ids=["alone, alone", "alone, act", "act, alone", "act, act"],
)
def test_who_writes_alone_overlaps_with_nobody(
    database: Database, *, first: bool, second: bool, waits: bool
) -> None:
    done = threading.Event()

    def write() -> None:
        with database.write(alone=second):
            done.set()

    with database.write(alone=first):
        thread = threading.Thread(target=write)
        thread.start()
        assert done.wait(_SOON if waits else _LATE) is not waits
    assert done.wait(_LATE)
    thread.join()


def test_a_turn_that_does_not_come_is_an_error_and_leaves_nothing(
    uri: str,
) -> None:
    database = Database(uri, connections=Connections(lock_wait=1))
    database.upgrade()
    elsewhere = Database(uri)
    with (
        elsewhere.write(),
        pytest.raises(LogUnavailableError, match="LockNotAvailable"),
    ):
        _add_log(database)
    _add_log(database)
    assert on_postgres(uri, "SELECT count(*) FROM consent_log") == [(1,)]
    database.dispose()
    elsewhere.dispose()


def _add_log(database: Database) -> None:
    with database.write() as connection:
        connection.execute(
            sa.insert(schema.log).values(origin="one", size=0, created=0)
        )


@pytest.mark.parametrize("setting", ["off", "on", "local"])
def test_a_commit_that_was_answered_is_on_disk(uri: str, setting: str) -> None:
    on_postgres(
        uri,
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit TO "
        f"{setting}', current_database()); END $$",
    )
    database = Database(uri)
    with database.write() as connection:
        found = connection.scalar(sa.text("SHOW synchronous_commit"))
    assert found == ("on" if setting == "off" else setting)
    database.dispose()
