"""The readers of the log room: notes, leaves, checkpoints, proofs, tiles, policies."""

from __future__ import annotations

import json
from pathlib import Path

from consentkit.core import canonical
from consentkit.errors import VerificationError
from consentkit.log import encoding
from consentkit.log.batch import BatchEntry
from consentkit.log.batch import parse_entry
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.cosignature import open_cosignatures
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier
from consentkit.log.leaf import LEAF_HEADER
from consentkit.log.leaf import Leaf
from consentkit.log.leaf import open_leaf
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import split_leaf
from consentkit.log.leaf_grammar import check_body
from consentkit.log.leaf_spelling import read_usual
from consentkit.log.merkle import CompactRange
from consentkit.log.note import Note
from consentkit.log.note import Signature
from consentkit.log.note import UnverifiedNote
from consentkit.log.note import open_note
from consentkit.log.note import parse_signature
from consentkit.log.note import split_note
from consentkit.log.policy import Policy
from consentkit.log.policy import check_policy
from consentkit.log.policy import format_policy
from consentkit.log.policy import parse_policy
from consentkit.log.proof import format_proof
from consentkit.log.proof import parse_proof
from consentkit.log.sealing import Disclosure
from consentkit.log.sealing import parse_disclosure
from consentkit.log.sealing import seal
from consentkit.log.sealing import unseal
from consentkit.log.tiles import Tile
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import encode_bundle
from consentkit.log.tiles import parse_tile_path
from consentkit.log.witness import Answer
from consentkit.log.witness import format_request
from consentkit.log.witness import parse_answer
from consentkit.log.witness import parse_request
from consentkit.log.witness import pick_cosignature
from tests.audit.builder import EVIDENCE
from tests.audit.builder import cosigned
from tests.audit.builder import policy_of
from tests.audit.builder import whole_log
from tests.audit.builder import witness

from .target import Target
from .target import bytes_of
from .target import text_of

__all__ = ["LOG", "LOG_TARGETS", "NOTE", "RECEIPT"]

VECTORS = Path(__file__).parents[1] / "vectors"
OWN = json.loads((VECTORS / "own_vectors.json").read_text("utf-8"))
TRANSCRIPT = json.loads((VECTORS / "witness_transcript.json").read_text("utf-8"))

