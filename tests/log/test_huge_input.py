"""Attack: denial of service by inputs that are larger, or deeper, than any honest one.

Each reader has its limit beside it, and looks at the length before it looks at the
bytes. At the limit it still reads; one more is refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from consentkit.core import canonical
from consentkit.errors import MalformedError
from consentkit.log import policy
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.encoding import encode_base64
from consentkit.log.encoding import encode_base64url
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import check_key_name
from consentkit.log.leaf import read_leaf
from consentkit.log.merkle import MAX_PROOF
from consentkit.log.note import MAX_NOTE_BYTES
from consentkit.log.note import MAX_SIGNATURES
from consentkit.log.note import split_note
from consentkit.log.proof import MAX_PROOF_BYTES
from consentkit.log.proof import parse_proof
from consentkit.log.sealing import parse_disclosure
from consentkit.log.tiles import MAX_ENTRY_BYTES
from consentkit.log.tiles import encode_bundle
from consentkit.log.tiles import parse_tile_path
from consentkit.log.witness import MAX_ANSWER_BYTES
from consentkit.log.witness import MAX_REQUEST_BYTES
from consentkit.log.witness import parse_answer
from consentkit.log.witness import parse_request

LOG = Ed25519Signer.from_seed("log.example/1", bytes([1]) * 32)
NOTE = sign_checkpoint(Checkpoint(LOG.name, 5, bytes([7]) * 32), LOG)
LINE = NOTE.rpartition(b"\n\n")[2]
HASH = encode_base64(bytes(32)) + b"\n"


def note(size: int) -> bytes:
    return b"x" * (size - len(NOTE)) + NOTE


def note_with_lines(count: int) -> bytes:
    return b"text\n\n" + LINE * count


def proof(count: int) -> bytes:
    return b"c2sp.org/tlog-proof@v1\nindex 4\n" + HASH * count + b"\n" + NOTE


def extra(size: int) -> bytes:
    encoded = encode_base64(bytes(size))
    return b"c2sp.org/tlog-proof@v1\nextra " + encoded + b"\nindex 4\n\n" + NOTE


def request(count: int) -> bytes:
    return b"old 3\n" + HASH * count + b"\n" + NOTE


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def witnesses(size: int) -> bytes:
    end = b"quorum none\n"
    return b"#" * (size - len(end) - 1) + b"\n" + end


# what -> (reader, how an input of a size is made, the largest size that is read)
LIMITS: dict[str, tuple[Callable[[bytes], object], Callable[[int], bytes], int]] = {
    "bytes of a note": (split_note, note, 64 * 1024),
    "signature lines of a note": (split_note, note_with_lines, 100),
    "hashes of a proof": (parse_proof, proof, 63),
    "bytes of the leaf in a receipt": (parse_proof, extra, 65_535),
    "hashes of a request": (parse_request, request, 63),
    "bytes of an entry": (lambda data: encode_bundle([data]), bytes, 65_535),
    "depth of JSON": (canonical.decode, nested, 16),
    "bytes of a policy": (policy.parse_policy, witnesses, 64 * 1024),
    "characters of a key name": (
        lambda data: check_key_name(data.decode()),
        lambda size: b"n" * size,
        512,
    ),
    "groups of digits in a tile's path": (
        lambda data: parse_tile_path(data.decode()),
        lambda groups: b"tile/0/" + b"x001/" * (groups - 1) + b"001",
        7,
    ),
}


@pytest.mark.parametrize("what", LIMITS)
def test_at_its_limit_an_input_is_read_and_one_more_is_refused(what: str) -> None:
    read, make, largest = LIMITS[what]

    read(make(largest))
    with pytest.raises(MalformedError):
        read(make(largest + 1))


def test_the_limits_are_those_that_auditors_are_told() -> None:
    assert (MAX_NOTE_BYTES, MAX_ENTRY_BYTES, MAX_PROOF) == (65_536, 65_535, 63)
    assert MAX_SIGNATURES >= 16, "signed-note: verifiers take sixteen lines at least"
    assert canonical.MAX_DEPTH == 16


MEGABYTE = 1 << 20
FLOODS: dict[str, bytes] = {
    "zeroes": bytes(MEGABYTE),
    "newlines": b"\n" * MEGABYTE,
    "a line without end": b"x" * MEGABYTE + b"\n",
    "signature lines": NOTE + LINE * (MEGABYTE // len(LINE)),
    "hashes": b"old 0\n" + HASH * (MEGABYTE // len(HASH)) + b"\n" + NOTE,
    "hashes of a receipt": proof(MEGABYTE // len(HASH)),
    "digits": b"9" * MEGABYTE,
    "depth": b"[" * MEGABYTE,
    "objects": b'{"a":' * (MEGABYTE // 5),
    "an entry's length without the entry": b"\xff\xff",
    "groups": b"group g any g\n" * (MEGABYTE // 14) + b"quorum none\n",
}
READERS: dict[str, Callable[[bytes], object]] = {
    "note": split_note,
    "leaf": read_leaf,
    "receipt": parse_proof,
    "request": parse_request,
    "answer": lambda data: parse_answer(200, data),
    "size in an answer": lambda data: parse_answer(409, data),
    "policy": policy.parse_policy,
    "disclosure": lambda data: parse_disclosure(encode_base64url(data)),
    "JSON": canonical.decode,
}


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("reader", READERS)
def test_a_flood_is_refused_before_it_costs_anything(reader: str, flood: str) -> None:
    begin = time.process_time()

    with pytest.raises(MalformedError):
        READERS[reader](FLOODS[flood])

    assert time.process_time() - begin < 1.0


def test_no_limit_of_a_file_is_below_what_it_has_to_hold() -> None:
    beside_the_note = len(extra(65_535)) - len(NOTE) + len(HASH) * 63

    assert beside_the_note + MAX_NOTE_BYTES <= MAX_PROOF_BYTES
    assert len(request(63)) - len(NOTE) + MAX_NOTE_BYTES <= MAX_REQUEST_BYTES
    assert len(LINE) * MAX_SIGNATURES <= MAX_ANSWER_BYTES
