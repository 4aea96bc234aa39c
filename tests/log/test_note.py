"""Signed notes: what opens, what does not, and for which reason."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.errors import VerificationError
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier
from consentkit.log.note import MAX_NOTE_BYTES
from consentkit.log.note import MAX_SIGNATURES
from consentkit.log.note import Signature
from consentkit.log.note import open_note
from consentkit.log.note import parse_signature
from consentkit.log.note import sign_note
from consentkit.log.note import split_note

VECTORS = Path(__file__).parents[1] / "vectors"
NOTES = json.loads((VECTORS / "signed_notes.json").read_text("utf-8"))["notes"]

ANNE = Ed25519Signer.from_seed("anne.example/log", bytes([1]) * 32)
BEN = Ed25519Signer.from_seed("ben.example/log", bytes([2]) * 32)

TEXT = b"one\ntwo\n"
GOOD = sign_note(TEXT, ANNE)
LINE = GOOD.removeprefix(TEXT + b"\n")

NOTE_TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], min_codepoint=32) | st.just("\n"),
    max_size=60,
).map(lambda text: text.encode() + b"\n")


def vector_bytes(vector: dict[str, Any]) -> bytes:
    if "note_base64" in vector:
        return base64.b64decode(vector["note_base64"])
    return str(vector["note"]).encode()


@pytest.mark.parametrize("vector", NOTES, ids=lambda vector: vector["name"])
def test_published_notes_open_exactly_when_they_should(vector: dict[str, Any]) -> None:
    verifier = Verifier.parse(vector["vkey"])
    data = vector_bytes(vector)

    if vector["valid"]:
        assert open_note(data, [verifier]).verified == (verifier.name,)
    elif vector.get("malformed"):
        with pytest.raises(MalformedError):
            split_note(data)
    else:
        with pytest.raises(VerificationError):
            open_note(data, [verifier])


@given(NOTE_TEXTS)
def test_what_is_signed_opens_to_the_same_text(text: bytes) -> None:
    note = open_note(sign_note(text, ANNE, BEN), [BEN.verifier, ANNE.verifier])

    assert note.text == text
    assert note.verified == (ANNE.name, BEN.name)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_note_with_one_byte_changed_opens(at: int, difference: int) -> None:
    changed = bytearray(GOOD)
    changed[at] ^= difference

    with pytest.raises(VerificationError):
        open_note(bytes(changed), [ANNE.verifier])


MALFORMED = {
    "nothing": b"",
    "newline only": b"\n",
    "text only": TEXT,
    "no signature line": TEXT + b"\n",
    "no empty line": TEXT + LINE,
    "no final newline": GOOD[:-1],
    "empty line after": GOOD + b"\n",
    "empty text": b"\n" + LINE,
    "line without dash": TEXT + b"\n" + LINE.replace("— ".encode(), b""),
    "hyphen for the dash": TEXT + b"\n" + LINE.replace("—".encode(), b"-"),
    "no space after the dash": TEXT + b"\n" + LINE.replace("— ".encode(), "—".encode()),
    "no name": TEXT + b"\n" + LINE.replace(ANNE.name.encode(), b""),
    "two spaces": TEXT + b"\n" + LINE.replace(b"log ", b"log  "),
    "space after": GOOD[:-1] + b" \n",
    "plus in the name": TEXT + b"\n" + LINE.replace(b"anne", b"an+e"),
    "name not UTF-8": TEXT + b"\n" + LINE.replace(b"anne", b"\xffnne"),
    "no base64": TEXT + "\n— anne.example/log\n".encode(),
    "key id cut short": TEXT + "\n— anne.example/log AAAA\n".encode(),
    "key id alone": TEXT + "\n— anne.example/log AAAAAA==\n".encode(),
    "URL base64": TEXT + "\n— anne.example/log -_-_-_-_\n".encode(),
    "unsigned text among the lines": GOOD + b"and more\n",
    "carriage returns": GOOD.replace(b"\n", b"\r\n"),
    "one carriage return": GOOD[:-1] + b"\r\n",
    "tab": b"\t" + GOOD,
    "zero byte": b"\x00" + GOOD,
    "U+2028 for the empty line": GOOD.replace(b"\n\n", "\n\u2028".encode()),
    "text not UTF-8": b"\xff" + GOOD,
    "one byte too long": b"x" * (MAX_NOTE_BYTES + 1 - len(GOOD)) + GOOD,
    "one line too many": TEXT + b"\n" + LINE * (MAX_SIGNATURES + 1),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_bytes_that_are_no_note_are_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        split_note(MALFORMED[name])


def test_notes_up_to_the_limits_open() -> None:
    longest = b"x" * (MAX_NOTE_BYTES - len(GOOD)) + TEXT

    assert len(sign_note(longest, ANNE)) == MAX_NOTE_BYTES
    assert len(split_note(TEXT + b"\n" + LINE * MAX_SIGNATURES).signatures) == 100


def test_stray_last_bits_of_a_signature_make_another_spelling() -> None:
    # 68 bytes end in one '=': the character before it has two unused bits.
    tail = GOOD[-3:-2]
    other = bytes([tail[0] + 1])

    with pytest.raises(MalformedError, match="unused last bits"):
        split_note(GOOD[:-3] + other + GOOD[-2:])


def test_the_last_empty_line_is_the_one_that_separates() -> None:
    text = b"one\n\n\ntwo\n\n"

    assert open_note(sign_note(text, ANNE), [ANNE.verifier]).text == text


def test_a_line_of_an_unknown_key_is_passed_over_and_kept() -> None:
    note = open_note(sign_note(TEXT, BEN, ANNE), [ANNE.verifier])

    assert note.verified == (ANNE.name,)
    assert [line.name for line in note.signatures] == [BEN.name, ANNE.name]


def test_a_known_key_that_fails_spoils_the_note_whatever_else_holds() -> None:
    forged = Signature(BEN.name, BEN.key_id, ANNE.sign(TEXT)).line

    with pytest.raises(InvalidSignatureError, match=r"ben\.example/log"):
        open_note(GOOD + forged, [ANNE.verifier, BEN.verifier])
    assert open_note(GOOD + forged, [ANNE.verifier]).verified == (ANNE.name,)


def test_the_second_line_of_one_key_is_checked_too_and_counts_once() -> None:
    forged = Signature(ANNE.name, ANNE.key_id, BEN.sign(TEXT)).line

    assert open_note(GOOD + LINE, [ANNE.verifier]).verified == (ANNE.name,)
    with pytest.raises(InvalidSignatureError):
        open_note(GOOD + forged, [ANNE.verifier])


def test_a_name_without_its_id_is_an_unknown_key() -> None:
    namesake = Ed25519Signer.from_seed(ANNE.name, bytes([3]) * 32)

    with pytest.raises(UnknownKeyError) as caught:
        open_note(GOOD, [namesake.verifier])

    assert str(caught.value) == (
        f"expected a signature of {ANNE.name}+{namesake.key_id.hex()}, "
        f"got only {ANNE.name}+{ANNE.key_id.hex()}"
    )


def test_without_any_key_nothing_opens() -> None:
    with pytest.raises(UnknownKeyError, match="expected a signature of a known key"):
        open_note(GOOD, [])


@pytest.mark.requirement("R97")
def test_the_old_and_the_new_key_of_one_name_sign_side_by_side() -> None:
    successor = Ed25519Signer.from_seed(ANNE.name, bytes([3]) * 32)
    data = sign_note(TEXT, ANNE, successor)

    for keys in ([ANNE], [successor], [ANNE, successor]):
        note = open_note(data, [key.verifier for key in keys])
        assert note.verifiers == tuple(key.verifier for key in keys)
        assert note.verified == (ANNE.name,)


def test_a_witness_key_neither_signs_nor_opens_a_note() -> None:
    witness = Ed25519Signer.generate("w", algorithm=Algorithm.COSIGNATURE_V1)

    with pytest.raises(MalformedError, match="signs cosignatures, not notes"):
        sign_note(TEXT, witness)
    with pytest.raises(MalformedError, match="opens cosignatures, not notes"):
        open_note(GOOD, [witness.verifier])


def test_two_keys_that_share_name_and_id_are_refused_as_ambiguous(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    namesake = Ed25519Signer.from_seed(ANNE.name, bytes([3]) * 32)
    monkeypatch.setattr(Verifier, "key_id", b"same")

    with pytest.raises(MalformedError, match="share one id"):
        open_note(GOOD, [ANNE.verifier, namesake.verifier])


def test_a_text_that_could_not_be_read_back_is_not_signed() -> None:
    for text in (b"", b"no newline", b"a\rb\n", b"\xff\n", b"x" * MAX_NOTE_BYTES):
        with pytest.raises(MalformedError):
            sign_note(text, ANNE)
    with pytest.raises(MalformedError):
        sign_note(TEXT)


def test_all_who_could_have_signed_and_all_who_did_are_named() -> None:
    third = Ed25519Signer.from_seed("third.example", bytes([3]) * 32)
    fourth = Ed25519Signer.from_seed("fourth.example", bytes([4]) * 32)

    with pytest.raises(UnknownKeyError) as caught:
        open_note(sign_note(TEXT, ANNE, BEN), [third.verifier, fourth.verifier])

    named = [f"{key.name}+{key.key_id.hex()}" for key in (third, fourth, ANNE, BEN)]
    assert str(caught.value) == (
        "expected a signature of {}, {}, got only {}, {}".format(*named)
    )


NO_PARTS = "expected a note: text, an empty line, signature lines"
NO_LINE = "expected a signature line: dash, name, base64, newline"
SAID: dict[str, tuple[Callable[[], object], str]] = {
    "no empty line": (lambda: split_note(MALFORMED["no empty line"]), NO_PARTS),
    "no line after it": (lambda: split_note(TEXT + b"\n"), NO_PARTS),
    "too many lines": (
        lambda: split_note(MALFORMED["one line too many"]),
        "a note has at most 100 signature lines, got 101",
    ),
    "too long": (
        lambda: split_note(MALFORMED["one byte too long"]),
        "a note has at most 65536 bytes, got 65537",
    ),
    "no line": (lambda: split_note(MALFORMED["hyphen for the dash"]), NO_LINE),
    "line cut short": (lambda: parse_signature(LINE[:-1]), NO_LINE),
    "no signature": (
        lambda: split_note(MALFORMED["key id alone"]),
        "expected a key id and a signature of 'anne.example/log'",
    ),
    "no newline": (
        lambda: split_note(MALFORMED["no final newline"]),
        "expected a newline at the end of the note",
    ),
    "control character": (
        lambda: split_note(MALFORMED["tab"]),
        "a note holds no control character but the newline",
    ),
    "no UTF-8": (lambda: split_note(MALFORMED["text not UTF-8"]), "a note is UTF-8"),
}


@pytest.mark.parametrize("name", SAID)
def test_a_refusal_says_what_was_expected(name: str) -> None:
    read, message = SAID[name]

    with pytest.raises(MalformedError) as caught:
        read()

    assert str(caught.value) == message
