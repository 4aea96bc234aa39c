"""Cosignatures: what a witness says about a checkpoint, and when it said it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.cosignature import add_cosignatures
from consentkit.log.cosignature import cosign
from consentkit.log.cosignature import open_cosignature
from consentkit.log.cosignature import open_cosignatures
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier
from consentkit.log.note import Signature

VECTORS = Path(__file__).parents[1] / "vectors"
OWN = json.loads((VECTORS / "own_vectors.json").read_text("utf-8"))
NOTES = json.loads((VECTORS / "signed_notes.json").read_text("utf-8"))

SIGNED = OWN["checkpoint"]["signed"].encode()
BY_THE_LOG, _, WITNESS_LINE = SIGNED.partition("— witness".encode())
WITNESS_LINE = "— witness".encode() + WITNESS_LINE
WITNESS = Ed25519Signer.from_seed(
    "witness.example.org/w1",
    bytes.fromhex(OWN["keys"]["witness"]["seed_hex"]),
    algorithm=Algorithm.COSIGNATURE_V1,
)
NEW_YEAR = 1_767_225_600  # 2026-01-01T00:00:00Z


@pytest.mark.requirement("R98")
def test_the_cosignature_of_the_vector_is_ours() -> None:
    assert cosign(BY_THE_LOG, WITNESS, time=NEW_YEAR) == WITNESS_LINE
    assert add_cosignatures(BY_THE_LOG, [WITNESS_LINE]) == SIGNED
    assert open_cosignature(SIGNED, WITNESS.verifier) == NEW_YEAR


@pytest.mark.parametrize("vector", NOTES["cosignatures"])
def test_the_published_cosignature_opens(vector: dict[str, Any]) -> None:
    verifier = Verifier.parse(vector["vkey"])
    data = vector["checkpoint"].encode()

    assert open_cosignature(data, verifier) == vector["timestamp"]


@given(st.integers(0, 2**64 - 1))
def test_every_time_reads_back(time: int) -> None:
    line = cosign(BY_THE_LOG, WITNESS, time=time)

    assert open_cosignature(BY_THE_LOG + line, WITNESS.verifier) == time


@pytest.mark.parametrize("time", [-1, 2**64])
def test_a_time_that_does_not_fit_is_not_signed(time: int) -> None:
    with pytest.raises(MalformedError) as caught:
        cosign(BY_THE_LOG, WITNESS, time=time)

    assert str(caught.value) == "expected a time in seconds since the epoch"


def test_a_cosignature_with_another_time_does_not_hold() -> None:
    dated = (NEW_YEAR - 1).to_bytes(8, "big")
    signature = dated + WITNESS.sign(b"cosignature/v1\ntime 1\n")
    line = Signature(WITNESS.name, WITNESS.key_id, signature).line

    with pytest.raises(InvalidSignatureError):
        open_cosignature(BY_THE_LOG + line, WITNESS.verifier)


def test_a_cosignature_of_another_checkpoint_does_not_hold() -> None:
    other = BY_THE_LOG.replace(b"\n5\n", b"\n6\n")

    with pytest.raises(InvalidSignatureError):
        open_cosignature(other + WITNESS_LINE, WITNESS.verifier)


def test_a_plain_signature_of_the_witness_is_no_cosignature() -> None:
    text = OWN["checkpoint"]["text"].encode()
    line = Signature(WITNESS.name, WITNESS.key_id, WITNESS.sign(text)).line

    with pytest.raises(MalformedError, match="expected 72 bytes"):
        open_cosignature(BY_THE_LOG + line, WITNESS.verifier)


def test_of_two_cosignatures_of_one_witness_the_earlier_counts() -> None:
    later = cosign(BY_THE_LOG, WITNESS, time=NEW_YEAR + 60)
    data = add_cosignatures(SIGNED, [later])

    assert open_cosignature(data, WITNESS.verifier) == NEW_YEAR


def test_a_witness_that_has_not_signed_is_missed() -> None:
    other = Ed25519Signer.generate("w2", algorithm=Algorithm.COSIGNATURE_V1)

    with pytest.raises(UnknownKeyError, match="expected a cosignature of 'w2'"):
        open_cosignature(SIGNED, other.verifier)


def test_a_log_key_neither_makes_nor_opens_cosignatures() -> None:
    log_key = Ed25519Signer.generate("w1")

    with pytest.raises(MalformedError, match="witness's key"):
        cosign(BY_THE_LOG, log_key, time=NEW_YEAR)
    with pytest.raises(MalformedError, match="witness's key"):
        open_cosignature(SIGNED, log_key.verifier)


def test_adding_a_line_twice_changes_nothing_and_the_log_still_opens_it() -> None:
    log_key = Verifier.parse(OWN["keys"]["log"]["vkey"])

    assert add_cosignatures(SIGNED, [WITNESS_LINE, WITNESS_LINE]) == SIGNED
    assert open_checkpoint(SIGNED, [log_key]).size == 5


@pytest.mark.parametrize("line", [b"", b"\n", b"text\n", WITNESS_LINE[:-1]])
def test_what_is_no_signature_line_is_not_added(line: bytes) -> None:
    with pytest.raises(MalformedError):
        add_cosignatures(BY_THE_LOG, [line])


def test_a_note_that_is_no_checkpoint_is_not_cosigned() -> None:
    note = NOTES["notes"][0]["note"].encode()

    with pytest.raises(MalformedError, match="three lines"):
        cosign(note, WITNESS, time=NEW_YEAR)


def test_of_several_witnesses_those_that_cosigned_are_told_with_their_times() -> None:
    other = Ed25519Signer.from_seed("w2", b"2" * 32, algorithm=Algorithm.COSIGNATURE_V1)
    third = Ed25519Signer.from_seed("w3", b"3" * 32, algorithm=Algorithm.COSIGNATURE_V1)
    lines = [cosign(BY_THE_LOG, other, time=time) for time in (9, 7, 8)]
    keys = [key.verifier for key in (third, WITNESS, other)]

    data = add_cosignatures(SIGNED, lines)

    assert open_cosignatures(data, keys) == {
        WITNESS.verifier: NEW_YEAR,
        other.verifier: 7,
    }
    assert open_cosignatures(data, []) == {}
