"""Proof files: leaf, path and checkpoint in one, and nothing beside them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import InclusionError
from consentkit.errors import MalformedError
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.keys import Verifier
from consentkit.log.merkle import check_inclusion
from consentkit.log.merkle import hash_leaf
from consentkit.log.proof import MAX_PROOF_BYTES
from consentkit.log.proof import TlogProof
from consentkit.log.proof import format_proof
from consentkit.log.proof import parse_proof

VECTORS = Path(__file__).parents[1] / "vectors"
OWN = json.loads((VECTORS / "own_vectors.json").read_text("utf-8"))

FILE = OWN["tlog_proof"]["file"].encode()
LEAF = bytes.fromhex(OWN["tlog_proof"]["leaf_hex"])
CHECKPOINT = OWN["checkpoint"]["signed"].encode()
HASH_LINE = FILE.split(b"\n")[3] + b"\n"


@pytest.mark.requirement("R49")
def test_the_published_proof_shows_its_leaf_in_the_signed_tree() -> None:
    proof = parse_proof(FILE)
    verifier = Verifier.parse(OWN["keys"]["log"]["vkey"])
    checkpoint = open_checkpoint(proof.checkpoint, [verifier])

    assert proof.extra == LEAF
    check_inclusion(
        hash_leaf(LEAF), proof.index, checkpoint.size, proof.proof, checkpoint.root
    )
    with pytest.raises(InclusionError):
        check_inclusion(
            hash_leaf(b"\x05"),
            proof.index,
            checkpoint.size,
            proof.proof,
            checkpoint.root,
        )


def test_the_published_proof_is_written_as_it_was_read() -> None:
    assert format_proof(parse_proof(FILE)) == FILE


@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63).map(tuple),
    st.none() | st.binary(min_size=1, max_size=200),
)
def test_every_proof_reads_back(
    index: int, hashes: tuple[bytes, ...], extra: bytes | None
) -> None:
    proof = TlogProof(index, hashes, CHECKPOINT, extra)

    assert parse_proof(format_proof(proof)) == proof


def test_the_largest_proof_is_within_the_limit() -> None:
    proof = TlogProof(2**63 - 1, (bytes(32),) * 63, CHECKPOINT, bytes(65_535))

    assert parse_proof(format_proof(proof)) == proof


BAD_FILES = {
    "nothing": b"",
    "checkpoint alone": CHECKPOINT,
    "another version": FILE.replace(b"@v1", b"@v2", 1),
    "byte order mark": b"\xef\xbb\xbf" + FILE,
    "carriage returns": FILE.replace(b"\n", b"\r\n"),
    "no index": FILE.replace(b"index 4\n", b""),
    "index twice": FILE.replace(b"index 4\n", b"index 4\nindex 4\n"),
    "index with plus": FILE.replace(b"index 4", b"index +4"),
    "index with leading zero": FILE.replace(b"index 4", b"index 04"),
    "index in Arabic digits": FILE.replace(b"index 4", "index ٤".encode()),
    "index with a second space": FILE.replace(b"index 4", b"index  4"),
    "index of 2^63": FILE.replace(b"index 4", b"index 9223372036854775808"),
    "negative index": FILE.replace(b"index 4", b"index -1"),
    "empty extra": FILE.replace(b"extra BA==", b"extra "),
    "extra with stray last bits": FILE.replace(b"extra BA==", b"extra BB=="),
    "extra after the index": FILE.replace(
        b"extra BA==\nindex 4\n", b"index 4\nextra BA==\n"
    ),
    "extra twice": FILE.replace(b"extra BA==\n", b"extra BA==\nextra BA==\n"),
    "hash of 31 bytes": FILE.replace(HASH_LINE, b"A" * 41 + b"A==\n"),
    "hash with stray last bits": FILE.replace(b"3ss=\n", b"3st=\n"),
    "64 hashes": FILE.replace(HASH_LINE, HASH_LINE * 64),
    "unknown line": FILE.replace(b"index 4\n", b"index 4\nnote hello\n"),
    "second empty line": FILE.replace(b"\n\n", b"\n\n\n", 1),
    "no empty line": FILE.replace(b"\n\n", b"\n", 1),
    "no checkpoint": FILE.replace(CHECKPOINT, b""),
    "checkpoint without signatures": FILE.replace(
        CHECKPOINT, OWN["checkpoint"]["text"].encode()
    ),
    "checkpoint with an extension line": FILE.replace(b"WW8=\n\n", b"WW8=\nmore\n\n"),
    "text after the checkpoint": FILE + b"more\n",
    "no final newline": FILE[:-1],
    "too long": FILE + b"\n" * MAX_PROOF_BYTES,
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_in_any_other_form_is_refused(name: str) -> None:
    assert BAD_FILES[name] != FILE
    with pytest.raises(MalformedError):
        parse_proof(BAD_FILES[name])


def test_a_proof_that_could_not_be_read_back_is_not_made() -> None:
    for index, hashes, extra in (
        (-1, (), None),
        (2**63, (), None),
        (0, (bytes(31),), None),
        (0, (bytes(32),) * 64, None),
        (0, (), b""),
        (0, (), bytes(65_536)),
    ):
        with pytest.raises(MalformedError):
            TlogProof(index, hashes, CHECKPOINT, extra)


SAID: dict[str, tuple[Callable[[], object], str]] = {
    "length": (
        lambda: parse_proof(b"x" * (MAX_PROOF_BYTES + 1)),
        f"a proof has at most {MAX_PROOF_BYTES} bytes, got {MAX_PROOF_BYTES + 1}",
    ),
    "first line": (
        lambda: parse_proof(BAD_FILES["another version"]),
        "expected the first line 'c2sp.org/tlog-proof@v1'",
    ),
    "index": (
        lambda: parse_proof(BAD_FILES["no index"]),
        "expected a line 'index <number>'",
    ),
    "index too large": (
        lambda: TlogProof(2**63, (), CHECKPOINT),
        "expected an index from 0 to 2^63-1",
    ),
    "hashes": (
        lambda: parse_proof(BAD_FILES["64 hashes"]),
        "expected at most 63 hashes, each of 32 bytes",
    ),
    "extra": (
        lambda: parse_proof(BAD_FILES["empty extra"]),
        "expected an extra of 1 to 65,535 bytes, or none",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_refusal_says_what_was_expected(name: str) -> None:
    read, message = SAID[name]

    with pytest.raises(MalformedError) as caught:
        read()

    assert str(caught.value) == message
