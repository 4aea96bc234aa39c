"""Checkpoints: the size and root hash of a log, signed (C2SP tlog-checkpoint v1.0.0).

Three lines and no more. Extension lines are not recommended by the standard and not
covered by every kind of cosignature; we write none and refuse them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.encoding import decode_base64
from consentkit.log.encoding import encode_base64
from consentkit.log.encoding import parse_decimal
from consentkit.log.keys import Signer
from consentkit.log.keys import Verifier
from consentkit.log.keys import check_key_name
from consentkit.log.merkle import EMPTY_ROOT
from consentkit.log.merkle import HASH_SIZE
from consentkit.log.note import open_note
from consentkit.log.note import sign_note

__all__ = [
    "Checkpoint",
    "open_checkpoint",
    "parse_checkpoint_text",
    "sign_checkpoint",
]

_MAX_SIZE = 2**63 - 1


@dataclass(frozen=True)
class Checkpoint:
    """What a log commits to: its name, how many leaves, and their root hash.

    Raises:
        MalformedError: the origin cannot be a key name, the size is out of range,
            the root is no hash, or a tree of size 0 has a root other than its own.
    """

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        check_key_name(self.origin)
        if not 0 <= self.size <= _MAX_SIZE:
            raise MalformedError("expected a tree size from 0 to 2^63-1")
        if len(self.root) != HASH_SIZE:
            raise MalformedError(f"expected a root of 32 bytes, got {len(self.root)}")
        if (self.size == 0) != (self.root == EMPTY_ROOT):
            raise MalformedError("size 0 goes with the empty tree's root, no other")

    def text(self) -> bytes:
        """Return the lines that are signed."""
        root = encode_base64(self.root)
        return b"%s\n%d\n%s\n" % (self.origin.encode(), self.size, root)


def parse_checkpoint_text(text: bytes) -> Checkpoint:
    """Return the checkpoint that a note's text spells; signatures are not its matter.

    Raises:
        MalformedError: not exactly these three lines in their only spelling.
    """
    lines = text.split(b"\n")
    if len(lines) != 4 or lines[3]:  # noqa: PLR2004 (three lines and their last end)
        raise MalformedError("expected a checkpoint of three lines: origin, size, root")
    try:
        origin = lines[0].decode()
    except UnicodeDecodeError as e:
        raise MalformedError("expected an origin in UTF-8") from e
    return Checkpoint(origin, parse_decimal(lines[1]), decode_base64(lines[2]))


def sign_checkpoint(checkpoint: Checkpoint, *signers: Signer) -> bytes:
    """Return the signed note; several signers are one log's old and new key.

    Whoever calls this promises that the log never signs two trees that contradict.

    Raises:
        MalformedError: a key is not named as the origin, or none is given.
    """
    for signer in signers:
        if signer.name != checkpoint.origin:
            raise MalformedError(
                f"expected a key named {checkpoint.origin!r}, got {signer.name!r}"
            )
    return sign_note(checkpoint.text(), *signers)


def open_checkpoint(
    data: bytes, verifiers: Iterable[Verifier], *, origin: str | None = None
) -> Checkpoint:
    """Return the checkpoint if a given key of its own log signed it.

    Says nothing about other trees that the log may have signed: for that compare
    with an older checkpoint (``merkle.check_consistency``) and with witnesses.

    Raises:
        MalformedError: no checkpoint, or of another origin than the given one.
        InvalidSignatureError: a line of a given key does not hold.
        UnknownKeyError: none of the given keys named as its origin signed it.
    """
    note = open_note(data, verifiers)
    checkpoint = parse_checkpoint_text(note.text)
    if origin is not None and checkpoint.origin != origin:
        raise MalformedError(
            f"expected a checkpoint of {origin!r}, got one of {checkpoint.origin!r}"
        )
    if checkpoint.origin not in note.verified:
        raise UnknownKeyError(
            f"expected a signature of {checkpoint.origin!r}, the log itself; "
            f"got {', '.join(note.verified)}"
        )
    return checkpoint
