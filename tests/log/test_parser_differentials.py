"""Attack: bytes that one reader takes for something and another for something else.

Whoever gets a log to sign, or a verifier to read, such bytes has two truths under one
signature. Each text here bears a *good* signature of the log: the spelling alone has
to be enough to refuse it, wherever a checkpoint is read.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consentkit.errors import MalformedError
from consentkit.errors import VerificationError
from consentkit.log.checkpoint import Checkpoint
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.encoding import encode_base64
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier
from consentkit.log.merkle import check_consistency
from consentkit.log.merkle import check_inclusion
from consentkit.log.note import Signature
from consentkit.log.note import open_note
from consentkit.log.proof import parse_proof
from consentkit.log.witness import parse_request

VECTORS = Path(__file__).parents[1] / "vectors"

LOG = Ed25519Signer.from_seed("log.example/1", bytes([1]) * 32)
ROOT = bytes([7]) * 32
ROOT_LINE = encode_base64(ROOT)
TEXT = Checkpoint(LOG.name, 5, ROOT).text()
GOOD = sign_checkpoint(Checkpoint(LOG.name, 5, ROOT), LOG)
LINE = GOOD.removeprefix(TEXT + b"\n")


def vectors(name: str) -> Any:
    return json.loads((VECTORS / name).read_text("utf-8"))


def signed(text: bytes) -> bytes:
    """Any text with a good signature of the log, as a careless log would make it."""
    return text + b"\n" + Signature(LOG.name, LOG.key_id, LOG.sign(text)).line


def size(spelled: str) -> bytes:
    return signed(TEXT.replace(b"\n5\n", f"\n{spelled}\n".encode()))


def damaged_base64(encoded: bytes) -> bytes:
    """The same bytes in another spelling: the unused last bits are not zero."""
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = encoded.rstrip(b"=")
    other = body[:-1] + letters[letters.index(body[-1:]) + 1 :][:1]
    other += encoded[len(body) :]
    assert base64.b64decode(other) == base64.b64decode(encoded)
    return other


DIFFERENTIALS: dict[str, bytes] = {
    "size +5": size("+5"),
    "size 05": size("05"),
    "size in Arabic digits": size("\u0665"),
    "size in full-width digits": size("\uff15"),
    "size with a space before": size(" 5"),
    "size with a space after": size("5 "),
    "size with an underscore": size("0_5"),
    "size as a fraction": size("5.0"),
    "size beyond 2^63": size("18446744073709551621"),
    "CRLF everywhere": signed(TEXT.replace(b"\n", b"\r\n")),
    "CRLF after the size": size("5\r"),
    "U+2028 for a newline": signed(TEXT.replace(b"\n5", "\u20285".encode())),
    "U+0085 for a newline": signed(TEXT.replace(b"\n5", "\u00855".encode())),
    "form feed for a newline": signed(TEXT.replace(b"\n5", b"\x0c5")),
    "byte order mark": signed(b"\xef\xbb\xbf" + TEXT),
    "extension line": signed(TEXT + b"extension\n"),
    "empty line in the text": signed(TEXT + b"\nmore\n"),
    "no final newline": GOOD[:-1],
    "CRLF at the end": GOOD[:-1] + b"\r\n",
    "empty line at the end": GOOD + b"\n",
    "no empty line": TEXT + LINE,
    "unsigned text for the empty line": TEXT + b"unsigned\n" + LINE,
    "unsigned text before the signatures": TEXT + b"\nunsigned\n" + LINE,
    "unsigned text between the signatures": GOOD + b"unsigned\n" + LINE,
    "unsigned text after the signatures": GOOD + b"unsigned\n",
    "unsigned text before it all": b"unsigned\n\n" + GOOD,
    "trailing bits in the root": signed(
        TEXT.replace(ROOT_LINE, damaged_base64(ROOT_LINE))
    ),
    "trailing bits in the signature": GOOD.replace(
        LINE,
        LINE[:-1].rpartition(b" ")[0]
        + b" "
        + damaged_base64(LINE[:-1].rpartition(b" ")[2])
        + b"\n",
    ),
    "root without padding": signed(TEXT.replace(b"=", b"")),
    "root in base64url": signed(TEXT.replace(ROOT_LINE, b"_" * 43 + b"=")),
    "newline in the signature's base64": GOOD[:-20] + b"\n" + GOOD[-20:],
    "hyphen for the dash": GOOD.replace("—".encode(), b"-"),
    "name that looks like the log's": GOOD.replace(b"log.", "l\u043eg.".encode()),
}


def in_a_proof(note: bytes) -> bytes:
    return b"c2sp.org/tlog-proof@v1\nindex 4\n\n" + note


def in_a_request(note: bytes) -> bytes:
    return b"old 0\n\n" + note


def test_the_checkpoint_in_its_only_spelling_is_read_everywhere() -> None:
    assert open_checkpoint(GOOD, [LOG.verifier]).size == 5
    assert parse_proof(in_a_proof(GOOD)).checkpoint == GOOD
    assert parse_request(in_a_request(GOOD)).checkpoint.size == 5


@pytest.mark.requirement("R98")
@pytest.mark.parametrize("name", DIFFERENTIALS)
def test_a_checkpoint_that_two_readers_could_read_differently_is_refused(
    name: str,
) -> None:
    data = DIFFERENTIALS[name]
    assert data != GOOD

    with pytest.raises(VerificationError):
        open_checkpoint(data, [LOG.verifier])


LOOK_ALIKE = "name that looks like the log's"


@pytest.mark.parametrize("name", sorted(DIFFERENTIALS.keys() - {LOOK_ALIKE}))
def test_nor_is_it_read_as_part_of_a_receipt_or_of_a_request(name: str) -> None:
    """Names are octets; who else's they look like, the key that opens it decides."""
    for read, around in ((parse_proof, in_a_proof), (parse_request, in_a_request)):
        with pytest.raises(MalformedError):
            read(around(DIFFERENTIALS[name]))


