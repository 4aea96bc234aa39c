"""An erasure while others read and write, and one that was cut short."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import Kind
from consentkit.errors import ConsentDeniedError
from consentkit.errors import LogConflictError
from consentkit.service import background
from consentkit.service import erasing
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.erasing import follow_erasures
from consentkit.service.erasing import sweep
from consentkit.service.recording import PersonRecorder
from consentkit.store import sqlite as sqlite_module
from consentkit.store.database import Database
from tests.processes import in_fork
from tests.service.forgotten import ALICE
from tests.service.forgotten import forget
from tests.service.forgotten import found
from tests.service.forgotten import live
from tests.service.forgotten import rows
from tests.service.forgotten import secrets_of
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.requirement("R92")
def test_who_still_holds_what_was_read_before_cannot_write_after(
    wallet: Wallet,
) -> None:
    live(wallet)
    installation = wallet.installation
    stale = installation.history.person(ALICE)
    assert stale is not None
    forget(wallet)
    before = wallet.contents()

    def write() -> str:
        try:
            with installation.ledger.write() as transaction:
                PersonRecorder(
                    installation, transaction, ALICE, stale, installation.clock()
                ).append(Kind.ERASURE, {"reason": "request"})
        except LogConflictError:
            return "refused"
        return "written"

    assert in_fork(write).value == "refused"
    assert wallet.contents() == before


@pytest.mark.requirement("R119")
def test_an_open_snapshot_of_another_process_puts_off_the_bytes_and_cannot_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite_module, "journal_mode", lambda: "WAL")
    monkeypatch.setattr(sqlite_module, "_PATIENCE", 50)
    wallet = Wallet(tmp_path)
    live(wallet)
    wanted = secrets_of(wallet, ALICE)
    with closing(
        sqlite3.connect(wallet.file, isolation_level=None, timeout=1)
    ) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM consent_subject").fetchall()

        done = forget(wallet)

        assert done.leaf is not None
        assert not done.swept
        assert "may still hold bytes of what was erased" in caplog.text
        assert ALICE not in caplog.text
        assert wallet.installation.erasures.residue() == done.leaf.id
        with pytest.raises(sqlite3.OperationalError):  # SQLITE_BUSY_SNAPSHOT
            reader.execute("UPDATE consent_subject SET seq = 0")
        reader.execute("ROLLBACK")
    assert forget(wallet).swept  # whom nobody knows any more: only the bytes are due
    assert wallet.installation.erasures.residue() is None
    assert found(wallet, wanted) == set()
    wallet.prove()


def test_eight_threads_act_while_the_person_is_erased(wallet: Wallet) -> None:
    live(wallet)

    def act(number: int) -> None:
        for turn in range(6):
            match (number + turn) % 4:
                case 0:
                    wallet.revoke(ALICE)
                case 1:
                    with suppress(ConsentDeniedError):
                        wallet.share(ALICE, CREDIT_SCORE)
                case _:
                    wallet.answer(ALICE, CREDIT_SCORE)

    with ThreadPoolExecutor(9) as pool:
        acting = [pool.submit(act, number) for number in range(8)]
        erasing_too = [pool.submit(forget, wallet) for _ in range(3)]
        for each in (*acting, *erasing_too):
            each.result()
    forget(wallet)
    assert set(rows(wallet).values()) == {0}
    assert found(wallet, {"id": ALICE.encode()}) == set()


def test_a_kill_before_the_bytes_are_gone_is_made_good_by_running_it_again(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(wallet)
    wanted = secrets_of(wallet, ALICE)

    def killed() -> None:
        monkeypatch.setattr(
            erasing, "sweep", lambda _: os.kill(os.getpid(), signal.SIGKILL)
        )
        forget(wallet)

    assert in_fork(killed).signal == signal.SIGKILL
    assert wallet.sql("SELECT count(*) FROM consent_subject") == [(0,)]
    assert wallet.installation.erasures.residue() is not None

    again = forget(wallet)

    assert (again.leaf, again.swept) == (None, True)
    assert wallet.installation.erasures.residue() is None
    assert found(wallet, wanted) == set()


def test_an_erasure_during_the_rewrite_leaves_its_own_residue(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(wallet)
    live(wallet, "bob")
    rewrite = Database.rewrite

    def meanwhile(database: Database) -> None:
        rewrite(database)
        monkeypatch.setattr(Database, "rewrite", rewrite)
        erase(wallet.installation, Erasing("bob", "request"), sweeps=False)

    monkeypatch.setattr(Database, "rewrite", meanwhile)
    forget(wallet)
    assert wallet.installation.erasures.residue() == wallet.leaves("erasure")[-1].id
    assert sweep(wallet.installation)
    assert wallet.installation.erasures.residue() is None


def swept(wallet: Wallet, *, seconds: float) -> bool:
    """Whether a process that follows erasures has swept within that time."""

    def follow() -> bool:
        background._INTERVAL = 0.001
        follow_erasures(wallet.installation)
        end = time.monotonic() + seconds
        while wallet.installation.erasures.residue() and time.monotonic() < end:
            time.sleep(0.01)
        return wallet.installation.erasures.residue() is None

    return bool(in_fork(follow).value)


def test_what_a_page_erased_is_swept_by_one_process_in_the_background(
    wallet: Wallet,
) -> None:
    live(wallet)
    wanted = secrets_of(wallet, ALICE)
    erase(wallet.installation, Erasing(ALICE, "request"), sweeps=False)
    with background.elected(wallet.logs, "sweep") as mine:
        assert mine
        assert not swept(wallet, seconds=0.3)
    assert swept(wallet, seconds=10)
    assert found(wallet, wanted) == set()
