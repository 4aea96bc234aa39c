"""Accident: the clock of the machine that purges is ahead. Nothing goes too early."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import Millis
from consentkit.errors import InvalidRequestError
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.service.clock_ahead import check_clock
from consentkit.service.publishing import publish_all
from consentkit.store.witnesses import Cosignature
from consentkit.store.witnesses import Standing
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import Clock
from tests.service.wallet import Wallet
from tests.service.witnessed import use

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres_server import PostgresServer

HOUR = DAY // 24
LINES = [
    Ed25519Signer.generate(name, algorithm=Algorithm.COSIGNATURE_V1).vkey
    + " http://127.0.0.1:1"
    for name in ("w1", "w2")
]


def seen(wallet: Wallet, *ahead: int) -> None:
    """Witnesses saw the newest checkpoint so long before it was signed."""
    use(wallet, *LINES[: len(ahead)])
    wallet.answer("alice", CREDIT_SCORE)
    size = publish_all(wallet.installation) or 0
    for each, early in zip(wallet.installation.cosigners, ahead, strict=True):
        at = Millis(wallet.clock() - early)
        cosignature = Cosignature(size, b"a line\n", at)
        wallet.installation.witnesses.keep(each.key, Standing(size), cosignature)


def refuses(wallet: Wallet, why: str, before: Millis | None) -> None:
    with pytest.raises(InvalidRequestError, match=why) as caught:
        check_clock(wallet.installation, before=before)
    assert caught.value.code == "clock-ahead"


@pytest.mark.requirement("R78")
def test_a_clock_that_every_witness_saw_ahead_purges_nothing(wallet: Wallet) -> None:
    """Entries were written by it meanwhile, so that none of them tells."""
    wallet.damaged = True  # these lines are no cosignatures
    seen(wallet, 3 * DAY, 3 * DAY)
    for before in (None, Millis(wallet.clock() - DAY)):
        refuses(wallet, "3 days later", before)
    wallet.clock.now += 1
    seen(wallet, 0, 0)
    check_clock(wallet.installation, before=None)


@pytest.mark.parametrize("ahead", [(), (0,), (-9 * DAY,), (23 * HOUR,), (90 * DAY, 0)])
def test_a_clock_that_somebody_saw_right_is_right(
    wallet: Wallet, ahead: tuple[int, ...]
) -> None:
    """Nobody asked, all is well, a late answer, less than a day, one witness wrong."""
    wallet.damaged = True
    seen(wallet, *ahead)
    check_clock(wallet.installation, before=None)


@pytest.mark.requirement("R78")
def test_a_clock_that_is_ahead_of_the_databases_purges_nothing(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    there = int(time.time() * 1000)
    clock = Clock(there + 2 * DAY)
    found = Wallet(tmp_path, clock=clock, uri=postgres.new_tables())
    found.answer("alice", CREDIT_SCORE)
    for before in (None, Millis(there - DAY)):
        refuses(found, "by that of the database", before)
    for hours in (12, -90 * 24):
        clock.now = there + hours * HOUR
        check_clock(found.installation, before=Millis(there - 9 * DAY))
    Wallet.close_all()