WRONG_KEYS: dict[str, str] = {
    "id of another key": LOG.vkey.replace(f"+{LOG.key_id.hex()}+", "+00000000+"),
    "id in capitals": LOG.vkey.replace(LOG.key_id.hex(), LOG.key_id.hex().upper()),
    "id of another name": LOG.vkey.replace("log.example/1", "log.example/2"),
    "trailing newline": f"{LOG.vkey}\n",
    **{bad["why"]: bad["vkey"] for bad in vectors("signed_notes.json")["bad_vkeys"]},
}


@pytest.mark.requirement("R97")
@pytest.mark.parametrize("name", WRONG_KEYS)
def test_a_key_whose_id_is_not_its_own_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        Verifier.parse(WRONG_KEYS[name])


def _raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _open_vector(vector: dict[str, Any]) -> None:
    given = vector.get("note_base64")
    data = base64.b64decode(given) if given else str(vector["note"]).encode()
    open_note(data, [Verifier.parse(vector["vkey"])])


def _check_inclusion(case: dict[str, Any]) -> None:
    proof = [_raw(each) for each in case["proof"] or []]
    leaf, root = _raw(case["leafHash"]), _raw(case["root"])
    check_inclusion(leaf, case["leafIdx"], case["treeSize"], proof, root)


def _check_consistency(case: dict[str, Any]) -> None:
    proof = [_raw(each) for each in case["proof"] or []]
    old, new = _raw(case["root1"]), _raw(case["root2"])
    check_consistency(case["size1"], old, case["size2"], new, proof)


def upstream() -> dict[str, tuple[Callable[[dict[str, Any]], None], dict[str, Any]]]:
    """Everything that other implementations publish as to be refused."""
    notes = vectors("signed_notes.json")["notes"]
    found = {
        f"note: {each['name']}": (_open_vector, each)
        for each in notes
        if not each["valid"]
    }
    for name, check in (
        ("inclusion", _check_inclusion),
        ("consistency", _check_consistency),
    ):
        for case in vectors(f"merkle_{name}.json")["cases"]:
            if case["wantErr"]:
                found[f"{name}: {case['file']}"] = check, case
    return found


UPSTREAM = upstream()


def test_there_are_as_many_published_bad_inputs_as_ever() -> None:
    """A vector that is no longer read, for a changed key in its file, shows nothing."""
    kinds = [name.partition(":")[0] for name in UPSTREAM]

    assert {kind: kinds.count(kind) for kind in kinds} == {
        "note": 10,
        "inclusion": 92,
        "consistency": 92,
    }


@pytest.mark.parametrize("name", UPSTREAM)
def test_what_others_publish_as_bad_is_refused(name: str) -> None:
    check, case = UPSTREAM[name]

    with pytest.raises(VerificationError):
        check(case)
