"""An export from a database that was put back: refused, or said to be too little."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.kept import History
from consentkit.audit.verify import verify_log
from consentkit.errors import LogConflictError
from consentkit.errors import VerificationError
from consentkit.service.exporting import export
from consentkit.service.publishing import publish_all
from tests.service.log_files import say
from tests.service.restored import back_up
from tests.service.restored import put_back
from tests.service.wallet import CREDIT_SCORE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.service.wallet import Wallet


def behind(wallet: Wallet) -> Wallet:
    """Yesterday's database, after four more entries were signed and shown."""
    publish_all(wallet.installation)
    backup = back_up(wallet)
    say(wallet, times=4)
    wallet.verify()
    return put_back(wallet, backup)


REMEMBER = {
    "high-water file": "logs",
    "published checkpoint": "keys/*.high-water",
}


@pytest.mark.requirement("R99", "R119")
@pytest.mark.parametrize("by", REMEMBER)
def test_a_database_that_was_put_back_exports_nothing(
    wallet: Wallet, tmp_path: Path, by: str
) -> None:
    restored = behind(wallet)
    for path in wallet.folder.glob(REMEMBER[by]):
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    with pytest.raises(LogConflictError) as caught:
        export(restored.installation, tmp_path / "export")

    told = str(caught.value)
    assert told.startswith(f"nothing was exported: by the {by} ")
    assert "an older copy of the database may have been put back" in told
    assert "'flask consent export --although-behind'" in told
    assert not (tmp_path / "export").exists()


@pytest.mark.requirement("R99", "R119")
def test_what_is_left_is_handed_over_if_it_is_asked_for_and_said_to_be_less(
    wallet: Wallet, tmp_path: Path
) -> None:
    restored = behind(wallet)
    shown = (restored.logs / "checkpoint").read_bytes()
    out = tmp_path / "export"

    done = export(restored.installation, out, although_behind=True)

    assert "the database does not hold that many" in done.behind
    assert verify_log(FolderSource(out), trust=wallet.trust).size == done.size
    history = History.open([("shown", shown)], trust=wallet.trust)
    with pytest.raises(VerificationError, match="TRUNCATED"):
        verify_log(FolderSource(out), trust=wallet.trust, history=history)


def test_the_newest_database_is_behind_nothing(wallet: Wallet, tmp_path: Path) -> None:
    say(wallet)
    publish_all(wallet.installation)
    say(wallet)  # waits, which is no sign of age

    done = export(wallet.installation, tmp_path / "export", although_behind=True)

    assert done.behind == ""
    assert done.left_out > 0


def test_a_copy_in_which_the_same_leaves_still_wait_is_exported(
    wallet: Wallet, tmp_path: Path
) -> None:
    publish_all(wallet.installation)
    say(wallet, times=4)
    backup = back_up(wallet)
    wallet.verify()
    restored = put_back(wallet, backup)

    assert export(restored.installation, tmp_path / "export").behind == ""


def test_where_nothing_is_remembered_an_export_is_made(
    wallet: Wallet, tmp_path: Path
) -> None:
    """On another machine there may be neither file: that speaks against nobody."""
    wallet.answer("alice", CREDIT_SCORE)
    publish_all(wallet.installation)
    shutil.rmtree(wallet.folder / "logs")
    wallet.installation.high_water.path.unlink()
    wallet.damaged = True  # nothing more may be signed

    assert export(wallet.installation, tmp_path / "export").behind == ""
