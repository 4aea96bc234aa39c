"""An operator with the database, a driver, and whichever keys a test leaves them.

What honest code never does is done here by SQL: entries are changed, taken out, put in
another order or signed again, and the log is published anew as if it had been so.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from typing import Any
from unittest.mock import patch

from consentkit.audit.bundle import FolderSource
from consentkit.audit.kept import History
from consentkit.audit.verify import find_faults
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.service.publishing import publish_all
from consentkit.service.receipts import find_receipt
from consentkit.store.admission import Admission

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence
    from pathlib import Path

    from consentkit.audit.report import Finding
    from consentkit.core.act import State
    from consentkit.log.leaf import Leaf
    from consentkit.log.policy import Policy
    from tests.service.wallet import Wallet

__all__ = [
    "act_of",
    "checkpoint",
    "disarm",
    "findings",
    "first_words",
    "forget_files",
    "index_of",
    "places",
    "proof_of",
    "publish_anything",
    "replace",
    "sign_anew",
]

_LEAF = "log, idx, id, kind, hash, bytes, handle, seq, challenge, time"
_OUTSIDE_THE_LEAVES = ("cosignature", "checkpoint", "tile", "witness")


def disarm(wallet: Wallet) -> None:
    """Drop the triggers that keep our own code from changing an entry."""
    wallet.damaged = True
    triggers = wallet.sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    assert triggers
    for (name,) in triggers:
        wallet.sql(f"DROP TRIGGER {name}")


def index_of(wallet: Wallet, leaf: Leaf) -> int:
    """The number that the entry has in the published log."""
    ((index,),) = wallet.sql("SELECT idx FROM consent_leaf WHERE id = ?", leaf.id)
    return int(index)


def sign_anew(
    wallet: Wallet, leaves: Sequence[Leaf], edit: Callable[[dict[str, Any]], None]
) -> list[Leaf]:
    """All entries with the collector's own signature; whole chains, none the same."""
    heads: dict[str, tuple[int, str]] = {}
    hashes: dict[str, str] = {}
    forged = []
    for leaf in leaves:
        body = dict(leaf.body)
        edit(body)
        if leaf.subject is not None:
            body["seq"], body["prev"] = heads.get(leaf.subject, (0, ""))
        if "grant" in body:
            body["grant"] = hashes[body["grant"]]
        new = read_leaf(sign_leaf(body, wallet.installation.keyring.collector))
        if new.subject is not None and new.seq is not None:
            heads[new.subject] = new.seq + 1, new.hash.hex()
        hashes[leaf.hash.hex()] = new.hash.hex()
        forged.append(new)
    return forged


def replace(wallet: Wallet, leaves: Sequence[Leaf]) -> int:
    """Make these the whole log, publish it as the first time, and say how long it is.

    The log's key signs; whatever in the house remembers another log is gone.
    """
    disarm(wallet)
    ((log,),) = wallet.sql("SELECT id FROM consent_log")
    for table in ("leaf", *_OUTSIDE_THE_LEAVES):
        wallet.sql(f"DELETE FROM consent_{table}")  # noqa: S608  tables of ours
    wallet.sql("UPDATE consent_log SET size = 0")
    for leaf in leaves:
        values = [log, None, leaf.id, leaf.kind.value, leaf.hash, leaf.data]
        values += [leaf.subject, leaf.seq, leaf.body.get("challenge") or None]
        places = ", ".join("?" * 10)
        wallet.sql(
            f"INSERT INTO consent_leaf ({_LEAF}) VALUES ({places})",  # noqa: S608  see above
            *values,
            leaf.time,
        )
    wallet.installation.high_water.path.unlink()
    return forget_files(wallet)


def forget_files(wallet: Wallet) -> int:
    """Delete the published files and have them made again from the database."""
    shutil.rmtree(wallet.logs)
    return publish_anything(wallet)


def publish_anything(wallet: Wallet) -> int:
    """Publish as somebody does who has taken the publisher's own doubts out of it."""
    with patch.object(Admission, "fault", lambda *_: None):
        return publish_all(wallet.installation) or 0


def findings(
    wallet: Wallet,
    *kept: bytes,
    policy: Policy | None = None,
    folder: Path | None = None,
) -> list[Finding]:
    """All that an auditor finds who was given the keys and kept these files."""
    files = [(f"file {number}", data) for number, data in enumerate(kept)]
    history = History.open(files, trust=wallet.trust, policy=policy)
    source = FolderSource(folder or wallet.logs)
    return list(find_faults(source, trust=wallet.trust, history=history))


def checkpoint(wallet: Wallet) -> bytes:
    """The published checkpoint, as anybody may keep it."""
    return (wallet.logs / "checkpoint").read_bytes()


def proof_of(wallet: Wallet, subject: str, leaf: Leaf) -> bytes:
    """The receipt as the person downloaded it."""
    receipt = find_receipt(wallet.installation, subject, leaf.id)
    assert receipt
    assert receipt.proof
    return receipt.proof


def places(found: list[Finding]) -> list[tuple[str, str, int | None]]:
    """Layer, step and entry of each finding."""
    return [(each.layer.value, each.step, each.entry) for each in found]


def first_words(found: list[Finding]) -> set[str]:
    """The step of each finding, and what it is called."""
    return {f"{each.step}: {each.what.partition(':')[0]}" for each in found}


def act_of(wallet: Wallet, state: State) -> Leaf:
    """The first answer of that kind."""
    return next(
        leaf
        for leaf in wallet.leaves("choice")
        if leaf.body["choices"][0]["state"] == state
    )
