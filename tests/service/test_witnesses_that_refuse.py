"""A witness that knows another size, or another log, than the one it is shown."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consentkit.errors import LogConflictError
from consentkit.log.cosignature import open_cosignature
from consentkit.service.publishing import accept_high_water
from consentkit.service.publishing import publish_all
from consentkit.service.witnessing import ask_witnesses
from tests.service.log_files import say
from tests.service.wallet import Wallet
from tests.service.witnessed import MINUTE
from tests.service.witnessed import faults
from tests.service.witnessed import lines_under
from tests.service.witnessed import on_disk
from tests.service.witnessed import pretended
from tests.service.witnessed import show
from tests.service.witnessed import use

if TYPE_CHECKING:
    from pathlib import Path

    from tests.witness_process import WitnessProcess

# The witness says another size


@pytest.mark.requirement("R98")
def test_a_witness_that_knows_more_than_we_remember_is_met_where_it_is(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    say(wallet, times=4)
    show(wallet)
    wallet.sql("DELETE FROM consent_witness")
    say(wallet, times=4)

    assert show(wallet) == 1
    assert open_cosignature(on_disk(wallet), witness.verifier)


def test_a_lost_answer_is_asked_for_again(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    publish_all(wallet.installation)
    ask_witnesses(wallet.installation)
    wallet.sql("DELETE FROM consent_witness")
    wallet.sql("DELETE FROM consent_cosignature")

    assert show(wallet) == 1
    assert open_cosignature(on_disk(wallet), witness.verifier)


def test_the_first_line_of_a_witness_stays_the_one_that_is_published(
    wallet: Wallet, witness: WitnessProcess
) -> None:
    show(wallet)
    before = on_disk(wallet)
    wallet.sql("DELETE FROM consent_witness")
    time.sleep(1.1)  # cosignatures count seconds

    assert show(wallet) == 1
    assert on_disk(wallet) == before
    assert witness.process.poll() is None


def test_a_witness_that_never_agrees_about_the_size_is_given_up(
    wallet: Wallet,
) -> None:
    say(wallet, times=10)
    sizes = iter([2, 4, 6, 8, 10])
    with pretended(lambda _body: (409, b"%d\n" % next(sizes))) as line:
        use(wallet, line)
        assert show(wallet) == 0

    assert faults(wallet) == ["somebody else kept bringing it forward"]
    assert next(sizes) == 8


# Rewritten


def put_back(wallet: Wallet, backup: Path) -> None:
    """The database as it was, and nothing else here that would tell, nor was asked."""
    wallet.installation.ledger._database.dispose()
    shutil.copy(backup, wallet.file)
    shutil.rmtree(wallet.logs)
    wallet.installation.high_water.path.unlink()
    accept_high_water(replace(wallet.installation, cosigners=()))


def back_up(wallet: Wallet) -> Path:
    copy = wallet.folder / "backup.sqlite3"
    with (
        closing(sqlite3.connect(wallet.file)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    return copy


@pytest.mark.requirement("R98")
def test_a_log_that_was_put_back_and_went_on_is_refused_by_its_witness(
    wallet: Wallet, witness: WitnessProcess, caplog: pytest.LogCaptureFixture
) -> None:
    wallet.damaged = True
    publish_all(wallet.installation)
    backup = back_up(wallet)
    say(wallet, times=4)
    show(wallet)
    put_back(wallet, backup)
    say(wallet)

    with pytest.raises(LogConflictError, match="w1 has cosigned 8 entries"):
        show(wallet)
    (fault,) = faults(wallet)
    assert "cosigned a longer log than this one" in fault
    use(wallet)  # who does not ask it any more can go on, until somebody asks it
    say(wallet, times=10)
    publish_all(wallet.installation)
    use(wallet, witness.line)
    wallet.clock.now += 10 * MINUTE
    assert show(wallet) == 0
    (fault,) = faults(wallet)
    assert "entries that were published are not as they were" in fault
    errors = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert len(errors) == 2
    assert lines_under(on_disk(wallet)) == 0
    assert witness.process.poll() is None


@pytest.mark.requirement("R98")
@pytest.mark.parametrize("status", [409, 422])
def test_two_trees_of_one_size_are_said_to_be_a_conflict(
    wallet: Wallet, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """As v1.0.0 of the standard answers, and as its text of 2026 does."""
    size = publish_all(wallet.installation)
    with pretended(lambda _body: (status, b"%d\n" % (size or 0))) as line:
        use(wallet, line)
        assert show(wallet) == 0

    (fault,) = faults(wallet)
    assert "not as they were" in fault
    assert [each.levelname for each in caplog.records] == ["ERROR"]
