"""Attacks or accidents: yesterday's database, and two publishers of one log.

Nothing is signed that contradicts what was signed before, no file is overwritten, and
people can go on to choose, revoke and be told that they did. Nothing is shared.
"""

from __future__ import annotations

import logging
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from consentkit.core.decision import Reason
from consentkit.errors import LogConflictError
from consentkit.log.checkpoint import open_checkpoint
from consentkit.service import background
from consentkit.service.publishing import PublisherThread
from consentkit.service.publishing import accept_high_water
from consentkit.service.publishing import publish_all
from tests.processes import at_once
from tests.processes import in_fork
from tests.service.contending import Host
from tests.service.contending import publish_beside
from tests.service.log_files import check_tree
from tests.service.log_files import files
from tests.service.log_files import on_disk
from tests.service.log_files import say
from tests.service.restored import back_up
from tests.service.restored import put_back
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = "older copy of the database may have been put back"


GROWN = {"nothing said": 0, "less said": 1, "as much said": 4, "more said": 9}
LOST = {"all there": (), "files lost": ("logs",), "file lost": ("keys/*.high-water",)}


@pytest.mark.requirement("R119")
@pytest.mark.parametrize("said", GROWN.values(), ids=GROWN)
@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
def test_a_restored_backup_does_not_fork_the_log(
    wallet: Wallet, said: int, lost: tuple[str, ...]
) -> None:
    publish_all(wallet.installation)
    backup = back_up(wallet)
    say(wallet, times=4)
    wallet.verify()
    restored = put_back(wallet, backup)
    for pattern in lost:
        for path in wallet.folder.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    seen = files(restored.logs), files(wallet.folder / "keys")
    restored.clock.now += 1
    promised = [restored.answer(f"p{each}", CREDIT_SCORE).id for each in range(said)]
    before = restored.contents()
    for _ in range(2):
        with pytest.raises(LogConflictError, match=REFUSED):
            publish_all(restored.installation)
        assert (files(restored.logs), files(wallet.folder / "keys")) == seen
        assert restored.contents() == before
    # Choices count and can be taken back, whatever becomes of the log.
    assert len(promised) == said
    assert restored.check("p0", CREDIT_SCORE).reason is Reason.SUSPENDED
    if said:
        assert restored.revoke("p0").leaf
        assert not restored.check("p0", CREDIT_SCORE)


def test_a_restored_backup_is_refused_after_somebody_accepted_it_as_well(
    wallet: Wallet,
) -> None:
    """The published checkpoint still speaks against it."""
    publish_all(wallet.installation)
    backup = back_up(wallet)
    say(wallet, times=4)
    wallet.verify()
    restored = put_back(wallet, backup)
    restored.installation.high_water.path.unlink()
    with pytest.raises(LogConflictError, match=REFUSED):
        accept_high_water(restored.installation)
    with pytest.raises(LogConflictError, match=REFUSED):
        publish_all(restored.installation)


def test_a_backup_in_which_the_same_leaves_still_wait_makes_the_same_log(
    wallet: Wallet,
) -> None:
    """Nothing is missing from it, so that there is nothing to refuse."""
    publish_all(wallet.installation)
    say(wallet, times=4)
    backup = back_up(wallet)
    wallet.verify()
    published = files(wallet.logs)
    restored = put_back(wallet, backup)
    publish_all(restored.installation)
    assert files(wallet.logs) == published
    say(restored)
    restored.prove()
    check_tree(restored)


def test_the_newest_copy_put_back_in_time_ends_the_alarm(wallet: Wallet) -> None:
    publish_all(wallet.installation)
    older = back_up(wallet).rename(wallet.folder / "older.sqlite3")
    say(wallet, times=4)
    wallet.verify()
    newest = back_up(wallet)
    restored = put_back(wallet, older)
    with pytest.raises(LogConflictError, match=REFUSED):
        publish_all(restored.installation)
    mended = put_back(restored, newest)
    say(mended)
    mended.prove()


def test_the_publisher_thread_says_once_what_is_wrong_and_how_to_mend_it(
    wallet: Wallet,
) -> None:
    publish_all(wallet.installation)
    backup = back_up(wallet)
    say(wallet)
    wallet.verify()
    restored = put_back(wallet, backup)

    def listen() -> list[str]:
        told = _Told()
        logging.getLogger("consentkit").addHandler(told)
        setattr(background, "_INTERVAL", 0.01)  # noqa: B010  of this fork alone
        PublisherThread(restored.installation).ensure_running()
        time.sleep(1)
        restored.answer("alice", CREDIT_SCORE)
        return told.lines

    (line,) = in_fork(listen).value
    assert "publishing failed, trying again" in line
    assert REFUSED in line
    assert "docs/recovery.md" in line


class _Told(logging.Handler):
    """Keeps what is logged, with the error."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


# Two publishers


@pytest.mark.requirement("R119")
def test_two_publishers_on_two_hosts_make_one_tree(wallet: Wallet) -> None:
    """Nothing but the database is shared: its write lock decides."""
    wallet.verify()
    at_once(publish_beside, [(wallet.folder, name, 10) for name in ("a", "b")])
    publish_all(wallet.installation)
    check_tree(wallet)
    assert len(wallet.leaves("choice")) == 20
    for name in ("a", "b"):
        host = Host(wallet.folder, logs_folder=name, high_water=f"{name}.mark")
        publish_all(host.installation)
        assert on_disk(host) == on_disk(wallet)
        host.prove()


@pytest.mark.requirement("R119")
@pytest.mark.parametrize("logs", ["logs", "elsewhere"])
def test_of_two_databases_with_one_key_only_the_first_goes_on(
    wallet: Wallet, tmp_path: Path, logs: str
) -> None:
    """A clone that was started by mistake, with the same high-water file."""
    wallet.verify()
    backup = back_up(wallet)
    clone_folder = tmp_path / "clone"
    clone_folder.mkdir()
    shutil.copy(backup, clone_folder / wallet.file.name)
    for shared in ("keys", "logs"):
        (clone_folder / shared).symlink_to(wallet.folder / shared)
    clone = Host(clone_folder, clock=wallet.clock, logs_folder=logs)
    say(wallet, times=2)
    publish_all(wallet.installation)
    published = files(wallet.logs)
    say(clone, times=3)
    before = clone.contents()
    with pytest.raises(LogConflictError, match=REFUSED):
        publish_all(clone.installation)
    assert clone.contents() == before
    assert files(wallet.logs) == published
    say(wallet)
    wallet.prove()
    assert open_checkpoint(on_disk(wallet), wallet.trust.log).origin == ORIGIN
