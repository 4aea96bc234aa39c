"""How many connections one process opens: what docs/postgres.md says, and no more."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.store.connections import KEPT_SENDS
from consentkit.store.connections import Connections
from consentkit.store.database import Database
from tests.postgres_server import on_postgres
from tests.store.answers import put
from tests.store.reader_contract import KEY
from tests.store.reader_contract import state

if TYPE_CHECKING:
    from tests.postgres_server import PostgresServer

_THREADS = 6
_OPEN = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.mark.parametrize("sends", [0, 2])
def test_a_process_opens_no_more_connections_than_the_page_says(
    postgres: PostgresServer, sends: int
) -> None:
    uri = postgres.new_tables()
    put(uri, *KEY)
    database = Database(uri, connections=Connections(pooled=3, sends=sends))
    reader, locks = database.reader(), database.send_locks()
    seen: list[int] = []
    all_there = threading.Barrier(_THREADS)

    def live(_: int) -> None:
        for _ in range(5):
            with locks.held("alice"):
                state(reader)
                seen.extend(count for (count,) in on_postgres(uri, _OPEN))
            with database.write(alone=False) as connection:
                connection.execute(sa.text("SELECT 1"))
            locks.under_way("alice")
        all_there.wait()
        seen.extend(count for (count,) in on_postgres(uri, _OPEN))
        all_there.wait()
        reader.close()

    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(live, range(_THREADS)))
    most = 3 + _THREADS + max(KEPT_SENDS, _THREADS)
    looking = _THREADS - 1  # by this test itself
    assert _THREADS < max(seen) <= most + looking
    locks.close()
    database.dispose()


def test_a_thread_that_finds_no_connection_gives_up(postgres: PostgresServer) -> None:
    limits = Connections(pooled=2, pool_wait=1)
    database = Database(postgres.new_database(), connections=limits)
    with (
        database.read(),
        database.read(),
        pytest.raises(LogUnavailableError, match="TimeoutError"),
        database.read(),
    ):
        raise AssertionError("three connections of two")
    database.dispose()


def test_a_pool_of_one_is_none() -> None:
    with pytest.raises(ConfigurationError, match="at least 2"):
        Connections(pooled=1)
