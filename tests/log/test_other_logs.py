"""Logs and requests that other programs wrote: we read them, and build the same."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from consentkit.errors import ConsistencyError
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.encoding import decode_base64
from consentkit.log.encoding import encode_base64
from consentkit.log.encoding import parse_decimal
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier
from consentkit.log.merkle import EMPTY_ROOT
from consentkit.log.merkle import check_consistency
from consentkit.log.merkle import check_inclusion
from consentkit.log.merkle import hash_leaf
from consentkit.log.merkle import prove_consistency
from consentkit.log.merkle import prove_inclusion
from consentkit.log.publisher import Frontier
from consentkit.log.publisher import plan
from consentkit.log.tiles import TileReader
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import entries_path

VECTORS = Path(__file__).parents[1] / "vectors"


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text("utf-8"))


TESSERA = vectors("tessera_testdata_log.json")
FILES = {path: base64.b64decode(data) for path, data in TESSERA["files_base64"].items()}
LEAVES = [leaf.encode() for leaf in TESSERA["leaves_utf8"]]
KEY = Verifier.parse(TESSERA["vkey"])


def checkpoint_at(size: int) -> Checkpoint:
    return open_checkpoint(FILES[f"checkpoint.{size}"], [KEY], origin=KEY.name)


def test_every_checkpoint_that_tessera_signed_opens() -> None:
    assert [checkpoint_at(size).size for size in range(16)] == list(range(16))
    assert open_checkpoint(FILES["checkpoint"], [KEY]) == checkpoint_at(15)


def test_with_tesseras_key_we_sign_its_very_bytes() -> None:
    seed = base64.b64decode(TESSERA["skey"].split("+", 4)[4])[1:]
    signer = Ed25519Signer.from_seed(KEY.name, seed)

    for size in range(16):
        assert (
            sign_checkpoint(checkpoint_at(size), signer) == FILES[f"checkpoint.{size}"]
        )


@pytest.mark.requirement("R98")
def test_leaf_by_leaf_we_publish_the_files_that_tessera_wrote() -> None:
    frontier = Frontier.empty()
    written: dict[str, bytes] = {}

    for leaf in LEAVES:
        publication = plan(KEY.name, frontier, [leaf])
        assert publication.checkpoint == checkpoint_at(publication.size)
        written |= publication.files
        frontier = publication.frontier

    assert written == {
        path: data for path, data in FILES.items() if path.startswith("tile/")
    }


def test_the_leaves_in_tesseras_bundle_are_proven_out_of_its_tiles() -> None:
    entries = decode_bundle(FILES[entries_path(0, 15)], count=15)
    checkpoint = checkpoint_at(15)
    reader = TileReader(FILES.__getitem__, 15)

    assert entries == LEAVES
    for index, leaf in enumerate(entries):
        proof = prove_inclusion(index, 15, reader)
        check_inclusion(hash_leaf(leaf), index, 15, proof, checkpoint.root)


def test_each_of_tesseras_checkpoints_continues_all_earlier_ones() -> None:
    for new in range(1, 16):
        reader = TileReader(FILES.__getitem__, new)
        for old in range(new + 1):
            proof = prove_consistency(old, new, reader)
            old_root, new_root = checkpoint_at(old).root, checkpoint_at(new).root
            check_consistency(old, old_root, new, new_root, proof)


TRANSCRIPT = vectors("witness_transcript.json")
OWN = vectors("own_vectors.json")


class Witness:
    """The checks of tlog-witness add-checkpoint, with our readers."""

    def __init__(self, verifier: Verifier) -> None:
        self.verifier = verifier
        self.latest = Checkpoint(verifier.name, 0, EMPTY_ROOT)

    def add_checkpoint(self, body: bytes) -> int:
        head, _, note = body.partition(b"\n\n")
        first, *proof = head.split(b"\n")
        old = parse_decimal(first.removeprefix(b"old "))
        try:
            new = open_checkpoint(note, [self.verifier], origin=self.verifier.name)
        except (InvalidSignatureError, UnknownKeyError, MalformedError):
            return 403
        if old != self.latest.size:
            return 409
        hashes = [decode_base64(line) for line in proof]
        try:
            check_consistency(old, self.latest.root, new.size, new.root, hashes)
        except ConsistencyError:
            return 422
        self.latest = new
        return 200


def test_a_witness_of_our_readers_answers_as_litewitness_did() -> None:
    verifier = Verifier(
        TRANSCRIPT["log_origin"],
        Algorithm.ED25519,
        bytes.fromhex(TRANSCRIPT["log_ed25519_public_key_hex"]),
    )
    witness = Witness(verifier)

    answers = [
        witness.add_checkpoint(step["request_body"].encode())
        for step in TRANSCRIPT["steps"]
    ]

    assert answers == [step["litewitness_status"] for step in TRANSCRIPT["steps"]]


def test_the_add_checkpoint_body_of_the_vector_is_built_from_our_parts() -> None:
    leaves = [bytes([i]) for i in range(5)]
    publication = plan("consent.example.com/acme/2026", Frontier.empty(), leaves)
    seed = bytes.fromhex(OWN["keys"]["log"]["seed_hex"])
    signer = Ed25519Signer.from_seed(publication.checkpoint.origin, seed)
    old = OWN["add_checkpoint"]["old_size"]

    reader = TileReader(publication.files.__getitem__, 5)
    lines = [b"old %d" % old]
    lines += map(encode_base64, prove_consistency(old, 5, reader))
    body = b"\n".join(lines) + b"\n\n" + sign_checkpoint(publication.checkpoint, signer)

    assert body == OWN["add_checkpoint"]["body"].encode()
