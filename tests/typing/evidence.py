"""Type-checked, never run: what an auditor's or a key holder's program may write."""

from __future__ import annotations

from typing import assert_type

from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Signer
from consentkit.log.keys import Verifier
from consentkit.log.merkle import CompactRange
from consentkit.log.merkle import HashReader
from consentkit.log.note import Note
from consentkit.log.note import open_note
from consentkit.log.note import sign_note


class KeyInHardware:
    """A signer of one's own: the protocol asks for these members and no base class."""

    name = "wallet.example/log"
    algorithm = Algorithm.ED25519
    key_id = b"\x00\x00\x00\x00"
    vkey = "wallet.example/log+00000000+AAAA"

    def sign(self, message: bytes) -> bytes:
        """Let the hardware do it."""
        return message


class HashesFromElsewhere:
    """A reader of one's own: one method is all that a proof asks for."""

    def read_hash(self, level: int, index: int) -> bytes:
        """Look it up wherever it is kept."""
        return bytes(level + index)


def a_signer_may_be_of_ones_own(signer: Ed25519Signer) -> None:
    """Both kinds fit where a signer is asked for."""
    signers: list[Signer] = [KeyInHardware(), signer]
    assert_type(sign_note(b"text\n", *signers), bytes)


def a_reader_may_be_of_ones_own() -> HashReader:
    """The protocol is met by its one method."""
    return HashesFromElsewhere()


def what_is_opened_is_a_value(data: bytes, key: str) -> None:
    """A reader gets a typed value or an error, never a bare `bool`."""
    verifier = Verifier.parse(key)
    assert_type(open_note(data, [verifier]), Note)
    assert_type(
        open_checkpoint(data, [verifier], origin="wallet.example/log"), Checkpoint
    )


def a_checkpoint_is_of_a_tree(tree: CompactRange, signer: Signer) -> None:
    """A tree's size and root are what is signed."""
    checkpoint = Checkpoint("wallet.example/log", tree.size, tree.root())
    assert_type(sign_checkpoint(checkpoint, signer), bytes)
