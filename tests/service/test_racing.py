"""Between the last look and the wire there is no moment that a revocation can miss."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.engine import make_url

from consentkit.service import sending
from consentkit.service.sending import Sends
from consentkit.store.postgres import Postgres
from consentkit.store.sqlite import Sqlite
from tests.processes import in_fork
from tests.service.racing import race

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres_server import PostgresServer

ENGINES = ("sqlite", "postgresql")
_ROUNDS = 1_500
_SECONDS = 4


@pytest.fixture
def uri(engine: str, request: pytest.FixtureRequest) -> str:
    """Of a PostgreSQL database with tables; empty for SQLite."""
    if engine == "sqlite":
        return ""
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_tables()


@pytest.fixture
def sends(tmp_path: Path, uri: str) -> Iterator[Sends]:
    url = make_url(uri or f"sqlite:///{tmp_path / 'consent.sqlite3'}")
    found = Sends((Postgres(url) if uri else Sqlite(url)).send_locks())
    yield found
    found.close()


@pytest.mark.requirement("R55", "R68")
def test_nothing_is_sent_after_a_revocation_has_returned(
    tmp_path: Path, uri: str
) -> None:
    """As many rounds as fit; ``python -m tests.service.racing 10000`` runs more."""
    found = race(tmp_path, uri, rounds=_ROUNDS, seconds=_SECONDS)

    assert found.late == [], found
    assert set(found.arrived) == {
        number for number, sent in enumerate(found.sent) if sent is not None
    }
    stopped = sum(each is None for each in found.sent)
    # Were one of them always first, this would be no race.
    assert stopped > len(found.sent) / 20, found
    assert len(found.sent) - stopped > len(found.sent) / 20, found


@pytest.mark.requirement("R68")
def test_an_end_waits_for_what_has_begun_to_leave_and_for_nobody_else(
    sends: Sends,
) -> None:
    began, out = threading.Event(), threading.Event()

    def send() -> None:
        with sends.held("alice"):
            began.set()
            time.sleep(0.2)
            out.set()

    thread = threading.Thread(target=send)
    thread.start()
    began.wait()
    with sends.settled("bob"):
        pass
    assert not out.is_set()
    with sends.held("alice"):
        assert not out.is_set(), "sends do not wait for each other"
    with sends.settled("alice"):
        assert not out.is_set(), "what ends it does not wait, only its return"
    assert out.is_set()
    thread.join()


def test_a_send_that_hangs_does_not_keep_an_end_from_returning(
    sends: Sends,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sending, "PATIENCE", 0.05)

    with sends.held("alice"), sends.settled():
        pass

    assert "had begun before a consent ended" in caplog.text


def test_an_end_that_failed_waits_for_nothing(sends: Sends) -> None:
    before = time.monotonic()

    with sends.held("alice"), pytest.raises(OSError, match="full"):  # noqa: SIM117  the order is the point
        with sends.settled("alice"):
            raise OSError(28, "the disk is full")

    assert time.monotonic() - before < sending.PATIENCE


def test_the_lock_of_whoever_dies_is_free_at_once(sends: Sends) -> None:
    def die() -> None:
        with sends.held("alice"):
            os.kill(os.getpid(), signal.SIGKILL)

    assert not sends.locks.under_way()
    assert in_fork(die).signal == signal.SIGKILL
    before = time.monotonic()
    with sends.settled():
        pass
    assert time.monotonic() - before < sending.PATIENCE
