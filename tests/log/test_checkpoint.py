"""Checkpoints: three lines, one spelling, signed by the log that they name."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier
from consentkit.log.merkle import EMPTY_ROOT
from consentkit.log.note import sign_note

VECTORS = Path(__file__).parents[1] / "vectors"
OWN = json.loads((VECTORS / "own_vectors.json").read_text("utf-8"))

ORIGIN = "consent.example.com/acme/2026"
LOG = Ed25519Signer.from_seed(ORIGIN, bytes.fromhex(OWN["keys"]["log"]["seed_hex"]))
OTHER = Ed25519Signer.from_seed("other.example/log", bytes([7]) * 32)
TEXT = OWN["checkpoint"]["text"].encode()
SIGNED = OWN["checkpoint"]["signed"].encode()
ROOT = bytes.fromhex(OWN["tree"]["roots"]["5"])
CHECKPOINT = Checkpoint(ORIGIN, 5, ROOT)

ROOT_LINE = base64.b64encode(ROOT)
EMPTY_LINE = base64.b64encode(EMPTY_ROOT)


@pytest.mark.requirement("R98")
def test_the_published_checkpoint_opens_with_the_key_of_its_log() -> None:
    verifier = Verifier.parse(OWN["keys"]["log"]["vkey"])

    assert open_checkpoint(SIGNED, [verifier], origin=ORIGIN) == CHECKPOINT


def test_signing_gives_the_bytes_of_the_vector() -> None:
    without_witness = SIGNED.rsplit("— witness".encode(), 1)[0]

    assert CHECKPOINT.text() == TEXT
    assert sign_checkpoint(CHECKPOINT, LOG) == without_witness


@given(
    st.integers(1, 2**63 - 1),
    st.binary(min_size=32, max_size=32).filter(lambda root: root != EMPTY_ROOT),
)
def test_every_checkpoint_reads_back(size: int, root: bytes) -> None:
    checkpoint = Checkpoint(ORIGIN, size, root)

    assert parse_checkpoint_text(checkpoint.text()) == checkpoint


def test_an_empty_log_has_a_checkpoint() -> None:
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)

    assert open_checkpoint(sign_checkpoint(empty, LOG), [LOG.verifier]) == empty


def lines(*parts: bytes) -> bytes:
    return b"\n".join(parts) + b"\n"


NAME = ORIGIN.encode()

BAD_TEXTS = {
    "nothing": b"",
    "two lines": lines(NAME, b"5"),
    "extension line": lines(NAME, b"5", ROOT_LINE, b"extension"),
    "empty line after": TEXT + b"\n",
    "no final newline": TEXT[:-1],
    "carriage returns": TEXT.replace(b"\n", b"\r\n"),
    "U+2028 between lines": TEXT.replace(b"\n", "\u2028".encode(), 1),
    "vertical tab between lines": TEXT.replace(b"\n", b"\x0b", 1),
    "empty origin": lines(b"", b"5", ROOT_LINE),
    "space in the origin": lines(b"go.sum database tree", b"5", ROOT_LINE),
    "plus in the origin": lines(b"a+b", b"5", ROOT_LINE),
    "origin not UTF-8": lines(b"\xff", b"5", ROOT_LINE),
    "size with plus": lines(NAME, b"+5", ROOT_LINE),
    "size with minus": lines(NAME, b"-5", ROOT_LINE),
    "size with leading zero": lines(NAME, b"05", ROOT_LINE),
    "size with space": lines(NAME, b" 5", ROOT_LINE),
    "size with underscore": lines(NAME, b"7_00", ROOT_LINE),
    "size in Arabic digits": lines(NAME, "\u0665".encode(), ROOT_LINE),
    "size in full-width digits": lines(NAME, "\uff15".encode(), ROOT_LINE),
    "size in hexadecimal": lines(NAME, b"0x5", ROOT_LINE),
    "size as a fraction": lines(NAME, b"5.0", ROOT_LINE),
    "size of 2^63": lines(NAME, b"9223372036854775808", ROOT_LINE),
    "no size": lines(NAME, b"", ROOT_LINE),
    "root with stray last bits": lines(NAME, b"5", ROOT_LINE[:-2] + b"9="),
    "root unpadded": lines(NAME, b"5", ROOT_LINE[:-1]),
    "root in hexadecimal": lines(NAME, b"5", ROOT.hex().encode()),
    "root of 31 bytes": lines(NAME, b"5", base64.b64encode(ROOT[1:])),
    "root of 33 bytes": lines(NAME, b"5", base64.b64encode(ROOT + b"x")),
    "space after the root": lines(NAME, b"5", ROOT_LINE + b" "),
    "size 0 with a root of something": lines(NAME, b"0", ROOT_LINE),
    "size 0 with zeroes": lines(NAME, b"0", base64.b64encode(bytes(32))),
    "size 5 with the root of nothing": lines(NAME, b"5", EMPTY_LINE),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_a_text_in_any_other_form_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        parse_checkpoint_text(BAD_TEXTS[name])


@pytest.mark.parametrize("size", [-1, 2**63])
def test_a_size_that_no_tree_has_makes_no_checkpoint(size: int) -> None:
    with pytest.raises(MalformedError, match=r"from 0 to 2\^63-1"):
        Checkpoint(ORIGIN, size, ROOT)


def test_a_good_signature_does_not_excuse_a_bad_text() -> None:
    extended = sign_note(TEXT + b"extension\n", LOG)

    with pytest.raises(MalformedError, match="three lines"):
        open_checkpoint(extended, [LOG.verifier])


def test_unsigned_text_before_the_signatures_is_refused() -> None:
    signed = sign_checkpoint(CHECKPOINT, LOG)

    for inserted in (b"\nunsigned\n", b"unsigned\n\n", b"\n\n"):
        tampered = signed.replace(b"\n\n", b"\n" + inserted, 1)
        with pytest.raises((MalformedError, InvalidSignatureError)):
            open_checkpoint(tampered, [LOG.verifier])


def test_a_checkpoint_signed_by_another_log_alone_is_refused() -> None:
    impostor = sign_note(TEXT, OTHER)

    with pytest.raises(UnknownKeyError, match="the log itself"):
        open_checkpoint(impostor, [LOG.verifier, OTHER.verifier])


def test_a_checkpoint_of_another_origin_than_expected_is_refused() -> None:
    with pytest.raises(MalformedError, match=r"expected a checkpoint of 'other\.e"):
        open_checkpoint(SIGNED, [LOG.verifier], origin="other.example/log")


def test_a_log_signs_under_its_own_name_only() -> None:
    with pytest.raises(MalformedError, match="expected a key named"):
        sign_checkpoint(CHECKPOINT, LOG, OTHER)


@pytest.mark.requirement("R97")
def test_during_a_change_of_keys_either_key_opens_the_checkpoint() -> None:
    successor = Ed25519Signer.from_seed(ORIGIN, bytes([8]) * 32)
    signed = sign_checkpoint(CHECKPOINT, LOG, successor)

    assert open_checkpoint(signed, [LOG.verifier]) == CHECKPOINT
    assert open_checkpoint(signed, [successor.verifier]) == CHECKPOINT


def test_who_signed_instead_of_the_log_is_named() -> None:
    third = Ed25519Signer.from_seed("third.example/log", bytes([9]) * 32)
    foreign = sign_note(TEXT, OTHER, third)

    with pytest.raises(UnknownKeyError) as caught:
        open_checkpoint(foreign, [OTHER.verifier, third.verifier])

    assert str(caught.value) == (
        f"expected a signature of {ORIGIN!r}, the log itself; "
        "got other.example/log, third.example/log"
    )


SAID: dict[str, tuple[Callable[[], object], str]] = {
    "size": (
        lambda: Checkpoint(ORIGIN, -1, ROOT),
        "expected a tree size from 0 to 2^63-1",
    ),
    "length of the root": (
        lambda: parse_checkpoint_text(BAD_TEXTS["root of 31 bytes"]),
        "expected a root of 32 bytes, got 31",
    ),
    "root of nothing": (
        lambda: parse_checkpoint_text(BAD_TEXTS["size 0 with zeroes"]),
        "size 0 goes with the empty tree's root, no other",
    ),
    "lines": (
        lambda: parse_checkpoint_text(BAD_TEXTS["extension line"]),
        "expected a checkpoint of three lines: origin, size, root",
    ),
    "origin": (
        lambda: parse_checkpoint_text(BAD_TEXTS["origin not UTF-8"]),
        "expected an origin in UTF-8",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_refusal_says_what_was_expected(name: str) -> None:
    read, message = SAID[name]

    with pytest.raises(MalformedError) as caught:
        read()

    assert str(caught.value) == message
