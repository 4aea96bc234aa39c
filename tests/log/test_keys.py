"""Keys: a name, an id, a type, and a point that somebody can own."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.keys import Verifier

VECTORS = Path(__file__).parents[1] / "vectors"
OWN = json.loads((VECTORS / "own_vectors.json").read_text("utf-8"))
NOTES = json.loads((VECTORS / "signed_notes.json").read_text("utf-8"))

LOG = OWN["keys"]["log"]
SEED = bytes.fromhex(LOG["seed_hex"])
NAME = "consent.example.com/acme/2026"


def vkey(name: str, typed_key: bytes) -> str:
    """A verifier key whose id is right, whatever the key is."""
    key_id = hashlib.sha256(name.encode() + b"\n" + typed_key).hexdigest()[:8]
    return f"{name}+{key_id}+{base64.b64encode(typed_key).decode()}"


GOOD_KEY = Verifier.parse(LOG["vkey"]).public_key

# Every encoding of a point of order 1, 2, 4 or 8 (as libsodium lists them).
SMALL_ORDER = {
    "order 1": "01" + "00" * 31,
    "order 1, other sign": "01" + "00" * 30 + "80",
    "order 1, not reduced": "ee" + "ff" * 30 + "7f",
    "order 2": "ec" + "ff" * 30 + "7f",
    "order 2, other sign": "ec" + "ff" * 31,
    "order 4": "00" * 32,
    "order 4, other sign": "00" * 31 + "80",
    "order 4, not reduced": "ed" + "ff" * 30 + "7f",
    "order 8": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "order 8, other sign": (
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"
    ),
    "order 8, inverse": (
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
    ),
    "order 8, inverse, other sign": (
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
    ),
}

BAD_VKEYS = {
    "nothing": "",
    "no key": f"{NAME}+08659f1e",
    "id of another key": LOG["vkey"].replace("08659f1e", "08659f1f"),
    "id of another name": LOG["vkey"].replace("/2026", "/2027"),
    "id in upper case": LOG["vkey"].replace("08659f1e", "08659F1E"),
    "id too short": LOG["vkey"].replace("08659f1e", "8659f1e"),
    "stray last bits": LOG["vkey"][:-1] + "5",
    "newline after": LOG["vkey"] + "\n",
    "not ASCII": LOG["vkey"] + "é",
    "lone surrogate": LOG["vkey"] + "\ud800",
    "no name": vkey("", b"\x01" + GOOD_KEY),
    "space in the name": vkey("a b", b"\x01" + GOOD_KEY),
    "no-break space in the name": vkey("a\u00a0b", b"\x01" + GOOD_KEY),
    "line separator in the name": vkey("a\u2028b", b"\x01" + GOOD_KEY),
    "newline in the name": vkey("a\nb", b"\x01" + GOOD_KEY),
    "name of 513 characters": vkey("a" * 513, b"\x01" + GOOD_KEY),
    "no type": vkey(NAME, b""),
    "ECDSA": vkey(NAME, b"\x02" + GOOD_KEY),
    "RFC 6962 log": vkey(NAME, b"\x05" + GOOD_KEY),
    "key of 31 bytes": vkey(NAME, b"\x01" + GOOD_KEY[:31]),
    "key of 33 bytes": vkey(NAME, b"\x01" + GOOD_KEY + b"\x00"),
    "not on the curve": vkey(NAME, b"\x01" + b"\x02" + b"\x00" * 31),
    "y not reduced": vkey(NAME, b"\x01" + b"\xf0" + b"\xff" * 30 + b"\x7f"),
    "ML-DSA-44": NOTES["mldsa44_vkey"]["vkey"],
    **{bad["why"]: bad["vkey"] for bad in NOTES["bad_vkeys"]},
    **{
        name: vkey(NAME, b"\x01" + bytes.fromhex(point))
        for name, point in SMALL_ORDER.items()
    },
}


@pytest.mark.parametrize("which", ["log", "witness"])
def test_a_verifier_key_reads_back_as_it_was_written(which: str) -> None:
    known = OWN["keys"][which]
    verifier = Verifier.parse(known["vkey"])
    preimage = bytes.fromhex(known["key_id_preimage_hex"])

    assert verifier.vkey == known["vkey"]
    assert verifier.key_id == hashlib.sha256(preimage).digest()[:4]


def test_a_key_from_its_seed_is_the_key_of_the_vector() -> None:
    witness = OWN["keys"]["witness"]

    log_key = Ed25519Signer.from_seed(NAME, SEED)
    witness_key = Ed25519Signer.from_seed(
        "witness.example.org/w1",
        bytes.fromhex(witness["seed_hex"]),
        algorithm=Algorithm.COSIGNATURE_V1,
    )

    assert log_key.vkey == LOG["vkey"]
    assert witness_key.vkey == witness["vkey"]


@pytest.mark.requirement("R97")
@pytest.mark.parametrize("name", BAD_VKEYS)
def test_a_verifier_key_in_any_other_form_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        Verifier.parse(BAD_VKEYS[name])


def test_the_id_depends_on_the_type_so_a_witness_is_never_taken_for_a_log() -> None:
    log_key = Ed25519Signer.from_seed(NAME, SEED)
    witness_key = Ed25519Signer.from_seed(
        NAME, SEED, algorithm=Algorithm.COSIGNATURE_V1
    )

    assert log_key.key_id != witness_key.key_id
    assert log_key.verifier != witness_key.verifier


def test_a_signature_holds_for_its_message_and_its_key_alone() -> None:
    signer = Ed25519Signer.generate("a")
    signature = signer.sign(b"message")

    signer.verifier.verify(b"message", signature)
    for message, bad in {
        b"massage": signature,
        b"message": signature[:-1],
        b"": b"",
    }.items():
        with pytest.raises(InvalidSignatureError):
            signer.verifier.verify(message, bad)
    with pytest.raises(InvalidSignatureError):
        Ed25519Signer.generate("a").verifier.verify(b"message", signature)


def test_a_key_survives_its_pem() -> None:
    signer = Ed25519Signer.generate("a")

    assert Ed25519Signer.from_pem("a", signer.to_pem()).vkey == signer.vkey


def bad_pems() -> dict[str, bytes]:
    """What a key file may hold by mistake."""
    good = Ed25519Signer.generate("a")
    key = serialization.load_pem_private_key(good.to_pem(), password=None)
    pkcs8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    return {
        "nothing": b"",
        "text": b"secret\n",
        "public key": key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        "another curve's name": good.to_pem().replace(b"K2Vw", b"K2Vv"),
        "encrypted": key.private_bytes(
            *pkcs8, serialization.BestAvailableEncryption(b"password")
        ),
        "another curve": ec.generate_private_key(ec.SECP256R1()).private_bytes(
            *pkcs8, serialization.NoEncryption()
        ),
    }


@pytest.mark.parametrize("name", bad_pems())
def test_a_file_without_an_ed25519_key_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(MalformedError, match="key 'a/log': expected"):
        Ed25519Signer.from_pem("a/log", bad_pems()[name])


def test_a_seed_has_32_bytes() -> None:
    with pytest.raises(MalformedError, match="32 bytes, got 31"):
        Ed25519Signer.from_seed("a", bytes(31))


@pytest.mark.requirement("R97")
def test_a_signer_shows_its_public_half_only() -> None:
    signer = Ed25519Signer.from_seed(NAME, SEED)

    assert repr(signer) == f"Ed25519Signer({LOG['vkey']!r})"


SAID: dict[str, tuple[Callable[[], object], str]] = {
    "parts": (
        lambda: Verifier.parse("a+b"),
        "expected a verifier key name+id+base64",
    ),
    "id": (
        lambda: Verifier.parse(BAD_VKEYS["id of another key"]),
        f"verifier key of {NAME!r}: expected id 08659f1e",
    ),
    "type": (
        lambda: Verifier.parse(BAD_VKEYS["ECDSA"]),
        "expected a key of type 01 or 04, got 02",
    ),
    "no type": (
        lambda: Verifier.parse(BAD_VKEYS["no type"]),
        "expected a key of type 01 or 04, got none",
    ),
    "length": (
        lambda: Verifier.parse(BAD_VKEYS["key of 33 bytes"]),
        "expected a key of 32 bytes, got 33",
    ),
    "point": (
        lambda: Verifier.parse(BAD_VKEYS["order 8"]),
        "expected an Ed25519 point that is not of small order",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_refusal_says_what_was_expected(name: str) -> None:
    read, message = SAID[name]

    with pytest.raises(MalformedError) as caught:
        read()

    assert str(caught.value) == message


def test_a_witness_key_survives_its_pem_as_a_witness_key() -> None:
    made = Ed25519Signer.generate("w", algorithm=Algorithm.COSIGNATURE_V1)

    read = Ed25519Signer.from_pem(
        "w", made.to_pem(), algorithm=Algorithm.COSIGNATURE_V1
    )

    assert read.vkey == made.vkey
