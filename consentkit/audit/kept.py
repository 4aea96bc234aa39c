"""What others kept of a log: old checkpoints, old receipts, and whose word counts.

A log whose key-holder rewrites it as a whole passes every check of the log alone.
Only what lies outside of its operator's reach can show it: a checkpoint noted down
at an earlier audit, a receipt in a person's hands, the cosignatures of witnesses.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from consentkit.audit.receipt import verify_receipt
from consentkit.audit.source import named
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.merkle import hash_leaf
from consentkit.log.policy import NO_QUORUM
from consentkit.log.policy import Policy
from consentkit.log.policy import find_cosigners
from consentkit.log.proof import PROOF_HEADER
from consentkit.log.proof import parse_proof

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping

    from consentkit.audit.trust import Trust

__all__ = ["History", "Kept", "Place", "open_kept"]


@dataclass(frozen=True)
class Place:
    """Where a receipt shows its leaf to stand, in the tree of its checkpoint."""

    index: int
    leaf_hash: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class Kept:
    """A checkpoint that the log signed, as somebody kept it: ``note`` is verbatim.

    ``cosigned`` tells which witnesses of a policy saw it, and when (seconds);
    ``place`` is there if it came with a receipt.
    """

    name: str
    note: bytes
    checkpoint: Checkpoint
    cosigned: Mapping[str, int] = field(default_factory=dict)
    place: Place | None = None

    @property
    def size(self) -> int:
        """How many entries the log had."""
        return self.checkpoint.size

    @property
    def root(self) -> bytes:
        """Their root hash."""
        return self.checkpoint.root


@dataclass(frozen=True)
class History:
    """All that comes from outside a log and can speak for or against it.

    Make it with ``open``, or leave it empty. ``tsa_roots`` are the certificates (PEM)
    that time stamps have to lead to; a stamp says when, not that there is no other log,
    so they do not vouch.
    """

    kept: tuple[Kept, ...] = ()
    policy: Policy | None = None
    tsa_roots: bytes | None = None

    @classmethod
    def open(
        cls,
        files: Iterable[tuple[str, bytes]] = (),
        *,
        trust: Trust,
        policy: Policy | None = None,
        tsa_roots: bytes | None = None,
    ) -> History:
        """Open checkpoint notes and receipts, given as (name, bytes).

        Raises:
            VerificationError: one of them does not hold, so it says nothing about the
                log: not signed with its key, not in form, or a witness of the policy
                did not sign what its name stands under. The message begins with the
                name.
        """
        kept = [
            open_kept(name, data, trust=trust, policy=policy) for name, data in files
        ]
        return cls(tuple(kept), policy, tsa_roots)

    @property
    def vouches(self) -> bool:
        """Whether there is anything here that could speak for the log."""
        asked = self.policy is not None and self.policy.quorum != NO_QUORUM
        return asked or bool(self.kept)


def open_kept(
    name: str, data: bytes, *, trust: Trust, policy: Policy | None = None
) -> Kept:
    """The checkpoint in ``data``, a signed note or a receipt, if the log signed it.

    Raises:
        VerificationError: it does not hold by itself; the message begins with ``name``.
    """
    try:
        return _open(name, data, trust, policy or Policy())
    except VerificationError as error:
        what = named(name, error)
        raise type(error)(what, step=error.step, entry=error.entry) from error


def _open(name: str, data: bytes, trust: Trust, policy: Policy) -> Kept:
    note, place = data, None
    if data.startswith(PROOF_HEADER):
        leaf = verify_receipt(data, trust=trust).leaf
        proof = parse_proof(data)
        note = proof.checkpoint
        place = Place(proof.index, hash_leaf(leaf.data), proof.proof)
    checkpoint = open_checkpoint(note, trust.log, origin=trust.origin)
    return Kept(name, note, checkpoint, find_cosigners(note, policy), place)
