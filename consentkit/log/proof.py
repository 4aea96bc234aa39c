"""A proof in one file: leaf, path to the root, checkpoint (C2SP tlog-proof@v1).

::

    c2sp.org/tlog-proof@v1
    extra <base64>                  optional; for us the leaf itself
    index <decimal>
    <base64>                        0 to 63 hashes, the leaf's sibling first
                                    an empty line
    <checkpoint>                    verbatim, with its cosignatures

Reading it proves nothing yet: open the checkpoint with the log's key, then
``merkle.check_inclusion`` the leaf hash.
"""

from __future__ import annotations

from dataclasses import dataclass

from consentkit.errors import MalformedError
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.encoding import decode_base64
from consentkit.log.encoding import encode_base64
from consentkit.log.encoding import parse_decimal
from consentkit.log.merkle import HASH_SIZE
from consentkit.log.merkle import MAX_PROOF
from consentkit.log.note import MAX_NOTE_BYTES
from consentkit.log.note import split_note
from consentkit.log.tiles import MAX_ENTRY_BYTES

__all__ = [
    "MAX_PROOF_BYTES",
    "PROOF_HEADER",
    "TlogProof",
    "format_proof",
    "parse_proof",
]

PROOF_HEADER = b"c2sp.org/tlog-proof@v1"
_EXTRA = b"extra "
_INDEX = b"index "

# The largest leaf in base64, 63 lines of hashes, the largest note, and the labels.
MAX_PROOF_BYTES = MAX_ENTRY_BYTES * 4 // 3 + MAX_PROOF * 45 + MAX_NOTE_BYTES + 128


@dataclass(frozen=True)
class TlogProof:
    """The parts of a proof file; ``extra`` is authenticated by nothing in it.

    Raises:
        MalformedError: a negative index, a hash that is none, more than 63 of them,
            an extra that is empty, or a checkpoint that is not well-formed.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index < 2**63:
            raise MalformedError("expected an index from 0 to 2^63-1")
        bad = any(len(item) != HASH_SIZE for item in self.proof)
        if bad or len(self.proof) > MAX_PROOF:
            raise MalformedError("expected at most 63 hashes, each of 32 bytes")
        if self.extra is not None and not 0 < len(self.extra) <= MAX_ENTRY_BYTES:
            raise MalformedError("expected an extra of 1 to 65,535 bytes, or none")
        parse_checkpoint_text(split_note(self.checkpoint).text)


def format_proof(proof: TlogProof) -> bytes:
    """Return the file."""
    lines = [PROOF_HEADER]
    if proof.extra is not None:
        lines.append(_EXTRA + encode_base64(proof.extra))
    lines.append(b"%s%d" % (_INDEX, proof.index))
    lines += map(encode_base64, proof.proof)
    return b"\n".join(lines) + b"\n\n" + proof.checkpoint


def parse_proof(data: bytes) -> TlogProof:
    """Return the parts of a proof file. Neither signature nor path is checked.

    Raises:
        MalformedError: too long, or not in the form above and its only spelling.
    """
    if len(data) > MAX_PROOF_BYTES:
        raise MalformedError(
            f"a proof has at most {MAX_PROOF_BYTES} bytes, got {len(data)}"
        )
    head, _, checkpoint = data.partition(b"\n\n")
    lines = head.split(b"\n")
    if lines.pop(0) != PROOF_HEADER:
        raise MalformedError(f"expected the first line {PROOF_HEADER.decode()!r}")
    extra = _take(lines, _EXTRA)
    index = _take(lines, _INDEX)
    if index is None:
        raise MalformedError("expected a line 'index <number>'")
    return TlogProof(
        parse_decimal(index),
        tuple(map(decode_base64, lines[: MAX_PROOF + 1])),
        checkpoint,
        None if extra is None else decode_base64(extra),
    )


def _take(lines: list[bytes], label: bytes) -> bytes | None:
    if lines and lines[0].startswith(label):
        return lines.pop(0).removeprefix(label)
    return None
