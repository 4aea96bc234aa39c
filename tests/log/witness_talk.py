"""A small log that asks a witness, with the keys of both."""

from __future__ import annotations

import json
from pathlib import Path

from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier
from consentkit.log.witness import AddCheckpoint
from consentkit.log.witness import Verdict
from consentkit.log.witness import judge
from tests.log.small_log import SmallLog

__all__ = [
    "ADD",
    "BODY",
    "HASH",
    "KEY",
    "LOG",
    "NEW_YEAR",
    "OTHER_WITNESS",
    "OWN",
    "VECTORS",
    "WITNESS",
    "verdict",
]

VECTORS = Path(__file__).parents[1] / "vectors"
OWN = json.loads((VECTORS / "own_vectors.json").read_text("utf-8"))

ADD = OWN["add_checkpoint"]
BODY: bytes = ADD["body"].encode()
WITNESS = Ed25519Signer.from_seed(
    "witness.example.org/w1",
    bytes.fromhex(OWN["keys"]["witness"]["seed_hex"]),
    algorithm=Algorithm.COSIGNATURE_V1,
)
OTHER_WITNESS = Ed25519Signer.generate("w2", algorithm=Algorithm.COSIGNATURE_V1)
NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z

LOG = SmallLog()
KEY = LOG.signer.verifier
HASH = b"KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"


def verdict(asked: AddCheckpoint, known: int, *keys: Verifier) -> Verdict:
    return judge(asked, known, LOG.root(known), keys or [KEY])
