"""Afterwards: what was promised over HTTP, held against what is there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from consentkit.audit.bundle import FolderSource
from consentkit.audit.promise import compare_with_log
from consentkit.audit.receipt import verify_receipt
from consentkit.service.receipts import find_receipt
from tests.service.log_files import check_tree
from tests.service.wallet import Clock
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.served.people import Crowd

__all__ = ["check_kept", "wallet_in"]


def wallet_in(folder: Path, database: str = "") -> Wallet:
    """What the servers left in a folder, opened now."""
    return Wallet(folder, clock=Clock(int(time.time() * 1000)), uri=database)


def check_kept(wallet: Wallet, lived: Crowd) -> None:
    """The log is whole, and holds everything that anybody was told or given."""
    wallet.prove()  # size = count, an auditor agrees, state = replay
    check_tree(wallet)
    for person, act in lived.promised:
        receipt = find_receipt(wallet.installation, person, act)
        assert receipt is not None, f"lost: {act}"
        assert receipt.proof is not None
        assert verify_receipt(receipt.proof, trust=wallet.trust).leaf.id == act
    source = FolderSource(wallet.logs)
    for saved in lived.receipts[:: max(1, len(lived.receipts) // 20)]:
        held = compare_with_log(saved, source=source, trust=wallet.trust)
        assert held.holds, list(held.lines())
