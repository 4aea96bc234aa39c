"""A log of entries of one byte, whose older checkpoints tell right from wrong."""

from __future__ import annotations

from consentkit.audit.kept import History
from consentkit.audit.report import Finding
from consentkit.audit.report import Layer
from consentkit.audit.trust import Trust
from consentkit.audit.verify import find_faults
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.keys import Ed25519Signer
from consentkit.log.merkle import hash_leaf
from consentkit.log.merkle import root_of

from .builder import MemorySource
from .builder import published

__all__ = [
    "CHECKPOINTS",
    "CONSISTENCY",
    "RETIRED",
    "SIGNER",
    "TRUST",
    "checkpoint",
    "entries",
    "faults",
    "log_of",
    "steps",
]

SIGNER = Ed25519Signer.from_seed("logs.example/one", bytes([9]) * 32)
TRUST = Trust.of([SIGNER.vkey])
RETIRED = Ed25519Signer.from_seed(SIGNER.name, bytes([8]) * 32)


def entries(size: int, *, changed: int = -1) -> list[bytes]:
    return [b"x" if n == changed else b"%d" % n for n in range(size)]


def checkpoint(size: int, *by: Ed25519Signer, changed: int = -1) -> bytes:
    """What a log of tiny entries signed at that size."""
    root = root_of(map(hash_leaf, entries(size, changed=changed)))
    return sign_checkpoint(Checkpoint(SIGNER.name, size, root), *(by or (SIGNER,)))


def log_of(
    size: int, *, changed: int = -1, stored: tuple[int, ...] = ()
) -> MemorySource:
    """A log with its own older checkpoints beside it."""
    files = published(entries(size, changed=changed), SIGNER)
    files |= {f"checkpoints/{n}": checkpoint(n, changed=changed) for n in stored}
    return MemorySource(files)


def faults(source: MemorySource, *kept: bytes) -> list[Finding]:
    history = History.open(
        [(f"kept {n}", each) for n, each in enumerate(kept)], trust=TRUST
    )
    layers = [Layer.LOG, Layer.HISTORY]
    return list(find_faults(source, trust=TRUST, history=history, layers=layers))


def steps(source: MemorySource, *kept: bytes) -> list[tuple[Layer, str]]:
    return [(each.layer, each.step) for each in faults(source, *kept)]


CONSISTENCY = (Layer.HISTORY, "consistency")
CHECKPOINTS = (Layer.HISTORY, "checkpoints")
