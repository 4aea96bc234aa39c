"""A copy from before a log began does not go on beside that log."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from consentkit.errors import LogConflictError
from consentkit.service.publishing import accept_high_water
from consentkit.service.publishing import publish_all
from consentkit.service.siblings import check_siblings
from tests.service.periods import FIRST
from tests.service.periods import SECOND
from tests.service.periods import next_period
from tests.service.restored import back_up
from tests.service.restored import put_back
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Wallet]:
    """The first log is back; its own files have been lost, those of the second not."""
    wallet = Wallet(tmp_path)
    wallet.answer("alice", CREDIT_SCORE)
    publish_all(wallet.installation)
    backup = back_up(wallet)
    folder = wallet.logs
    next_period(wallet)
    publish_all(wallet.installation)
    wallet.places.high_water_of(FIRST).path.unlink()
    shutil.rmtree(folder)
    yield put_back(wallet, backup)
    Wallet.close_all()


def following(wallet: Wallet) -> tuple[Path, Path]:
    """High-water file and folder of the second log."""
    folder = wallet.logs.with_name(SECOND.replace("/", "_"))
    return wallet.places.high_water_of(SECOND, follows=True).path, folder


def refused(wallet: Wallet) -> str:
    with pytest.raises(LogConflictError, match=f"is of the log '{SECOND}'") as caught:
        accept_high_water(wallet.installation)
    assert not wallet.installation.high_water.path.exists()
    return str(caught.value)


def test_the_high_water_file_of_the_next_log_refuses(old: Wallet) -> None:
    path, folder = following(old)
    shutil.rmtree(folder)
    assert refused(old).startswith(str(path))


def test_the_published_folder_of_the_next_log_refuses(old: Wallet) -> None:
    path, folder = following(old)
    path.unlink()
    assert refused(old).startswith(str(folder))


def test_what_is_of_nobody_we_follow_is_passed_by(old: Wallet) -> None:
    path, folder = following(old)
    shutil.rmtree(folder)
    path.rename(path.with_name("wallet.example_else.high-water"))
    (path.parent / "notes.high-water").write_text("not a checkpoint")
    (folder.parent / "empty").mkdir()
    assert accept_high_water(old.installation) == 5


def test_the_logs_that_the_database_knows_are_no_surprise(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    next_period(wallet)
    publish_all(wallet.installation)
    check_siblings(wallet.installation)
    check_siblings(wallet.installation.of_log(FIRST))
    Wallet.close_all()


def test_a_file_that_was_set_is_looked_for_under_its_own_name(
    old: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = following(old)
    shutil.rmtree(folder)
    own = old.folder / "mark"
    path.rename(own.with_name(f"mark.{folder.name}"))
    monkeypatch.setattr(old.installation.high_water, "path", own)
    assert refused(old).startswith(str(own))
