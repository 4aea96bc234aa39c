"""Where the high-water file is gone, the witnesses remember: they are asked first."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consentkit.errors import LogConflictError
from consentkit.service.publishing import accept_high_water
from consentkit.service.publishing import publish_all
from consentkit.service.witnessing import ask_witnesses
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet
from tests.service.witnessed import use

if TYPE_CHECKING:
    from pathlib import Path

    from tests.witness_process import WitnessProcess


def put_back(wallet: Wallet, copy: Path) -> None:
    """Everything goes back at once: database, files, and the mark that kept watch."""
    shutil.copy(copy, wallet.file)
    shutil.rmtree(wallet.logs)
    wallet.installation.high_water.path.unlink()
    wallet.damaged = True


def signed(wallet: Wallet) -> list[tuple[int]]:
    return wallet.sql("SELECT size FROM consent_checkpoint ORDER BY size")


@pytest.mark.requirement("R98")
def test_an_old_copy_is_not_accepted_while_a_witness_knows_a_longer_log(
    wallet: Wallet, witness: WitnessProcess, tmp_path: Path
) -> None:
    publish_all(wallet.installation)
    copy = tmp_path / "yesterday.sqlite3"
    shutil.copy(wallet.file, copy)
    wallet.answer("ada", CREDIT_SCORE)
    publish_all(wallet.installation)
    assert ask_witnesses(wallet.installation) == 1
    put_back(wallet, copy)
    wallet.answer("eve", CREDIT_SCORE)
    before = signed(wallet)

    with pytest.raises(LogConflictError, match="has cosigned a longer log"):
        accept_high_water(wallet.installation)
    with pytest.raises(LogConflictError):
        publish_all(wallet.installation)

    assert signed(wallet) == before
    assert not wallet.installation.high_water.path.exists()
    assert witness.process.poll() is None


@pytest.mark.requirement("R98")
def test_a_witness_that_is_silent_may_know_more(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    publish_all(wallet.installation)
    use(wallet, witness.line.replace(witness.url, "http://127.0.0.1:9"))
    wallet.installation.high_water.path.unlink()

    with pytest.raises(LogConflictError, match="may know a longer log"):
        accept_high_water(wallet.installation)

    wallet.installation = replace(wallet.installation, cosigners=())
    accept_high_water(wallet.installation)


def test_a_log_begins_while_its_witness_is_down(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    use(wallet, witness.line.replace(witness.url, "http://127.0.0.1:9"))
    assert publish_all(wallet.installation) == 3
