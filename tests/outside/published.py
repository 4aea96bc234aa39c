"""A log of people's acts as an auditor is handed it, and what can be done to it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.core.act import State
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.keys import Verifier
from consentkit.log.merkle import prove_consistency
from consentkit.log.note import sign_note
from consentkit.log.note import split_note
from consentkit.log.publisher import Frontier
from consentkit.log.publisher import plan
from consentkit.log.tiles import TileReader
from consentkit.log.tiles import decode_bundle
from consentkit.log.witness import AddCheckpoint
from consentkit.log.witness import format_request
from consentkit.service.publishing import publish_all
from consentkit.service.receipts import find_receipt
from tests.service.log_files import fill
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consentkit.log.keys import Signer

__all__ = ["EARLY", "KEPT", "LATE", "REQUEST", "SIZE", "Published", "publish_log"]

SIZE = 300  # a full tile, and a partial one
KEPT = "checkpoint-of-last-year"
REQUEST = "request-to-a-witness"
EARLY = "early.tlog-proof"
LATE = "late.tlog-proof"


@dataclass(frozen=True)
class Published:
    """The log, and beside it an old checkpoint, a witness's request, two receipts.

    The operator's keys are here too: who cheats may be the operator.
    """

    folder: Path
    log_key: Signer
    collector_key: Signer

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def copy(self, folder: Path) -> Published:
        """The same in another folder, to be damaged."""
        shutil.copytree(self.folder, folder)
        return Published(folder, self.log_key, self.collector_key)

    def read(self, path: str) -> bytes:
        return (self.folder / path).read_bytes()

    def write(self, path: str, data: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def replace(self, path: str, old: bytes, new: bytes) -> None:
        """Put ``new`` where ``old`` is first."""
        data = self.read(path)
        assert old in data
        self.write(path, data.replace(old, new, 1))

    def flip(self, path: str, at: int = 0) -> None:
        """Change one bit of one byte."""
        data = bytearray(self.read(path))
        data[at] ^= 1
        self.write(path, bytes(data))

    def leaves(self) -> list[bytes]:
        last = f"log/tile/entries/001.p/{SIZE - 256}"
        return [
            *decode_bundle(self.read("log/tile/entries/000"), count=256),
            *decode_bundle(self.read(last), count=SIZE - 256),
        ]

    def rewrite(self, leaves: Sequence[bytes]) -> None:
        """Replace the log by another one that the true key signs."""
        shutil.rmtree(self.log)
        planned = plan(self.log_key.name, Frontier.empty(), leaves)
        for path, data in planned.files.items():
            self.write(f"log/{path}", data)
        note = sign_checkpoint(planned.checkpoint, self.log_key)
        self.write("log/checkpoint", note)

    def sign_text(self, old: bytes, new: bytes) -> None:
        """Sign another text of the checkpoint with the true key."""
        text = split_note(self.read("log/checkpoint")).text
        assert old in text
        changed = sign_note(text.replace(old, new, 1), self.log_key)
        self.write("log/checkpoint", changed)


def publish_log(wallet: Wallet, folder: Path) -> Published:
    """Three publications by the project's own services."""
    keys = wallet.installation.keyring
    made = Published(folder, keys.log, keys.collector)
    mine = wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    wallet.answer("bob", CREDIT_SCORE, said=State.REFUSED)
    publish_all(wallet.installation)
    made.write(KEPT, (wallet.logs / "checkpoint").read_bytes())
    made.write(EARLY, _receipt(wallet, mine.id))
    fill(wallet, times=SIZE - 20 - len(wallet.leaves()))
    publish_all(wallet.installation)
    ended = wallet.revoke("alice").leaf
    assert ended
    for number in range(SIZE - len(wallet.leaves())):
        wallet.answer(f"person-{number % 7}", CREDIT_SCORE)
    wallet.prove()
    shutil.copytree(wallet.logs, made.log)
    made.write(LATE, _receipt(wallet, ended.id))
    made.write(REQUEST, _request(made))
    return made


def _receipt(wallet: Wallet, act: str) -> bytes:
    found = find_receipt(wallet.installation, "alice", act)
    assert found
    assert found.proof
    return found.proof


def _request(made: Published) -> bytes:
    """What a witness would be sent: our own proof that the log continues."""
    key = Verifier.parse(made.log_key.vkey)
    old = open_checkpoint(made.read(KEPT), [key])
    reader = TileReader(lambda path: made.read(f"log/{path}"), SIZE)
    proof = prove_consistency(old.size, SIZE, reader)
    newest = made.read("log/checkpoint")
    return format_request(AddCheckpoint(old.size, tuple(proof), newest))
