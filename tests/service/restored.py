"""A wallet whose database is put back from a copy, as an operator does it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["back_up", "put_back"]


def back_up(wallet: Wallet) -> Path:
    """A copy of the database as it is now, made while it is in use."""
    copy = wallet.folder / "backup.sqlite3"
    with (
        closing(sqlite3.connect(wallet.file)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
    return copy


def put_back(wallet: Wallet, backup: Path) -> Wallet:
    """As an operator does it: stopped, the file copied over, and started again."""
    wallet.damaged = True
    wallet.installation.ledger._database.dispose()
    for path in wallet.folder.glob(f"{wallet.file.name}*"):
        path.unlink()
    shutil.copy(backup, wallet.file)
    return Wallet(wallet.folder, clock=wallet.clock)
