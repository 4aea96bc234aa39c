"""Fill a log, and look at its numbers and files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from consentkit.audit.bundle import FolderSource
from consentkit.audit.verify import verify_log
from consentkit.core.act import Kind
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.merkle import root_of
from consentkit.log.sealing import commit
from consentkit.log.tiles import tiles_for_size
from consentkit.service.recording import sign_plain_leaf
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["check_tree", "files", "fill", "on_disk", "say", "verify_prefix"]


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def on_disk(wallet: Wallet) -> bytes:
    """The published checkpoint, empty if there is none."""
    path = wallet.logs / "checkpoint"
    return path.read_bytes() if path.exists() else b""


def say(wallet: Wallet, *, times: int = 1) -> None:
    """Some acts of some people."""
    for number in range(times):
        wallet.clock.now += 1
        wallet.answer(f"person-{number % 7}", CREDIT_SCORE)


def fill(wallet: Wallet, *, times: int) -> None:
    """Many leaves in one transaction."""
    fields = {"action": "test", "target": "nothing", "evidence": commit(())}
    with wallet.installation.ledger.write() as transaction:
        for _ in range(times):
            transaction.append(
                sign_plain_leaf(
                    wallet.installation, Kind.ADMIN, fields, now=wallet.clock()
                )
            )


def check_tree(wallet: Wallet) -> None:
    """Numbers without a gap, and every checkpoint a prefix.

    Of two transactions that overlap, the one that began first may commit last, so that
    numbers and positions agree only where writers take turns.
    """
    rows = wallet.sql("SELECT idx, hash FROM consent_leaf ORDER BY position")
    numbered = sorted(row for row in rows if row[0] is not None)
    assert [row[0] for row in numbered] == list(range(len(numbered)))
    if wallet.installation.database.file is not None:
        assert rows[: len(numbered)] == numbered  # nothing was passed over
    sizes = []
    for size, note in wallet.sql(
        "SELECT size, note FROM consent_checkpoint ORDER BY size"
    ):
        checkpoint = open_checkpoint(note, wallet.trust.log)
        assert checkpoint.size == size
        assert checkpoint.root == root_of([row[1] for row in numbered[:size]])
        sizes.append(size)
    assert wallet.sql("SELECT size FROM consent_log") == [(sizes[-1],)]
    assert sizes[-1] == len(numbered)


def verify_prefix(wallet: Wallet) -> int:
    """The folder holds what its checkpoint says, whatever else lies there; its size."""
    checkpoint = open_checkpoint(
        (wallet.logs / "checkpoint").read_bytes(), wallet.trust.log
    )
    needed = {tile.path for tile in tiles_for_size(checkpoint.size)} | {"checkpoint"}
    copy = wallet.folder / "copy"
    for path in needed:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(wallet.logs / path, copy / path)
    assert verify_log(FolderSource(copy), trust=wallet.trust).size == checkpoint.size
    shutil.rmtree(copy)
    return checkpoint.size
