"""Through a pgbouncer that gives each transaction another session of the server."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from consentkit.core.act import State
from consentkit.errors import LogUnavailableError
from consentkit.store import schema
from consentkit.store.connections import Connections
from consentkit.store.database import Database
from consentkit.store.postgres import Postgres
from consentkit.store.postgres_pooling import is_pooled
from tests.pooler import serve_pooler
from tests.postgres_server import on_postgres
from tests.processes import at_once
from tests.store.answers import put
from tests.store.answers import withdraw
from tests.store.reader_contract import KEY
from tests.store.reader_contract import ReaderContract
from tests.store.reader_contract import read_in_threads
from tests.store.reader_contract import state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.store.engine import Reader
    from tests.pooler import Pooler
    from tests.postgres_server import PostgresServer

_LATE = 20.0  # seconds; only what hangs takes longer
_NAMED = "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'consentkit%'"


@pytest.fixture(scope="module")
def pooler(postgres: PostgresServer) -> Iterator[Pooler]:
    with serve_pooler(postgres) as found:
        yield found


@pytest.fixture(scope="module")
def narrow(postgres: PostgresServer) -> Iterator[Pooler]:
    """One session for all: whatever one leaves behind, the next one finds."""
    with serve_pooler(postgres, size=1) as found:
        yield found


@pytest.fixture
def direct(postgres: PostgresServer) -> str:
    """The address of the server itself."""
    return postgres.new_tables()


@pytest.fixture
def place(pooler: Pooler, direct: str) -> str:
    return pooler.through(direct)


@pytest.fixture
def reader(place: str) -> Iterator[Reader]:
    found = Database(place).reader()
    yield found
    found.close()


class TestPooledReader(ReaderContract):
    """What holds on every engine."""


def test_a_pooler_is_told_from_a_server(direct: str, place: str) -> None:
    for uri, pooled in ((direct, False), (place, True)):
        with psycopg.connect(uri) as connection:
            assert is_pooled(connection, known=None) is pooled
            assert is_pooled(connection, known=not pooled) is not pooled


# What was prepared


@pytest.mark.parametrize("pooler_is", [None, True, False], ids=["auto", "yes", "no"])
def test_the_hot_read_stays_prepared_whatever_the_configuration_says(
    narrow: Pooler, direct: str, *, pooler_is: bool | None
) -> None:
    place = narrow.through(direct)
    put(direct, *KEY)
    first, second = (
        Database(place, connections=Connections(pooler=pooler_is)).reader()
        for _ in range(2)
    )
    for reader in (first, second):  # of which the second finds all of it there
        read_in_threads(reader)
        assert on_postgres(place, _NAMED) == [(2,)]


def test_a_session_that_forgets_all_of_it_still_gives_the_answer(
    narrow: Pooler, direct: str
) -> None:
    place = narrow.through(direct)
    put(direct, *KEY)
    reader = Database(place).reader()
    assert state(reader) is State.GIVEN
    for _ in range(2):
        on_postgres(place, "DEALLOCATE ALL")
        assert on_postgres(place, _NAMED) == [(0,)]
        assert state(reader) is State.GIVEN
        assert on_postgres(place, _NAMED) == [(1,)]
    withdraw(direct, *KEY)
    assert state(reader) is State.WITHDRAWN
    reader.close()


def test_a_pooler_that_forgets_each_time_is_asked_in_full(
    narrow: Pooler, direct: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consentkit.store.postgres_held._MOST_MISSES", 2)
    place = narrow.through(direct)
    put(direct, *KEY)
    reader = Database(place).reader()
    for _ in range(3):
        assert state(reader) is State.GIVEN
        on_postgres(place, "DEALLOCATE ALL")
    assert state(reader) is State.GIVEN
    assert on_postgres(place, _NAMED) == [(0,)]
    reader.close()


@pytest.mark.parametrize("way", ["pooler", "server"])
def test_what_was_prepared_before_a_table_changed_is_prepared_anew(
    direct: str, place: str, way: str
) -> None:
    """A migration under a process that runs: the same columns, of another type."""
    database = Database(place if way == "pooler" else direct)
    reader = database.reader()
    put(direct, *KEY)
    keys = [(*KEY, "")] * 3
    for kind in ("numeric", "bigint", "numeric", "bigint"):
        assert state(reader) is State.GIVEN
        assert None not in reader.standings(keys)
        on_postgres(direct, f"ALTER TABLE consent_state ALTER since TYPE {kind}")
    reader.close()
    database.dispose()


def test_an_act_on_what_was_prepared_before_is_one_error_at_most(direct: str) -> None:
    database = Database(direct)

    def ask() -> list[Any]:
        with database.read() as connection:
            driver: Any = connection.connection.driver_connection
            query = "SELECT since FROM consent_state"
            return list(driver.execute(query, prepare=True).fetchall())

    ask()
    on_postgres(direct, "ALTER TABLE consent_state ALTER since TYPE numeric")
    with pytest.raises(LogUnavailableError):
        ask()
    assert ask() == []
    database.dispose()


# Settings


def test_a_turn_that_does_not_come_is_an_error_behind_a_pooler_too(
    place: str,
) -> None:
    first = Database(place)
    second = Database(place, connections=Connections(lock_wait=1))
    with (
        first.write(),
        pytest.raises(LogUnavailableError, match="LockNotAvailable"),
        second.write(alone=False),
    ):
        raise AssertionError("two turns at once")
    with second.write(alone=False) as connection:
        assert connection.scalar(sa.text("SHOW lock_timeout")) == "1s"
    first.dispose()
    second.dispose()


@pytest.mark.parametrize("setting", ["off", "on", "local", "remote_apply"])
def test_a_commit_through_a_pooler_is_on_disk(
    postgres: PostgresServer, pooler: Pooler, setting: str
) -> None:
    uri = postgres.new_database()
    on_postgres(
        uri,
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit TO "
        f"{setting}', current_database()); END $$",
    )
    database = Database(pooler.through(uri))
    with database.write() as connection:
        found = connection.scalar(sa.text("SHOW synchronous_commit"))
    assert found == ("on" if setting == "off" else setting)
    database.dispose()


def test_who_shares_the_sessions_meets_no_setting_of_ours(
    narrow: Pooler, direct: str
) -> None:
    place = narrow.through(direct)
    query = "SELECT name, setting FROM pg_settings WHERE source = 'session'"
    before = on_postgres(place, query)
    database = Database(place)
    reader, locks = database.reader(), database.send_locks()
    with database.write() as connection:
        connection.execute(
            sa.insert(schema.log).values(origin="one", size=0, created=0)
        )
    with pytest.raises(LogUnavailableError), database.write() as connection:
        connection.execute(sa.text("SELECT 1 / 0"))
    state(reader)
    with locks.held("alice"):
        pass
    assert locks.under_way() == frozenset()
    assert on_postgres(place, query) == before
    for each in (reader, locks):
        each.close()
    database.dispose()


def test_a_table_in_use_is_not_waited_for_where_no_time_out_can_be_set(
    place: str, direct: str
) -> None:
    database = Database(place)
    with psycopg.connect(direct) as other:
        other.execute("SELECT * FROM consent_state")
        with pytest.raises(LogUnavailableError, match="LockNotAvailable"):
            database.rewrite()
    database.rewrite()
    database.dispose()


# Locks


def test_sends_and_acts_need_no_more_sessions_than_go_on_at_once(
    postgres: PostgresServer, direct: str
) -> None:
    """Eight threads, and two sessions: with as many sends, none is left to look by."""
    with serve_pooler(postgres, size=2) as tight:
        place = tight.through(direct)
        put(direct, *KEY)
        database = Database(place, connections=Connections(sends=1))
        reader, locks = database.reader(), database.send_locks()

        def send(_: int) -> None:
            for _ in range(10):
                with locks.held("alice"):
                    assert state(reader) is State.GIVEN
                with database.write(alone=False) as connection:
                    connection.execute(sa.text("SELECT 1"))
            reader.close()

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(send, range(8)))
        locks.close()
        database.dispose()


def test_more_sends_than_permitted_wait_and_then_do_not_leave(direct: str) -> None:
    limits = Connections(sends=1, pool_wait=1)
    locks = Postgres(make_url(direct), limits).send_locks()
    over = threading.Event()

    def hold() -> None:
        with locks.held("alice"):
            held.set()
            over.wait(_LATE)

    held = threading.Event()
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(_LATE)
    with pytest.raises(LogUnavailableError, match="CONSENTKIT_DATABASE_SENDS"):
        locks.held("bob").__enter__()
    assert len(locks.under_way()) == 1  # to look needs no place
    over.set()
    thread.join()
    with locks.held("bob"):
        pass
    locks.close()


def test_processes_behind_a_pooler_see_the_sends_of_each_other(place: str) -> None:
    locks = Postgres(make_url(place)).send_locks()
    with locks.held("alice"):
        assert at_once(_look, [(place, "alice"), (place, "bob"), (place, "")]) == [
            *(1, 0, 1)
        ]
    assert at_once(_look, [(place, "")]) == [0]
    locks.close()


def _look(place: str, subject: str) -> int:
    locks = Postgres(make_url(place)).send_locks()
    found = locks.under_way(*filter(None, [subject]))
    locks.close()
    return len(found)


@pytest.mark.parametrize("way", ["pooler", "server"])
def test_many_processes_that_start_at_once_make_the_tables_once(
    postgres: PostgresServer, pooler: Pooler, way: str
) -> None:
    uri = postgres.new_database()
    place = pooler.through(uri) if way == "pooler" else uri
    ready = at_once(_upgrade, [(place,)] * 6)
    assert ready == [len(schema.METADATA.tables)] * 6
    assert on_postgres(uri, "SELECT count(*) FROM consent_alembic_version") == [(1,)]


def _upgrade(place: str) -> int:
    """Upgrade, and count the tables that are there when this returns."""
    database = Database(place)
    database.upgrade()
    database.dispose()
    query = "SELECT tablename FROM pg_tables WHERE tablename LIKE 'consent%'"
    return len(
        {name for (name,) in on_postgres(place, query)} & {*schema.METADATA.tables}
    )


# What goes away


def test_a_pooler_that_starts_anew_costs_an_act_one_error_and_a_check_none(
    postgres: PostgresServer, direct: str
) -> None:
    with serve_pooler(postgres) as pooler:
        place = pooler.through(direct)
        put(direct, *KEY)
        database = Database(place)
        reader = database.reader()
        _hold_connections(database, 4)
        assert state(reader) is State.GIVEN
        pooler.kill()
        with pytest.raises(LogUnavailableError):
            state(reader)
        pooler.start()
        assert state(reader) is State.GIVEN
        pooler.kill()
        pooler.start()
        withdraw(direct, *KEY)
        assert state(reader) is State.WITHDRAWN  # by a connection that was kept
        with pytest.raises(LogUnavailableError), database.write():
            raise AssertionError("by a connection that is closed")
        for _ in range(6):
            with database.write(alone=False):
                pass
        reader.close()
        database.dispose()


def _hold_connections(database: Database, count: int) -> None:
    """Let the pool have so many."""
    taken = [database.engine.connect() for _ in range(count)]
    for each in taken:
        each.close()


def test_a_server_that_ends_all_sessions_behind_a_pooler_gives_no_wrong_answer(
    reader: Reader, place: str, direct: str
) -> None:
    put(direct, *KEY)
    assert state(reader) is State.GIVEN
    withdraw(direct, *KEY)
    on_postgres(
        direct,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()",
    )
    assert _eventually(reader) is State.WITHDRAWN
    assert on_postgres(place, "SELECT 1") == [(1,)]


def _eventually(reader: Reader) -> State | None:
    """The first answer; errors on the way are no answers."""
    for _ in range(30):
        try:
            return state(reader)
        except LogUnavailableError:
            continue
    raise AssertionError("no answer at all")
