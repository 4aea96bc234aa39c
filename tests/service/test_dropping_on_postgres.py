"""A period goes from PostgreSQL while its process or server dies, or people go on.

``tests/service/test_dropping.py`` kills it on SQLite, where other statements run.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from consentkit.core.act import Millis
from consentkit.errors import LogUnavailableError
from consentkit.service.dropping import drop_periods
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.keyring import folder_of
from consentkit.service.publishing import publish_all
from consentkit.service.purging import purge
from consentkit.service.rebuilding import differences
from consentkit.service.receipts import list_receipts
from tests.postgres_server import serve_postgres
from tests.processes import in_fork
from tests.service.periods import FIRST
from tests.service.periods import OFFICER
from tests.service.periods import SECOND
from tests.service.periods import archive
from tests.service.periods import clean
from tests.service.periods import lived_in
from tests.service.periods import next_period
from tests.service.periods import periods
from tests.service.periods import prove
from tests.service.periods import years_later
from tests.service.two_logs import begin
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Clock
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.service.installation import Installation
    from tests.postgres_server import PostgresServer

_PATIENCE = 15.0  # seconds that a person may wait on a machine that is busy
_PEOPLE = 4
_NONE = (0, 0, None, None)


@dataclass
class Later(Wallet):
    """One that is in its second period already when it is started."""

    def __post_init__(self) -> None:
        (self.folder / "uri").write_text(self.uri)
        begin(self, SECOND)
        self.opened.append(self)

    def beside(self) -> Installation:
        """That of another process, such as a command."""
        mine = self.installation
        other = begin(self, SECOND)
        self.installation = mine
        return other


@dataclass(frozen=True)
class Ended:
    """A wallet whose first period is over and archived; every test has a copy."""

    server: PostgresServer
    database: str
    folder: Path
    place: Path
    now: int

    def copy(self, to: Path) -> Later:
        shutil.copytree(self.folder, to)
        uri = self.server.new_database(template=self.database)
        return Later(to, clock=Clock(self.now), uri=uri)

    def wait_for_its_end(self, wallet: Wallet) -> None:
        """Until the server has noticed that a process of it is gone."""
        name = _database(wallet.uri)
        others = f"FROM pg_stat_activity WHERE datname = '{name}'"
        self.server.wait_for(f"SELECT count(*) = 0 {others}")


def _database(uri: str) -> str:
    return urlsplit(uri).path.removeprefix("/")


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """On a server of its own, which may be killed."""
    home = tmp_path_factory.mktemp("ended")
    with serve_postgres() as server:
        uri = server.new_tables()
        (home / "wallet").mkdir()
        wallet = lived_in(Wallet(home / "wallet", uri=uri))
        next_period(wallet)
        archive(wallet, home / "archive")
        years_later(wallet)
        purge(wallet.installation, by=OFFICER)
        Wallet.close_all()
        place = folder_of(home / "archive", FIRST)
        yield Ended(server, _database(uri), wallet.folder, place, wallet.clock.now)


@pytest.fixture
def wallet(ended: Ended, tmp_path: Path) -> Iterator[Later]:
    yield ended.copy(tmp_path / "wallet")
    Wallet.close_all()


_NOTED = "UPDATE consent_log SET dropped"
_COMMIT = "COMMIT"
POINTS = {
    "before its tiles go": ("DELETE FROM consent_tile", False),
    "between its leaves and its lines": ("DROP TABLE IF EXISTS consent_leaf", True),
    "before the commit": (_COMMIT, False),
    "after the commit": (_COMMIT, True),
}
"""Where it dies: a statement of the drop, and whether that was run."""


@contextmanager
def at(point: str, strike: Callable[[], object]) -> Iterator[None]:
    """Strike there, once; the commit that is meant is that of the drop."""
    watch = pytest.MonkeyPatch()
    begin_of, after = POINTS[point]
    seen: list[str] = []

    def watched(run: Callable[..., None], said: Callable[..., str]) -> Any:
        def counted(*given: Any) -> None:
            seen.append(said(*given))
            hit = seen[-1].startswith(begin_of)
            if begin_of == _COMMIT:
                hit = hit and any(each.startswith(_NOTED) for each in seen)
            if hit:
                watch.undo()
            if hit and not after:
                strike()
            run(*given)
            if hit and after:
                strike()

        return counted

    dialect = PGDialect_psycopg
    statement = watched(dialect.do_execute, lambda *given: str(given[2]))
    watch.setattr(dialect, "do_execute", statement)
    watch.setattr(dialect, "do_commit", watched(dialect.do_commit, lambda *_: _COMMIT))
    try:
        yield
    finally:
        watch.undo()


def die() -> None:
    """``kill -9`` of this process."""
    os.kill(os.getpid(), signal.SIGKILL)


def rows(wallet: Wallet) -> tuple[Any, ...]:
    """How many leaves and tiles the first log has, and which of the tables it had."""
    (found,) = wallet.sql(
        "SELECT (SELECT count(*) FROM consent_leaf WHERE log = 1), "
        "(SELECT count(*) FROM consent_tile WHERE log = 1), "
        "to_regclass('consent_leaf_1'), to_regclass('consent_disclosure_1')"
    )
    return found


@pytest.mark.parametrize("point", POINTS)
def test_wherever_its_process_is_killed_the_period_is_whole_or_gone(
    ended: Ended, tmp_path: Path, point: str
) -> None:
    wallet = ended.copy(tmp_path / "wallet")
    before = rows(wallet)
    wallet.installation.close()

    def drop() -> None:
        with at(point, die):
            drop_periods(wallet.installation, by=OFFICER)

    assert in_fork(drop).signal == signal.SIGKILL
    ended.wait_for_its_end(wallet)
    check(ended, wallet, before, gone=point == "after the commit")


def test_a_server_that_is_killed_before_the_commit_drops_nothing(
    ended: Ended, wallet: Later
) -> None:
    before = rows(wallet)
    with (
        at("before the commit", ended.server.crash),
        pytest.raises(LogUnavailableError),
    ):
        drop_periods(wallet.installation, by=OFFICER)
    ended.server.start()
    check(ended, wallet, before, gone=False)


def test_a_server_that_is_killed_after_the_commit_has_dropped_it(
    ended: Ended, wallet: Later
) -> None:
    with at("after the commit", ended.server.crash):
        done = drop_periods(wallet.installation, by=OFFICER)
    assert ([each.origin for each in done.dropped], done.swept) == ([FIRST], False)
    ended.server.start()
    check(ended, wallet, _NONE, gone=True)


def check(ended: Ended, wallet: Wallet, before: tuple[Any, ...], *, gone: bool) -> None:
    """All of it is there or nothing, the replay agrees, and the next run ends it."""
    assert (periods(wallet)[FIRST].dropped is not None) is gone
    assert rows(wallet) == (_NONE if gone else before)
    assert list(differences(wallet.installation)) == []
    wallet.share("alice", CREDIT_SCORE)
    finish(wallet, ended.place)


def finish(wallet: Wallet, place: Path) -> None:
    """Run it again: then it is gone, and so are its files."""
    clean(wallet)
    assert periods(wallet)[FIRST].dropped is not None
    assert rows(wallet) == _NONE
    assert not folder_of(wallet.places.logs, FIRST).exists()
    prove(wallet, place)


@dataclass
class Crowd:
    """People who go on meanwhile; what they were told, and how long anybody waited."""

    wallet: Wallet
    promised: list[str] = field(default_factory=list)
    longest: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def live(self, name: str) -> None:
        """Answer, share, look, take back; no error is expected anywhere."""
        while not self.over.is_set():
            for step in (self._agree, self._share, self._look, self._stop):
                began = time.monotonic()
                step(name)
                self.longest = max(self.longest, time.monotonic() - began)

    def _agree(self, name: str) -> None:
        self.promised.append(self.wallet.answer(name, CREDIT_SCORE).id)

    def _share(self, name: str) -> None:
        self.promised.append(self.wallet.share(name, CREDIT_SCORE).disclosure)

    def _look(self, name: str) -> None:
        installation = self.wallet.installation
        assert list_receipts(installation, name)
        _, shares = installation.disclosures.page(name, now=Millis(0), limit=9)
        assert shares

    def _stop(self, name: str) -> None:
        leaf = self.wallet.revoke(name).leaf
        assert leaf
        self.promised.append(leaf.id)
        assert not self.wallet.check(name, CREDIT_SCORE)

    def publish(self) -> None:
        """As a publisher does, beside them."""
        while not self.over.wait(0.05):
            publish_all(self.wallet.installation)

    def wait_for_more(self) -> None:
        """Until each of them has been answered again."""
        seen = len(self.promised)
        deadline = time.monotonic() + _PATIENCE
        while len(self.promised) < seen + 4 * _PEOPLE:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@contextmanager
def crowd(wallet: Wallet) -> Iterator[Crowd]:
    """People who live until the block ends; then nothing they were told is lost."""
    found = Crowd(wallet)
    with ThreadPoolExecutor(_PEOPLE + 1) as pool:
        living = [pool.submit(found.live, f"person-{each}") for each in range(_PEOPLE)]
        living.append(pool.submit(found.publish))
        try:
            found.wait_for_more()
            yield found
            found.wait_for_more()
        finally:
            found.over.set()
            for each in living:
                each.result()
    assert set(found.promised) <= {leaf.id for leaf in wallet.leaves()}


def test_people_go_on_while_a_period_goes(ended: Ended, wallet: Later) -> None:
    with crowd(wallet) as people, closing(wallet.beside()) as owner:
        (gone,) = drop_periods(owner, by=OFFICER).dropped
    assert gone.origin == FIRST
    assert people.longest < _PATIENCE
    finish(wallet, ended.place)


def test_nobody_waits_long_where_a_backup_keeps_a_period_from_going(
    ended: Ended, wallet: Later
) -> None:
    """``pg_dump`` holds what it reads from its first moment to its last."""
    before = rows(wallet)
    wallet.answer("carol", CREDIT_SCORE)
    backup = psycopg.connect(wallet.uri)
    with closing(backup), crowd(wallet) as people, closing(wallet.beside()) as owner:
        backup.execute("LOCK TABLE consent_leaf, consent_subject IN ACCESS SHARE MODE")
        with pytest.raises(LogUnavailableError, match="as a backup does"):
            drop_periods(owner, by=OFFICER)
        # It writes tables anew, for which it wants them for itself.
        assert not erase(owner, Erasing("carol", "request")).swept
    assert people.longest < _PATIENCE
    check(ended, wallet, before, gone=False)
