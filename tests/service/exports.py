"""What tests of exports do: hand a folder over, audit it, have it cosigned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.bundle import FolderSource
from consentkit.audit.kept import History
from consentkit.audit.verify import verify_log
from consentkit.log.cosignature import cosign
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.policy import parse_policy
from consentkit.service.administering import Official
from consentkit.service.administering import record_admin_act
from consentkit.service.exporting import Exported
from consentkit.service.exporting import export
from consentkit.service.publishing import publish_all
from consentkit.store.witnesses import Cosignature
from consentkit.store.witnesses import Standing
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consentkit.audit.report import VerifiedLog
    from consentkit.core.act import Millis
    from consentkit.log.leaf import Leaf

    Damage = Callable[[Path], str]
    Fill = Callable[[Path], None]

__all__ = [
    "ALICE",
    "BOB",
    "LINE",
    "WITNESS",
    "audit",
    "cosigned",
    "files",
    "hand_over",
    "official_act",
]

ALICE, BOB = "alice.liddell@wonderland.example", "bob-77231"
WITNESS = Ed25519Signer.generate("w1.example", algorithm=Algorithm.COSIGNATURE_V1)
LINE = f"{WITNESS.vkey} https://w1.example"


def files(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def hand_over(wallet: Wallet, out: Path, *asked: str) -> Exported:
    """Publish and export."""
    publish_all(wallet.installation)
    if asked:
        return export(wallet.installation, out, disclosures=asked)
    return export(wallet.installation, out)


def audit(wallet: Wallet, out: Path, *, policy: bool = False) -> VerifiedLog:
    """Verify all layers of the export, with its own policy if so asked."""
    own = parse_policy((out / "policy").read_bytes()) if policy else None
    return verify_log(
        FolderSource(out),
        trust=wallet.trust,
        history=History.open(trust=wallet.trust, policy=own),
    )


def cosigned(wallet: Wallet, *, time: int = 1_767_225_700) -> int:
    """Have a witness cosign the newest checkpoint; its size."""
    publish_all(wallet.installation)
    latest = wallet.installation.publications.latest()
    assert latest is not None
    size, note = latest
    line = cosign(note, WITNESS, time=time)
    key = f"{WITNESS.name}+{WITNESS.key_id.hex()}"
    seen: Millis = wallet.clock()
    wallet.installation.witnesses.keep(key, Standing(), Cosignature(size, line, seen))
    return size


def official_act(wallet: Wallet) -> Leaf:
    """Something that an official did."""
    installation = wallet.installation
    with installation.ledger.write() as transaction:
        return record_admin_act(
            installation,
            transaction,
            action="change-role",
            target="auditor",
            by=Official("dpo@wallet.example", "a new auditor"),
            now=installation.clock(),
        )
