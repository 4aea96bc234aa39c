"""Killed with -9 in the middle of load, through real servers: no promise is lost.

``python -m tests.served.killing SECONDS`` does it for longer, to all servers.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.postgres_server import PostgresServer
from tests.served.killing import kill_and_prove
from tests.served.killing import kill_publisher
from tests.served.people import crowd
from tests.served.proving import check_kept
from tests.served.proving import wallet_in
from tests.served.servers import becomes
from tests.served.servers import serve
from tests.served.servers import wait_for_all

SECONDS = 3
TAKES_OVER = 2.0  # seconds; the rest tries once a second


@pytest.mark.requirement("R119")
def test_what_gunicorn_answered_on_sqlite_outlives_its_processes(
    tmp_path: Path,
) -> None:
    killed = kill_and_prove("gunicorn gthread, preloaded", tmp_path, seconds=SECONDS)
    assert killed.workers + killed.publishers > 1
    assert killed.lived.promised


@pytest.mark.requirement("R119")
def test_what_granian_answered_on_postgresql_outlives_its_processes(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    database = postgres.new_tables()
    killed = kill_and_prove("granian", tmp_path, seconds=SECONDS, database=database)
    assert killed.workers + killed.publishers > 1
    assert killed.lived.promised
    postgres.drop_database(database)


@pytest.mark.requirement("R119")
def test_another_worker_publishes_once_the_publisher_is_killed(tmp_path: Path) -> None:
    """In its transaction, holding the database, the high-water file and its office."""
    with serve("gunicorn gthread, preloaded", tmp_path) as served:
        wait_for_all(served)
        with crowd(served.port, threads=2, each=1) as lived:
            assert becomes(lambda: len(lived.promised) > 2)
            process = kill_publisher(served)
            died = time.monotonic()
            wallet = wallet_in(tmp_path)
            published = wallet.installation.publications.latest
            before = published()
            assert becomes(lambda: published() != before)
            took = time.monotonic() - died
        assert process is not None
        assert process not in served.workers()
        served.end()
    check_kept(wallet, lived)
    assert not lived.faults
    # Twice what it should take: somebody else may use the processors.
    assert took < 2 * TAKES_OVER
