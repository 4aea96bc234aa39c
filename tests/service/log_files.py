"""Fill a log, and look at its numbers and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.act import Kind
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.merkle import root_of
from consentkit.service.recording import sign_plain_leaf
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["check_tree", "files", "fill", "say"]


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def say(wallet: Wallet, *, times: int = 1) -> None:
    """Some acts of some people."""
    for number in range(times):
        wallet.clock.now += 1
        wallet.answer(f"person-{number % 7}", CREDIT_SCORE)


def fill(wallet: Wallet, *, times: int) -> None:
    """Many leaves in one transaction."""
    fields = {"action": "test", "target": "nothing", "evidence": "e" * 64}
    with wallet.installation.ledger.write() as transaction:
        for _ in range(times):
            transaction.append(
                sign_plain_leaf(
                    wallet.installation, Kind.ADMIN, fields, now=wallet.clock()
                )
            )


def check_tree(wallet: Wallet) -> None:
    """Numbers without a gap in the order of commits, and every checkpoint a prefix."""
    rows = wallet.sql("SELECT idx, hash FROM consent_leaf ORDER BY position")
    numbered = [row for row in rows if row[0] is not None]
    assert [row[0] for row in numbered] == list(range(len(numbered)))
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
