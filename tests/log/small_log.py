"""A log of forty leaves, and a second one that rewrites it from some leaf on."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field

from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.keys import Ed25519Signer
from consentkit.log.merkle import hash_leaf
from consentkit.log.merkle import prove_consistency
from consentkit.log.merkle import root_of
from consentkit.log.witness import AddCheckpoint
from consentkit.log.witness import format_request

__all__ = ["SIZE", "SmallLog"]

SIZE = 40


@dataclass(frozen=True)
class SmallLog:
    """Signs any of its sizes; leaves from ``rewritten`` on are other ones."""

    signer: Ed25519Signer = field(
        default_factory=lambda: Ed25519Signer.from_seed("log.example", b"1" * 32)
    )
    rewritten: int = SIZE

    @property
    def leaves(self) -> list[bytes]:
        return [hash_leaf(bytes([at, at >= self.rewritten])) for at in range(SIZE)]

    def root(self, size: int) -> bytes:
        return root_of(self.leaves[:size])

    def read_hash(self, level: int, index: int) -> bytes:
        return root_of(self.leaves[index << level : (index + 1) << level])

    def checkpoint(self, size: int) -> bytes:
        whole = Checkpoint(self.signer.name, size, self.root(size))
        return sign_checkpoint(whole, self.signer)

    def request(self, old: int, size: int) -> AddCheckpoint:
        """The honest request, as far as this log is."""
        proof = prove_consistency(old, size, self)
        return AddCheckpoint(old, tuple(proof), self.checkpoint(size))

    def body(self, old: int, size: int) -> bytes:
        return format_request(self.request(old, size))
