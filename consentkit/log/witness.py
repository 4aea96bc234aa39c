"""What a log and a witness say to each other (C2SP tlog-witness v1.0.0).

A log sends its checkpoint and the proof that it continues the one that this witness
cosigned last; the witness answers with its cosignature, or says why not::

    old <size>
    <base64>                            0 to 63 hashes of the consistency proof
                                        an empty line
    <checkpoint>                        verbatim, with the log's signature

``judge`` is the whole of a witness's duty but for its memory: whoever calls it holds
the log's newest size and root still while it judges, and has stored the new ones
before anybody sees the cosignature.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from consentkit.errors import ConsistencyError
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.cosignature import add_cosignatures
from consentkit.log.cosignature import open_cosignature
from consentkit.log.encoding import decode_base64
from consentkit.log.encoding import encode_base64
from consentkit.log.encoding import parse_decimal
from consentkit.log.keys import Verifier
from consentkit.log.merkle import HASH_SIZE
from consentkit.log.merkle import MAX_PROOF
from consentkit.log.merkle import check_consistency
from consentkit.log.note import MAX_NOTE_BYTES
from consentkit.log.note import open_note
from consentkit.log.note import parse_signature
from consentkit.log.note import split_note

__all__ = [
    "MAX_ANSWER_BYTES",
    "MAX_REQUEST_BYTES",
    "AddCheckpoint",
    "Answer",
    "Outcome",
    "Verdict",
    "format_answer",
    "format_request",
    "judge",
    "parse_answer",
    "parse_request",
    "pick_cosignature",
]

_OLD = b"old "

# The old size, 63 hashes in base64, an empty line, and the largest note.
MAX_REQUEST_BYTES = 32 + MAX_PROOF * 45 + MAX_NOTE_BYTES

# Signature lines, of which a note has at most a hundred.
MAX_ANSWER_BYTES = MAX_NOTE_BYTES


class Outcome(IntEnum):
    """How a request ended, by the protocol's own numbers: HTTP status codes."""

    COSIGNED = 200
    MALFORMED = 400
    NOT_SIGNED = 403
    UNKNOWN_LOG = 404
    OTHER_SIZE = 409
    INCONSISTENT = 422

    @property
    def content_type(self) -> str:
        """What the body of such an answer is declared as."""
        if self is Outcome.OTHER_SIZE:
            return "text/x.tlog.size"
        return "text/plain; charset=utf-8"


@dataclass(frozen=True)
class AddCheckpoint:
    """One request: this checkpoint continues the tree of ``old`` leaves, see proof.

    Raises:
        MalformedError: a size out of range or beyond the checkpoint's, a hash that is
            none, more than 63 of them, or a note that is no checkpoint.
    """

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    def __post_init__(self) -> None:
        bad = any(len(item) != HASH_SIZE for item in self.proof)
        if bad or len(self.proof) > MAX_PROOF:
            raise MalformedError("expected at most 63 hashes, each of 32 bytes")
        size = self.checkpoint.size
        if not 0 <= self.old <= size:
            raise MalformedError(
                f"expected an old size from 0 to the checkpoint's {size}, "
                f"got {self.old}"
            )

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says; nobody has checked its signatures yet."""
        return parse_checkpoint_text(split_note(self.note).text)


@dataclass(frozen=True)
class Verdict:
    """What a witness answers to a request.

    ``size`` is the newest that it cosigned, for ``OTHER_SIZE``. ``note``, where the log
    has signed, is its checkpoint under its own good lines and no others: to this the
    witness adds its line, and this it keeps. ``reason`` is for people.
    """

    outcome: Outcome
    reason: str = ""
    size: int = 0
    note: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What a log reads in a witness's answer; the lines are not checked yet."""

    outcome: Outcome
    lines: tuple[bytes, ...] = ()
    size: int = 0


def format_request(request: AddCheckpoint) -> bytes:
    """Return the body to send."""
    lines = [b"%s%d" % (_OLD, request.old), *map(encode_base64, request.proof)]
    return b"\n".join(lines) + b"\n\n" + request.note


def parse_request(data: bytes) -> AddCheckpoint:
    """Return the parts of a request. Neither signature nor proof is checked.

    Raises:
        MalformedError: too long, or not in the form above and its only spelling.
    """
    if len(data) > MAX_REQUEST_BYTES:
        raise MalformedError(
            f"a request has at most {MAX_REQUEST_BYTES} bytes, got {len(data)}"
        )
    head, _, note = data.partition(b"\n\n")
    first, *hashes = head.split(b"\n")
    if not first.startswith(_OLD):
        raise MalformedError("expected a first line 'old <size>'")
    return AddCheckpoint(
        parse_decimal(first.removeprefix(_OLD)),
        tuple(map(decode_base64, hashes[: MAX_PROOF + 1])),
        note,
    )


