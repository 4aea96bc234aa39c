"""Locks of what is sent, in PostgreSQL: held by a transaction, seen by everybody."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.engine import make_url

from consentkit.errors import LogUnavailableError
from consentkit.service.sending import PATIENCE
from consentkit.service.sending import Sends
from consentkit.store.postgres import Postgres
from tests.postgres_server import on_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres_server import PostgresServer

_END_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def uri(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def sends(uri: str) -> Iterator[Sends]:
    found = Sends(Postgres(make_url(uri)).send_locks())
    yield found
    found.close()


def test_two_machines_see_the_sends_of_each_other(sends: Sends, uri: str) -> None:
    elsewhere = Sends(Postgres(make_url(uri)).send_locks())
    with sends.held("alice"), sends.held("alice"), elsewhere.held("bob"):
        assert len(elsewhere.locks.under_way("alice")) == 2
        assert len(elsewhere.locks.under_way("alice", "bob", "carol")) == 3
        assert len(sends.locks.under_way()) == 3
        assert sends.locks.under_way("carol") == frozenset()
    assert elsewhere.locks.under_way() == frozenset()
    elsewhere.close()


def test_the_sends_of_another_database_are_no_concern_of_ours(
    sends: Sends, postgres: PostgresServer
) -> None:
    other = Sends(Postgres(make_url(postgres.new_database())).send_locks())
    with other.held("alice"):
        assert sends.locks.under_way() == frozenset()
    other.close()


@pytest.mark.requirement("R55")
def test_a_send_that_begins_later_keeps_no_end_waiting(sends: Sends) -> None:
    """Else a recipient that is always sent something would let nobody stop."""
    first, begun, over = threading.Event(), threading.Event(), threading.Event()

    def overlap() -> None:
        with sends.held("alice"):
            first.set()
            time.sleep(0.05)
            second.start()
            begun.wait()
        over.set()

    def go_on() -> None:
        with sends.held("alice"):
            begun.set()
            over.wait()
            time.sleep(0.3)

    second = threading.Thread(target=go_on)
    thread = threading.Thread(target=overlap)
    thread.start()
    first.wait()
    with sends.settled("alice"):
        pass
    assert over.is_set()
    assert second.is_alive()
    thread.join()
    second.join()


def test_more_sends_than_connections_are_kept_wait_for_nothing(sends: Sends) -> None:
    gate = threading.Barrier(20)

    def send() -> None:
        with sends.held("alice"):
            gate.wait(20)

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not gate.broken


def test_a_lock_that_is_lost_is_an_error_of_the_next_send_alone(
    sends: Sends, uri: str
) -> None:
    """What was sent is sent; and what is kept is tried before it is used."""
    with sends.held("alice"):
        on_postgres(uri, _END_ALL)
        assert sends.locks.under_way() == frozenset()
    for _ in range(2):
        with sends.held("alice"):
            assert len(sends.locks.under_way("alice")) == 1
        on_postgres(uri, _END_ALL)


@pytest.mark.requirement("R76")
def test_without_a_server_nothing_leaves_and_no_end_fails(
    sends: Sends, postgres: PostgresServer, uri: str, caplog: pytest.LogCaptureFixture
) -> None:
    with sends.held("alice"):
        pass
    postgres.drop_database(uri)
    with pytest.raises(LogUnavailableError, match="did not give a lock"):
        sends.locks.held("alice").__enter__()
    before = time.monotonic()
    with sends.settled("alice"):
        pass
    assert time.monotonic() - before < PATIENCE
    assert "cannot wait for sends" in caplog.text
