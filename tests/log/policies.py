"""Logs, witnesses and the example policy of the standard."""

from __future__ import annotations

from consentkit.log import policy
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.cosignature import add_cosignatures
from consentkit.log.cosignature import cosign
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.policy import Policy

__all__ = [
    "EXAMPLE",
    "LOG",
    "NAMES",
    "NOTE",
    "OTHER_LOG",
    "VKEYS",
    "WITNESSES",
    "X1",
    "X2",
    "cosigned",
    "parsed",
]

LOG = Ed25519Signer.from_seed("logs.example/one", b"l" * 32)
OTHER_LOG = Ed25519Signer.from_seed("logs.example/two", b"o" * 32)
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
WITNESSES = {
    name: Ed25519Signer.from_seed(
        f"{name}.example", name.encode() * 16, algorithm=Algorithm.COSIGNATURE_V1
    )
    for name in NAMES
}
VKEYS = {name: key.vkey for name, key in WITNESSES.items()}
NOTE = sign_checkpoint(Checkpoint(LOG.name, 1, bytes(32)), LOG)

# The example of the standard, with keys filled in.
EXAMPLE = """\
log {log}

witness X1 {X1}
witness X2 {X2}
witness X3 {X3}
group X-witnesses 2 X1 X2 X3

witness Y1 {Y1}
witness Y2 {Y2}
witness Y3 {Y3}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
""".format(log=LOG.vkey, **VKEYS)


def parsed(text: str) -> Policy:
    return policy.parse_policy(text.encode("utf-8", "surrogateescape"))


def cosigned(*names: str, time: int = 5, note: bytes = NOTE) -> bytes:
    return add_cosignatures(
        note, [cosign(note, WITNESSES[name], time=time) for name in names]
    )


X1 = f"witness X1 {VKEYS['X1']}\n"
X2 = f"witness X2 {VKEYS['X2']}\n"
