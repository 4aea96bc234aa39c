"""Transactions that did not last to the end of their block, however that came about."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from typing import Any

import pytest
import sqlalchemy as sa

from consentkit import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.web import signals
from tests.declared import SCORE
from tests.standby import serve_pair
from tests.web.joined_hosts import JoinedHost
from tests.web.joined_hosts import joined_host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

BOTH = ["sqlite", "postgresql"]


@pytest.fixture(scope="module")
def hosted(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[JoinedHost]:
    folder = tmp_path_factory.mktemp("lost")
    uri = f"sqlite:///{folder / 'app.sqlite3'}"
    if request.param == "postgresql":
        uri = request.getfixturevalue("postgres").new_database()
        uri = uri.replace("postgresql:", "postgresql+psycopg:")
    with joined_host("session", uri, folder) as found:
        yield found
        found.check()


@pytest.fixture
def app(hosted: JoinedHost) -> JoinedHost:
    return hosted.anew()


both = pytest.mark.parametrize("hosted", BOTH, indirect=True)
server = pytest.mark.parametrize("hosted", BOTH[1:], indirect=True)


WAIT = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def lost() -> AbstractContextManager[object]:
    """The end of a block says that nothing of it is there."""
    return pytest.raises(LogUnavailableError, match="no act of it is stored")


def shadowed() -> AbstractContextManager[object]:
    return pytest.raises(ConfigurationError, match="search_path")


def lose(app: JoinedHost, work: Any, *ends: str) -> None:
    """Take the act back within the block, and go on as if nothing had happened."""
    told: list[object] = []
    with signals.ended.connected_to(lambda *_, **facts: told.append(facts)):
        with lost(), app.shop.consent.joining(work) as joined:
            app.add(work, "before")
            app.shop.consent.revoke(app.ann, SCORE)
            for end in ends:
                getattr(work, end)() if end.islower() else work.execute(sa.text(end))
            app.add(work, "her account is closed")
        assert not joined.committed
    assert app.shop.allows(app.ann)
    assert app.notes() == []
    assert app.leaves() == []
    assert told == []


@both
@pytest.mark.parametrize("end", ["rollback", "close"])
def test_what_follows_a_lost_act_is_not_stored_without_it(
    app: JoinedHost, end: str
) -> None:
    with app.work() as work:
        lose(app, work, end)


@both
def test_another_transaction_in_its_place_is_seen(app: JoinedHost) -> None:
    with app.work() as work:
        lose(app, work, "ROLLBACK", "BEGIN")


@server
def test_a_chained_transaction_in_its_place_is_seen(app: JoinedHost) -> None:
    with app.work() as work:
        lose(app, work, "ROLLBACK AND CHAIN")


@both
def test_an_act_after_that_is_refused(app: JoinedHost) -> None:
    consent = app.shop.consent
    with app.work() as work, lost(), consent.joining(work):
        consent.revoke(app.ann, SCORE)
        work.rollback()
        with pytest.raises(ConfigurationError, match="has ended"):
            consent.revoke(app.bob, SCORE)


@server
@pytest.mark.parametrize("table", ["consent_leaf", "consent_state"])
def test_an_act_is_not_written_into_tables_of_the_same_name(
    app: JoinedHost, table: str
) -> None:
    with app.work() as work:
        work.execute(sa.text("CREATE SCHEMA IF NOT EXISTS shadow"))
        query = f"CREATE TABLE shadow.{table} (LIKE {table} INCLUDING ALL)"
        work.execute(sa.text(query))
        work.commit()
        with shadowed(), app.shop.consent.joining(work):
            work.execute(sa.text("SET LOCAL search_path TO shadow, public"))
            app.shop.consent.revoke(app.ann, SCORE)
        work.execute(sa.text("DROP SCHEMA shadow CASCADE"))
        work.commit()
    assert app.shop.allows(app.ann)


@server
def test_the_commit_is_durable_whatever_the_app_sets_after_the_act(
    app: JoinedHost,
) -> None:
    found: list[str] = []

    def look(connection: sa.Connection) -> None:
        found.append(connection.exec_driver_sql("SHOW synchronous_commit").scalar_one())

    sa.event.listen(app.engine, "commit", look)
    with app.work() as work, app.shop.consent.joining(work):
        app.shop.consent.revoke(app.ann, SCORE)
        work.execute(sa.text("SET LOCAL synchronous_commit TO off"))
    sa.event.remove(app.engine, "commit", look)
    assert found == ["on"]


@pytest.mark.requirement("R119")
def test_a_wait_for_the_standby_that_was_cancelled_is_no_commit(tmp_path: Path) -> None:
    with serve_pair() as pair:
        uri = pair.primary.new_database().replace("postgresql:", "postgresql+psycopg:")
        with joined_host("session", uri, tmp_path) as host:
            app = host.anew()
            pair.standby.kill()
            with ThreadPoolExecutor(1) as beside:
                act = beside.submit(commit, app)
                pair.primary.wait_for(f"SELECT count(*) > 0 {WAIT}")
                pair.primary.ask(f"SELECT pg_cancel_backend(pid) {WAIT}")
                with pytest.raises(LogUnavailableError, match="synchronous standby"):
                    act.result()
            pair.standby.start()


def commit(app: JoinedHost) -> None:
    with app.work() as work, app.shop.consent.joining(work):
        app.shop.consent.revoke(app.ann, SCORE)
