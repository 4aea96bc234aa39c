"""A witness's dated signature on a checkpoint (C2SP tlog-cosignature v1.0.1).

It says: at that time this was the largest consistent tree that I had seen of this
log. The line holds key id, time (8 bytes) and an Ed25519 signature over time and the
checkpoint's text. One Ed25519 key per witness: its name is not signed.
"""

from __future__ import annotations

from collections.abc import Iterable

from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Signer
from consentkit.log.keys import Verifier
from consentkit.log.note import Signature
from consentkit.log.note import UnverifiedNote
from consentkit.log.note import parse_signature
from consentkit.log.note import split_note

__all__ = [
    "add_cosignatures",
    "claimed_times",
    "cosign",
    "open_cosignature",
    "open_cosignatures",
]

_TIME_BYTES = 8
_SIGNATURE_BYTES = 64


def cosign(checkpoint_note: bytes, signer: Signer, *, time: int) -> bytes:
    """Return the witness's line; ``time`` in seconds since the epoch.

    The caller has checked the log's signature, and that this tree continues the
    largest that the witness has cosigned: here it only signs.

    Raises:
        MalformedError: no checkpoint, a negative time, or a key of another type.
    """
    note = _split_checkpoint(checkpoint_note)
    _check_witness_key(signer)
    if not 0 <= time < 2 ** (8 * _TIME_BYTES):
        raise MalformedError("expected a time in seconds since the epoch")
    dated = time.to_bytes(_TIME_BYTES, "big") + signer.sign(_message(note.text, time))
    return Signature(signer.name, signer.key_id, dated).line


def add_cosignatures(checkpoint_note: bytes, lines: Iterable[bytes]) -> bytes:
    """Return the checkpoint with these lines after its own, each once.

    Nothing is checked but the form: open each with its witness's key first.

    Raises:
        MalformedError: no checkpoint, no signature lines, or too many.
    """
    present = [line.line for line in _split_checkpoint(checkpoint_note).signatures]
    new = dict.fromkeys(parse_signature(line).line for line in lines)
    data = checkpoint_note + b"".join(line for line in new if line not in present)
    split_note(data)
    return data


def open_cosignature(checkpoint_note: bytes, verifier: Verifier) -> int:
    """Return when this witness cosigned the checkpoint, in seconds since the epoch.

    Checks the witness's line and no other. Of several good ones the earliest counts.

    Raises:
        MalformedError: no checkpoint, a key of another type, or a line cut short.
        InvalidSignatureError: a line of this witness does not hold.
        UnknownKeyError: the witness has not cosigned it.
    """
    times = open_cosignatures(checkpoint_note, [verifier])
    if not times:
        raise UnknownKeyError(f"expected a cosignature of {verifier.name!r}, got none")
    return times[verifier]


def open_cosignatures(
    checkpoint_note: bytes, verifiers: Iterable[Verifier]
) -> dict[Verifier, int]:
    """Return when each of these witnesses cosigned, for those that did.

    Lines of others are passed over. Each key is there once, with its earliest time.

    Raises:
        MalformedError: no checkpoint, a key of another type, or a line cut short.
        InvalidSignatureError: a line of one of these witnesses does not hold.
    """
    note = _split_checkpoint(checkpoint_note)
    times: dict[Verifier, int] = {}
    for verifier in verifiers:
        _check_witness_key(verifier)
        for line in note.signatures:
            if (line.name, line.key_id) == (verifier.name, verifier.key_id):
                time = _open_line(note.text, line, verifier)
                times[verifier] = min(time, times.get(verifier, time))
    return times


def claimed_times(checkpoint_note: bytes) -> list[int]:
    """When the lines in the form of a cosignature claim to be of, in seconds.

    No key is asked, so anybody may have written them: for words, not for judgement.

    Raises:
        MalformedError: no checkpoint.
    """
    lines = _split_checkpoint(checkpoint_note).signatures
    return [
        int.from_bytes(line.signature[:_TIME_BYTES], "big")
        for line in lines
        if len(line.signature) == _TIME_BYTES + _SIGNATURE_BYTES
    ]


def _open_line(text: bytes, line: Signature, verifier: Verifier) -> int:
    if len(line.signature) != _TIME_BYTES + _SIGNATURE_BYTES:
        raise MalformedError(
            f"cosignature of {line.name!r}: expected 72 bytes after the key id, "
            f"got {len(line.signature)}"
        )
    time = int.from_bytes(line.signature[:_TIME_BYTES], "big")
    verifier.verify(_message(text, time), line.signature[_TIME_BYTES:])
    return time


def _message(text: bytes, time: int) -> bytes:
    return b"cosignature/v1\ntime %d\n%s" % (time, text)


def _check_witness_key(key: Signer | Verifier) -> None:
    if key.algorithm != Algorithm.COSIGNATURE_V1:
        raise MalformedError(f"expected a witness's key (type 04), got {key.name!r}")


def _split_checkpoint(data: bytes) -> UnverifiedNote:
    note = split_note(data)
    parse_checkpoint_text(note.text)
    return note