LOG = whole_log()
LEAVES = tuple(LOG.leaves)
NOTE = cosigned(LOG.checkpoint(), LOG.time // 1000 + 1, "w1", "w2")
RECEIPT = LOG.receipt(3)
WITNESS = witness("w1")
LINE = cosigned(LOG.checkpoint(), 5, "w1").removeprefix(LOG.checkpoint())
KEYS = (LOG.log_key.verifier, LOG.collector.verifier)
KEY, CONTEXT = bytes(32), b"context"
ASKED = OWN["add_checkpoint"]["body"].encode()
POLICIES = tuple(
    format_policy(policy)
    for policy in (Policy(), policy_of("w1", "w2"), policy_of("w1", threshold="any"))
)


def _note_again(note: UnverifiedNote | Note) -> bytes:
    return note.text + b"\n" + b"".join(each.line for each in note.signatures)


def _open_known_note(data: bytes) -> Note:
    note = open_note(data, KEYS)
    assert LOG.checkpoint().startswith(note.text + b"\n"), "no other text was signed"
    return note


def _open_known_checkpoint(data: bytes) -> None:
    checkpoint = open_checkpoint(data, KEYS)
    assert checkpoint.size == len(LEAVES)
    assert LOG.checkpoint().startswith(checkpoint.text())


def _open_known_cosignature(data: bytes) -> None:
    for time in open_cosignatures(data, [WITNESS.verifier]).values():
        assert time == LOG.time // 1000 + 1


def _pick_known_cosignature(data: bytes) -> None:
    line, time = pick_cosignature(LOG.checkpoint(), [data], WITNESS.verifier)
    assert (line, time) == (LINE, 5)


def _leaf_again(leaf: Leaf) -> bytes:
    lines = leaf.data.rpartition(b"\n\n")[2]
    text = LEAF_HEADER + b"\n" + canonical.encode(leaf.body) + b"\n"
    return text + b"\n" + lines


def _read_both_ways(data: bytes) -> None:
    """Whatever is read quickly is read thoroughly, to the same body and signatures."""
    usual = read_usual(data)
    if usual is None:
        read_leaf(data)
        return
    quick, body = usual
    thorough = split_note(data)
    line = thorough.text.removeprefix(LEAF_HEADER + b"\n").removesuffix(b"\n")
    assert quick == thorough
    assert body == canonical.decode(line)
    check_body(body)
    assert split_leaf(data)[1] == thorough


def _open_known_leaf(data: bytes) -> None:
    leaf = open_leaf(data, KEYS)
    assert any(data.startswith(each) for each in LEAVES), "only lines may be added"
    assert leaf.log == LOG.origin


def _read_policy(data: bytes) -> None:
    policy = parse_policy(data)
    assert parse_policy(format_policy(policy)) == policy


def _check_known_policy(data: bytes) -> None:
    try:
        check_policy(NOTE, parse_policy(data))
    except VerificationError:
        return


def _answer_again(answer: Answer) -> bytes:
    return b"".join(answer.lines) if answer.lines else b"%d\n" % answer.size


def _unseal_known(data: bytes) -> None:
    assert unseal(KEY, data, CONTEXT) == b"evidence"


def _tile_again(tile: Tile) -> bytes:
    return bytes_of(tile.path)


def _disclosure_again(disclosure: Disclosure) -> bytes:
    return bytes_of(disclosure.encoded)


def _verifier_again(verifier: Verifier) -> bytes:
    return bytes_of(verifier.vkey)


def _checkpoint_again(checkpoint: Checkpoint) -> bytes:
    return checkpoint.text()


def _signature_again(signature: Signature) -> bytes:
    return signature.line


def _range(size: int) -> bytes:
    return size.to_bytes(8, "big") + bytes(32) * size.bit_count()


LOG_TARGETS = (
    Target(
        "decimal",
        encoding.parse_decimal,
        (b"0", b"5", b"9223372036854775807"),
        lambda number: b"%d" % number,
    ),
    Target(
        "base64",
        encoding.decode_base64,
        (b"", b"AA==", b"AAE=", b"uFW0LWww9bCH4FJmeD+9bjlPe5JgE8yqZ3AKiwxaWW8="),
        encoding.encode_base64,
    ),
    Target(
        "base64url",
        lambda data: encoding.decode_base64url(text_of(data)),
        (b"", b"AA", b"AAE", b"_-_-"),
        lambda raw: bytes_of(encoding.encode_base64url(raw)),
    ),
    Target("note", split_note, (NOTE, LEAVES[3]), _note_again),
    Target("signature line", parse_signature, (LINE,), _signature_again),
    Target(
        "opened note",
        _open_known_note,
        (NOTE, LOG.checkpoint()),
        _note_again,
        (VerificationError,),
    ),
    Target(
        "checkpoint text",
        parse_checkpoint_text,
        (OWN["checkpoint"]["text"].encode(), NOTE.partition(b"\n\n")[0] + b"\n"),
        _checkpoint_again,
    ),
    Target(
        "opened checkpoint",
        _open_known_checkpoint,
        (NOTE,),
        refusals=(VerificationError,),
    ),
    Target(
        "cosignatures",
        _open_known_cosignature,
        (NOTE,),
        refusals=(VerificationError,),
    ),
    Target(
        "cosignature of an answer",
        _pick_known_cosignature,
        (LINE,),
        refusals=(VerificationError,),
    ),
    Target(
        "proof",
        parse_proof,
        (OWN["tlog_proof"]["file"].encode(), RECEIPT),
        format_proof,
    ),
    Target(
        "tile path",
        lambda data: parse_tile_path(text_of(data)),
        (
            b"tile/0/000",
            b"tile/7/x001/x234/067.p/255",
            b"tile/entries/x001/000.p/1",
        ),
        _tile_again,
    ),
    Target(
        "bundle, after its count less one",
        lambda data: decode_bundle(data[1:], count=data[0] + 1 if data else 1),
        (
            b"\x02" + encode_bundle([b"", b"a", b"bc"]),
            bytes([len(LEAVES) - 1]) + encode_bundle(LEAVES),
        ),
        lambda entries: bytes([len(entries) - 1]) + encode_bundle(entries),
    ),
    Target(
        "entry of a batch",
        parse_entry,
        (BatchEntry("1" * 32, "2" * 32, "3" * 64, "a" * 64).line,),
        lambda entry: entry.line,
    ),
    Target(
        "verifier key",
        lambda data: Verifier.parse(text_of(data)),
        (LOG.log_key.vkey.encode(), WITNESS.vkey.encode()),
        _verifier_again,
    ),
    Target(
        "PEM of a signing key",
        lambda data: Ed25519Signer.from_pem("a/log", data),
        (LOG.log_key.to_pem(),),
    ),
    Target("leaf", read_leaf, LEAVES, _leaf_again),
    Target("leaf, read quickly and thoroughly", _read_both_ways, LEAVES),
    Target("opened leaf", _open_known_leaf, LEAVES, refusals=(VerificationError,)),
    Target(
        "compact range",
        CompactRange.from_bytes,
        (_range(0), _range(1), _range(7), _range(2**63)),
        CompactRange.to_bytes,
    ),
    Target("policy", _read_policy, POLICIES),
    Target("policy on a checkpoint", _check_known_policy, POLICIES),
    Target(
        "witness request",
        parse_request,
        (ASKED, TRANSCRIPT["steps"][0]["request_body"].encode()),
        format_request,
    ),
    Target(
        "witness answer, a yes",
        lambda data: parse_answer(200, data),
        (OWN["add_checkpoint"]["response"].encode(), LINE + LINE),
        _answer_again,
    ),
    Target(
        "witness answer, another size",
        lambda data: parse_answer(409, data),
        (b"0\n", b"40\n"),
        _answer_again,
    ),
    Target(
        "disclosure",
        lambda data: parse_disclosure(text_of(data)),
        tuple(each.encoded.encode() for each in EVIDENCE),
        _disclosure_again,
    ),
    Target(
        "sealed evidence",
        _unseal_known,
        (seal(KEY, b"evidence", CONTEXT),),
        refusals=(VerificationError,),
    ),
)
