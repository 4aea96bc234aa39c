"""Go's own packages accept an archive, also when nobody has the log any more."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from consentkit.service.publishing import publish_all
from consentkit.service.receipts import find_receipt
from tests.outside.golang import build
from tests.outside.published import EARLY
from tests.outside.published import KEPT
from tests.outside.published import Published
from tests.service.log_files import fill
from tests.service.periods import FIRST
from tests.service.periods import archive
from tests.service.periods import clean
from tests.service.periods import lived_in
from tests.service.periods import next_period
from tests.service.periods import years_later
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.requirement("R97", "R99")
def test_go_accepts_the_archive_of_a_log_that_was_dropped(tmp_path: Path) -> None:
    wallet = lived_in(Wallet(tmp_path / "wallet"))
    keys = wallet.installation.keyring
    given = Published(tmp_path / "given", keys.log, keys.collector)
    publish_all(wallet.installation)
    given.write(KEPT, (wallet.logs / "checkpoint").read_bytes())
    receipt = find_receipt(wallet.installation, "alice", wallet.leaves("choice")[0].id)
    assert receipt
    given.write(EARLY, receipt.proof or b"")
    fill(wallet, times=300)  # more than a tile
    next_period(wallet)
    place = archive(wallet, tmp_path / "archive").place
    years_later(wallet)
    (gone,) = clean(wallet).dropped
    assert gone.origin == FIRST
    shutil.copytree(place, given.log, dirs_exist_ok=True)

    status, lines = build(tmp_path)(given, requests=(), receipts=(EARLY,))

    assert status == 0, lines
    assert f"ok   entries: {gone.size} signed notes" in lines
    Wallet.close_all()
