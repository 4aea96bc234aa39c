"""A database that was put back brings no yes back that its person had taken back."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

import pytest

from consentkit.core.decision import Reason
from consentkit.errors import ConsentDeniedError
from consentkit.errors import LogConflictError
from consentkit.service.administering import Official
from consentkit.service.administering import administrative_acts
from consentkit.service.publishing import publish_or_stop
from consentkit.service.restoring import BY
from consentkit.service.restoring import stop_if_behind
from consentkit.service.suspending import resume
from tests.service.log_files import say
from tests.service.restored import back_up
from tests.service.restored import put_back
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

DPO = Official("dpo@wallet.example", "the newest copy is back")
REMEMBER = {"high-water file": "logs", "published checkpoint": "keys/*.high-water"}


def went_back(wallet: Wallet) -> tuple[Wallet, Path]:
    """Alice said yes, a copy was made, she took it back, and the copy was put back."""
    wallet.answer("alice", CREDIT_SCORE)
    publish_or_stop(wallet.installation)
    older = back_up(wallet).rename(wallet.folder / "older.sqlite3")
    wallet.revoke("alice")
    wallet.verify()
    newest = back_up(wallet)
    return put_back(wallet, older), newest


@pytest.mark.requirement("R58", "R66")
@pytest.mark.parametrize("by", REMEMBER)
def test_a_restored_backup_revives_no_yes_that_was_withdrawn_since(
    wallet: Wallet, caplog: pytest.LogCaptureFixture, by: str
) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    publish_or_stop(wallet.installation)
    backup = back_up(wallet)
    wallet.revoke("alice")
    wallet.verify()
    for path in wallet.folder.glob(REMEMBER[by]):
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    restored = put_back(wallet, backup)

    ((state,),) = restored.sql("SELECT state FROM consent_state")
    assert state == "given"  # by the table she still agrees, and nobody can know
    assert restored.check("alice", CREDIT_SCORE).reason is Reason.SUSPENDED
    with pytest.raises(ConsentDeniedError):
        restored.share("alice", CREDIT_SCORE)
    (told,) = [each for each in caplog.records if "was stopped" in each.message]
    assert (told.levelno, f"by the {by}" in told.message) == (logging.ERROR, True)
    (act,) = administrative_acts(restored.installation)
    assert (act.action, act.target, act.person) == ("suspend", "*/*", BY)


@pytest.mark.requirement("R58")
def test_no_official_can_lift_that_while_the_database_is_behind(
    wallet: Wallet,
) -> None:
    restored, _ = went_back(wallet)
    with pytest.raises(LogConflictError, match="an older copy of the database"):
        resume(restored.installation, by=DPO)
    assert restored.check("alice", CREDIT_SCORE).reason is Reason.SUSPENDED


def test_the_newest_copy_shares_again_at_once_and_knows_of_no_stop(
    wallet: Wallet,
) -> None:
    restored, newest = went_back(wallet)
    mended = put_back(restored, newest)
    assert mended.check("alice", CREDIT_SCORE).reason is Reason.WITHDRAWN
    mended.answer("bob", CREDIT_SCORE)
    assert mended.check("bob", CREDIT_SCORE)
    mended.prove()


@pytest.mark.requirement("R58")
def test_whoever_publishes_notices_for_processes_that_run_already(
    wallet: Wallet,
) -> None:
    """Rows go back while processes run, as where a server fails over to a replica."""
    wallet.answer("alice", CREDIT_SCORE)
    publish_or_stop(wallet.installation)
    beside = Wallet(wallet.folder, clock=wallet.clock)
    assert beside.check("alice", CREDIT_SCORE)
    mark = wallet.installation.high_water.path
    say(wallet, times=2)
    publish_or_stop(wallet.installation)
    ahead = mark.read_bytes()
    wallet.damaged = True
    for change in ("delete", "update"):
        wallet.unguard(change)
    wallet.sql("DELETE FROM consent_leaf WHERE idx >= 6")
    wallet.sql("DELETE FROM consent_checkpoint WHERE size > 6")
    wallet.sql(
        "UPDATE consent_log SET size = (SELECT max(size) FROM consent_checkpoint)"
    )
    with pytest.raises(LogConflictError):
        publish_or_stop(wallet.installation)
    assert mark.read_bytes() == ahead
    assert beside.check("alice", CREDIT_SCORE).reason is Reason.SUSPENDED


UNTOLD = {
    "nothing was ever published": "no file",
    "the file is lost": "lost",
    "the file is damaged": "damaged",
}


@pytest.mark.parametrize("what", UNTOLD.values(), ids=UNTOLD)
def test_what_tells_nothing_stops_nothing(wallet: Wallet, what: str) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    mark = wallet.installation.high_water.path
    if what != "no file":
        publish_or_stop(wallet.installation)
        mark.unlink()
    if what == "damaged":
        mark.write_bytes(b"what a disk left of it")
        wallet.damaged = True
    assert not stop_if_behind(wallet.installation)
    assert wallet.check("alice", CREDIT_SCORE)
    if what == "lost":
        wallet.damaged = True  # it publishes no more until somebody accepts that