def judge(
    request: AddCheckpoint,
    known_size: int,
    known_root: bytes,
    verifiers: Iterable[Verifier],
) -> Verdict:
    """Return whether a witness with this memory cosigns the checkpoint.

    ``known_size`` and ``known_root`` are those of the newest checkpoint that it
    cosigned for the request's origin; 0 and ``merkle.EMPTY_ROOT`` if there is none.
    ``verifiers`` are the keys of all logs that it witnesses, each named as its origin.
    """
    new = request.checkpoint
    # 1. The log is one of ours.
    keys = [key for key in verifiers if key.name == new.origin]
    if not keys:
        return Verdict(Outcome.UNKNOWN_LOG, "this witness does not know that log")
    # 2. The log has signed it. Lines of other keys are passed over.
    try:
        note = _keep_lines_of(request.note, keys)
    except (InvalidSignatureError, UnknownKeyError) as error:
        return Verdict(Outcome.NOT_SIGNED, str(error))
    # 3. The client speaks of the tree that we cosigned last.
    if request.old != known_size:
        reason = f"the newest size here is {known_size}"
        return Verdict(Outcome.OTHER_SIZE, reason, known_size, note)
    # 4. The new tree continues it. Equal sizes with other roots end here, too: the
    #    text of 2026 says so, while v1.0.0 answers 409, which asks to try again.
    try:
        check_consistency(known_size, known_root, new.size, new.root, request.proof)
    except ConsistencyError as error:
        return Verdict(Outcome.INCONSISTENT, str(error), known_size, note)
    return Verdict(Outcome.COSIGNED, "", new.size, note)


def format_answer(verdict: Verdict, lines: Iterable[bytes] = ()) -> bytes:
    """Return the body of the answer; ``lines`` are the cosignatures, if it is a yes."""
    if verdict.outcome is Outcome.COSIGNED:
        return b"".join(lines)
    if verdict.outcome is Outcome.OTHER_SIZE:
        return b"%d\n" % verdict.size
    return verdict.reason.encode() + b"\n"


def parse_answer(status: int, body: bytes) -> Answer:
    """Return what a witness answered.

    Raises:
        MalformedError: a status that the protocol does not know, or a body that does
            not go with it.
    """
    try:
        outcome = Outcome(status)
    except ValueError as e:
        raise MalformedError(f"expected a witness's answer, got status {status}") from e
    if len(body) > MAX_ANSWER_BYTES:
        raise MalformedError(f"an answer has at most {MAX_ANSWER_BYTES} bytes")
    if outcome not in {Outcome.COSIGNED, Outcome.OTHER_SIZE}:
        return Answer(outcome)
    if not body.endswith(b"\n"):
        raise MalformedError("expected a newline at the end of the answer")
    if outcome is Outcome.OTHER_SIZE:
        return Answer(outcome, size=parse_decimal(body[:-1]))
    lines = [line + b"\n" for line in body[:-1].split(b"\n")]
    return Answer(outcome, tuple(parse_signature(line).line for line in lines))


def pick_cosignature(
    note: bytes, lines: Iterable[bytes], verifier: Verifier
) -> tuple[bytes, int]:
    """Return this witness's line under ``note``, and its time in seconds.

    Lines of other keys are passed over; of several good ones the earliest is taken.

    Raises:
        MalformedError: ``note`` is no checkpoint, or a line of it is cut short.
        InvalidSignatureError: a line of the witness does not hold.
        UnknownKeyError: none is by the witness.
    """
    wanted = (verifier.name, verifier.key_id)
    dated = [
        (open_cosignature(add_cosignatures(note, [line]), verifier), line)
        for line in lines
        if _signed_by(line) == wanted
    ]
    if not dated:
        raise UnknownKeyError(
            f"expected a cosignature of {verifier.name}+{verifier.key_id.hex()}, "
            "got none"
        )
    time, line = min(dated)
    return line, time


def _signed_by(line: bytes) -> tuple[str, bytes]:
    signature = parse_signature(line)
    return signature.name, signature.key_id


def _keep_lines_of(data: bytes, keys: Iterable[Verifier]) -> bytes:
    """The note under the lines of these keys; each that stands there has to hold."""
    note = open_note(data, keys)
    known = {(key.name, key.key_id) for key in note.verifiers}
    lines = [s.line for s in note.signatures if (s.name, s.key_id) in known]
    return note.text + b"\n" + b"".join(dict.fromkeys(lines))
