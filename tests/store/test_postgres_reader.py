"""The hot read on PostgreSQL, and what only a server can do to it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.core.act import State
from consentkit.errors import LogUnavailableError
from consentkit.store.database import Database
from consentkit.store.postgres_timeline import Cluster
from tests.postgres_server import on_postgres
from tests.processes import in_fork
from tests.store.answers import put
from tests.store.answers import withdraw
from tests.store.reader_contract import KEY
from tests.store.reader_contract import ReaderContract
from tests.store.reader_contract import state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.store.engine import Reader
    from consentkit.store.postgres_connection import PatientConnection
    from tests.postgres_server import PostgresServer

_KILL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE pid <> pg_backend_pid() AND datname = current_database()"
)
_FREEZE = (
    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET "
    "default_transaction_isolation TO %L', current_database(), 'repeatable read'); "
    "END $$"
)


@pytest.fixture
def place(postgres: PostgresServer) -> str:
    return postgres.new_tables()


@pytest.fixture
def reader(place: str) -> Iterator[Reader]:
    found = Database(place).reader()
    yield found
    found.close()


class TestPostgresReader(ReaderContract):
    """What holds on every engine."""


def test_a_connection_that_the_server_closed_is_opened_again(
    reader: Reader, place: str
) -> None:
    put(place, *KEY)
    assert state(reader) is State.GIVEN
    on_postgres(place, _KILL)
    assert state(reader) is State.GIVEN


@pytest.mark.requirement("R62")
def test_a_database_that_is_gone_gives_no_answer(
    reader: Reader, place: str, postgres: PostgresServer
) -> None:
    put(place, *KEY)
    assert state(reader) is State.GIVEN
    postgres.drop_database(place)
    for _ in range(2):
        with pytest.raises(LogUnavailableError, match="cannot be read"):
            state(reader)


@pytest.mark.requirement("R55")
def test_no_setting_of_the_database_freezes_what_is_read(place: str) -> None:
    """A default of REPEATABLE READ would, if the read sat in a transaction."""
    on_postgres(place, _FREEZE)
    put(place, *KEY)
    reader = Database(place).reader()
    assert state(reader) is State.GIVEN
    withdraw(place, *KEY)
    assert state(reader) is State.WITHDRAWN
    reader.close()


def test_a_fork_reads_by_a_connection_of_its_own(reader: Reader, place: str) -> None:
    put(place, *KEY)
    assert state(reader) is State.GIVEN

    def read() -> list[str]:
        found = [str(state(reader)) for _ in range(50)]
        reader.close()
        return found

    assert set(in_fork(read).value) == {"given"}
    assert state(reader) is State.GIVEN


def test_a_thread_that_ends_leaves_no_connection(
    reader: Reader, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that starts a thread for each request would use all of them up."""
    opened: list[PatientConnection] = []
    connect = Cluster.connect

    def note(cluster: Cluster, *arguments: Any, **options: Any) -> PatientConnection:
        opened.append(connect(cluster, *arguments, **options))
        return opened[-1]

    monkeypatch.setattr(Cluster, "connect", note)
    put(place, *KEY)
    thread = threading.Thread(target=state, args=[reader])
    thread.start()
    thread.join()
    assert [each.closed for each in opened] == [True]
