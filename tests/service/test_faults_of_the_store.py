"""The disk is full, a lock is held, the server is silent: no, and then on by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from typing import Any

import pytest
import sqlalchemy as sa

from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.errors import LogUnavailableError
from consentkit.service.publishing import publish_all
from consentkit.store import postgres_connection
from consentkit.store.database import Database
from tests.full_disk import WAYS
from tests.full_disk import no_file_beyond
from tests.pooler import serve_pooler
from tests.postgres_server import serve_postgres
from tests.service.log_files import files
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet
from tests.service.wallet import denied

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.postgres_server import PostgresServer

    Fill = Callable[[], AbstractContextManager[None]]


@pytest.fixture(params=WAYS.values(), ids=list(WAYS))
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fill]:
    """What fills the disk that everything of the wallet is on."""
    with request.param(tmp_path) as found:
        yield found
        Wallet.close_all()


@pytest.mark.requirement("R62", "R76")
def test_a_full_disk_stores_nothing_by_half_and_shares_nothing(
    full: Fill, tmp_path: Path
) -> None:
    wallet = Wallet(tmp_path)
    wallet.answer("alice", CREDIT_SCORE)
    publish_all(wallet.installation)
    wallet.answer("carol", CREDIT_SCORE)  # and nobody has published that
    form = wallet.form("bob", {CREDIT_SCORE: State.GIVEN})
    before, published = wallet.contents(), files(wallet.logs)

    with full():
        for work in (
            lambda: wallet.submit(form),
            lambda: wallet.revoke("alice"),
            lambda: publish_all(wallet.installation),
        ):
            with pytest.raises(LogUnavailableError):
                work()
        assert denied(wallet) is Reason.STORE_UNAVAILABLE
        assert not wallet.check("bob", CREDIT_SCORE)
    assert (wallet.contents(), files(wallet.logs)) == (before, published)

    assert wallet.submit(form).id  # the same form, once there is room
    wallet.share("alice", CREDIT_SCORE)
    assert wallet.revoke("alice").leaf
    wallet.prove()


_LONG = 20.0  # seconds: twice two for the silence, and a busy machine
MARK_FITS = 600  # bytes: more than a checkpoint has, less than a bundle of entries


@pytest.mark.requirement("R119")
def test_without_room_for_the_high_water_file_nothing_is_signed(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    wallet = Wallet(tmp_path, uri=postgres.new_tables())
    leaves = "SELECT bytes FROM consent_leaf ORDER BY position"
    before = wallet.sql(leaves)
    with (
        no_file_beyond(0),
        pytest.raises(LogUnavailableError, match="high-water file"),
    ):
        publish_all(wallet.installation)
    assert wallet.sql(leaves) == before
    assert wallet.sql("SELECT count(*) FROM consent_checkpoint") == [(0,)]
    assert wallet.sql("SELECT size FROM consent_log") == [(0,)]
    assert wallet.installation.high_water.read() is None
    wallet.answer("alice", CREDIT_SCORE)  # on a disk that has room
    wallet.prove()
    wallet.close_all()


def test_without_room_for_the_logs_files_it_is_signed_and_written_later(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    wallet = Wallet(tmp_path, uri=postgres.new_tables())
    wallet.answer("alice", CREDIT_SCORE)
    with (
        no_file_beyond(MARK_FITS),
        pytest.raises(LogUnavailableError, match="its leaves are safe in the database"),
    ):
        publish_all(wallet.installation)
    assert not list(wallet.logs.rglob("checkpoint"))
    ((signed,),) = wallet.sql("SELECT max(size) FROM consent_checkpoint")
    assert wallet.verify().size == signed
    wallet.prove()
    wallet.close_all()


@pytest.mark.requirement("R62", "R76")
def test_a_server_whose_disk_is_full_stores_nothing_and_goes_on_by_itself(
    tmp_path: Path,
) -> None:
    with serve_postgres({"fsync": "on"}) as server:
        wallet = Wallet(tmp_path, uri=server.new_tables())
        wallet.answer("alice", CREDIT_SCORE)
        form = wallet.form("bob", {CREDIT_SCORE: State.GIVEN})
        with server.full_disk():
            with pytest.raises(LogUnavailableError):
                wallet.submit(form)
            assert denied(wallet) is Reason.STORE_UNAVAILABLE
            assert not wallet.check("bob", CREDIT_SCORE)

        leaf = once_more(lambda: wallet.submit(form))
        assert [each.id for each in wallet.leaves("choice")][1:] == [leaf.id]
        wallet.share("alice", CREDIT_SCORE)
        wallet.prove()
        wallet.close_all()


@pytest.mark.requirement("R62")
def test_a_server_that_falls_silent_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connections stay open, so that nothing but a clock can tell."""
    monkeypatch.setattr(postgres_connection, "_COMMIT", 2.0)
    with serve_postgres() as server:
        wallet = Wallet(tmp_path, uri=f"{server.new_tables()}&connect_timeout=2")
        wallet.answer("alice", CREDIT_SCORE)
        form = wallet.form("bob", {CREDIT_SCORE: State.GIVEN})
        assert wallet.check("alice", CREDIT_SCORE)

        server.freeze()
        began = time.monotonic()
        reason = wallet.check("alice", CREDIT_SCORE).reason
        assert reason is Reason.STORE_UNAVAILABLE
        with pytest.raises(LogUnavailableError):
            wallet.submit(form)
        assert time.monotonic() - began < _LONG
        server.thaw()

        assert wallet.check("alice", CREDIT_SCORE)
        leaf = once_more(lambda: wallet.submit(form))
        assert [each.id for each in wallet.leaves("choice")][1:] == [leaf.id]
        wallet.prove()
        wallet.close_all()


@pytest.mark.requirement("R62")
def test_a_server_that_falls_silent_behind_a_pooler_is_not_waited_for_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pooler lets everybody in by itself, whoever is behind it."""
    monkeypatch.setattr(postgres_connection, "_COMMIT", 2.0)
    with serve_postgres() as server, serve_pooler(server) as pooler:
        uri = pooler.through(server.new_tables())
        wallet = Wallet(tmp_path, uri=f"{uri}&connect_timeout=2")
        form = wallet.form("bob", {CREDIT_SCORE: State.GIVEN})
        server.freeze()
        began = time.monotonic()
        with pytest.raises(LogUnavailableError):
            wallet.submit(form)
        assert time.monotonic() - began < _LONG
        server.thaw()
        assert once_more(lambda: wallet.submit(form)).kind == "choice"
        wallet.prove()
        wallet.close_all()


@pytest.mark.parametrize("way", ["pooler", "server"])
def test_a_statement_that_takes_long_is_waited_for_while_the_server_is_well(
    postgres: PostgresServer, way: str
) -> None:
    with serve_pooler(postgres) as pooler:
        direct = postgres.new_tables()
        uri = pooler.through(direct) if way == "pooler" else direct
        database = Database(f"{uri}&connect_timeout=2")
        with database.write() as connection:
            assert connection.scalar(sa.text("SELECT pg_sleep(5) IS NOT NULL"))
        database.dispose()


def once_more(work: Callable[[], Any]) -> Any:
    """Do it again if connections of before were the fault, as a person does."""
    try:
        return work()
    except LogUnavailableError:
        return work()
