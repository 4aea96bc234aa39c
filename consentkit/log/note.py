"""Signed notes: a text, an empty line, signature lines (C2SP signed-note v1.0.0).

::

    text, one or more lines
                                                        the last empty line
    — <name> base64(key id, signature)                  one or more

The signature covers the text with its final newline. A line of a key that nobody
told us about says nothing and is passed over; a line of a known key that does not
hold spoils the whole note.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.encoding import decode_base64
from consentkit.log.encoding import encode_base64
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Signer
from consentkit.log.keys import Verifier
from consentkit.log.keys import check_key_name

__all__ = [
    "KEY_ID_SIZE",
    "MAX_NOTE_BYTES",
    "MAX_SIGNATURES",
    "Note",
    "Signature",
    "UnverifiedNote",
    "nobody_known",
    "open_note",
    "parse_signature",
    "sign_note",
    "split_note",
]

# Room for the largest leaf (65,535 bytes), or a checkpoint with dozens of witnesses.
MAX_NOTE_BYTES = 64 * 1024

# As golang.org/x/mod: each line may cost a signature check.
MAX_SIGNATURES = 100

KEY_ID_SIZE = 4
_DASH = "— ".encode()  # U+2014, space

# signed-note: "no ASCII control characters other than newline".
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")


class Signature(NamedTuple):
    """One signature line: who is said to have signed, and the bytes."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> bytes:
        """The line as it stands in a note, with its newline."""
        encoded = encode_base64(self.key_id + self.signature)
        return _DASH + self.name.encode() + b" " + encoded + b"\n"


class UnverifiedNote(NamedTuple):
    """A well-formed note whose signatures nobody has checked yet."""

    text: bytes
    signatures: tuple[Signature, ...]


@dataclass(frozen=True)
class Note:
    """An opened note: ``verifiers`` are the keys whose signatures hold."""

    text: bytes
    signatures: tuple[Signature, ...]
    verifiers: tuple[Verifier, ...]

    @property
    def verified(self) -> tuple[str, ...]:
        """The names of the keys whose signatures hold, each once."""
        return tuple(dict.fromkeys(key.name for key in self.verifiers))


def sign_note(text: bytes, *signers: Signer) -> bytes:
    """Return ``text`` with one signature line for each signer, in their order.

    Raises:
        MalformedError: the text cannot stand in a note, no signer is given, or one
            is a witness's key, which signs cosignatures only.
    """
    _check_characters(text)
    for signer in signers:
        if signer.algorithm != Algorithm.ED25519:
            raise MalformedError(f"key {signer.name!r} signs cosignatures, not notes")
    lines = [
        Signature(signer.name, signer.key_id, signer.sign(text)).line
        for signer in signers
    ]
    data = text + b"\n" + b"".join(lines)
    split_note(data)
    return data


def split_note(data: bytes) -> UnverifiedNote:
    """Take a note apart without checking any signature.

    Raises:
        MalformedError: too long, not UTF-8, control characters, no empty line before
            the signatures, no final newline, no or too many or bad signature lines.
    """
    _check_characters(data)
    text, separator, tail = data.rpartition(b"\n\n")
    if not separator or not tail:
        raise MalformedError("expected a note: text, an empty line, signature lines")
    lines = tail[:-1].split(b"\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedError(
            f"a note has at most {MAX_SIGNATURES} signature lines, got {len(lines)}"
        )
    signatures = tuple(parse_signature(line + b"\n") for line in lines)
    return UnverifiedNote(text + b"\n", signatures)


def parse_signature(line: bytes) -> Signature:
    """Return the parts of one signature line, newline included.

    Raises:
        MalformedError: it is not such a line, or not in its only spelling.
    """
    if not line.startswith(_DASH) or not line.endswith(b"\n"):
        raise MalformedError("expected a signature line: dash, name, base64, newline")
    name, _, encoded = line[len(_DASH) : -1].partition(b" ")
    raw = decode_base64(encoded)
    signature = Signature(_text(name), raw[:KEY_ID_SIZE], raw[KEY_ID_SIZE:])
    check_key_name(signature.name)
    if not signature.signature:
        raise MalformedError(f"expected a key id and a signature of {signature.name!r}")
    return signature


def open_note(data: bytes, verifiers: Iterable[Verifier]) -> Note:
    """Return the note if at least one of the given keys signed it and none failed.

    Raises:
        MalformedError: it is no note, or the given keys are not fit to open one.
        InvalidSignatureError: a line of a given key does not hold.
        UnknownKeyError: no line is by a given key.
    """
    known = _by_name_and_id(verifiers)
    unverified = split_note(data)
    good: dict[Verifier, None] = {}
    for signature in unverified.signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            continue
        verifier.verify(unverified.text, signature.signature)
        good[verifier] = None
    if not good:
        raise UnknownKeyError(nobody_known(known.values(), unverified))
    return Note(unverified.text, unverified.signatures, tuple(good))


def _by_name_and_id(
    verifiers: Iterable[Verifier],
) -> dict[tuple[str, bytes], Verifier]:
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        if verifier.algorithm != Algorithm.ED25519:
            raise MalformedError(f"key {verifier.name!r} opens cosignatures, not notes")
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            raise MalformedError(f"two keys {verifier.name!r} share one id; trust one")
    return known


def nobody_known(known: Iterable[Verifier], note: UnverifiedNote) -> str:
    """What is wrong with a note on which no line is of a ``known`` key."""
    expected = ", ".join(f"{key.name}+{key.key_id.hex()}" for key in known)
    came = ", ".join(f"{s.name}+{s.key_id.hex()}" for s in note.signatures)
    return f"expected a signature of {expected or 'a known key'}, got only {came}"


def _check_characters(data: bytes) -> None:
    if len(data) > MAX_NOTE_BYTES:
        raise MalformedError(
            f"a note has at most {MAX_NOTE_BYTES} bytes, got {len(data)}"
        )
    if not data.endswith(b"\n"):
        raise MalformedError("expected a newline at the end of the note")
    if _CONTROL.search(data):
        raise MalformedError("a note holds no control character but the newline")
    _text(data)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as e:
        raise MalformedError("a note is UTF-8") from e
