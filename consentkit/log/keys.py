"""Names, ids and Ed25519 keys (C2SP signed-note, "Verifier keys").

A key is known by its name and by an id of four bytes that also covers its type, so
a witness's key can never open a note, nor a log's key make a cosignature. The id is
a hint for choosing, not a proof: only the signature is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from importlib import import_module
from types import ModuleType
from typing import Protocol

from cryptography.exceptions import InternalError
from cryptography.exceptions import InvalidSignature
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.log.encoding import decode_base64
from consentkit.log.encoding import encode_base64

__all__ = ["Algorithm", "Ed25519Signer", "Signer", "Verifier", "check_key_name"]

_SEED_SIZE = 32
_PUBLIC_KEY_SIZE = 32

# Names are hosts and paths; a longer one only makes every signature line longer.
_MAX_NAME = 512

# A log of a million leaves has a few collectors; their keys are loaded once.
_LOADED_KEPT = 16

# Curve 25519: the field, and Edwards d (RFC 8032 §5.1).
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P

# The y of the eight points of small order. Under such a "key" a signature can be
# made that holds for many messages, by nobody in particular.
_Y8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER_Y = frozenset({0, 1, _P - 1, _Y8, _P - _Y8})


class Algorithm(IntEnum):
    """The signature types that we make and check."""

    ED25519 = 0x01
    COSIGNATURE_V1 = 0x04


class Signer(Protocol):
    """What signs: a key in memory, or whatever holds one (HSM, KMS)."""

    @property
    def name(self) -> str:
        """The key name that stands on the signature line."""

    @property
    def algorithm(self) -> Algorithm:
        """What this key may sign; enters the key id."""

    @property
    def key_id(self) -> bytes:
        """The four bytes in front of the signature."""

    @property
    def vkey(self) -> str:
        """The verifier key to hand out."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature of ``message``."""


@dataclass(frozen=True)
class Verifier:
    """A public key under its name; an object that exists is a usable key.

    Raises:
        MalformedError: bad name, unknown type, or a point that no honest key has.
    """

    name: str
    algorithm: Algorithm
    public_key: bytes

    def __post_init__(self) -> None:
        check_key_name(self.name)
        _check_point(self.public_key)

    @classmethod
    def parse(cls, vkey: str) -> Verifier:
        """Return the key that ``name+id+base64(type, key)`` stands for.

        Raises:
            MalformedError: any other form, a type other than 1 or 4, or an id that
                does not belong to this name and key.
        """
        parts = vkey.split("+", 2)  # base64 may hold further plus signs
        if len(parts) != 3:  # noqa: PLR2004 (the three parts named above)
            raise MalformedError("expected a verifier key name+id+base64")
        name, _, encoded = parts
        raw = decode_base64(encoded.encode("ascii", "replace"))
        verifier = cls(name, _algorithm(raw[:1]), raw[1:])
        if verifier.vkey != vkey:
            raise MalformedError(
                f"verifier key of {name!r}: expected id {verifier.key_id.hex()}"
            )
        return verifier

    @property
    def key_id(self) -> bytes:
        """SHA-256(name, newline, type, key), the first four bytes."""
        preimage = self.name.encode() + b"\n" + self._typed_key
        return hashlib.sha256(preimage).digest()[:4]

    @property
    def vkey(self) -> str:
        """The text form, as ``parse`` takes it."""
        encoded = encode_base64(self._typed_key).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @property
    def _typed_key(self) -> bytes:
        return bytes([self.algorithm]) + self.public_key

    def verify(self, message: bytes, signature: bytes) -> None:
        """Check a bare Ed25519 signature of exactly these bytes.

        Raises:
            InvalidSignatureError: it is not this key's signature of ``message``.
        """
        try:
            _loaded(self.public_key).verify(signature, message)
        except InvalidSignature as e:
            raise InvalidSignatureError(
                f"the signature of {self.name!r} does not match what it stands under"
            ) from e


class Ed25519Signer:
    """A private key in this process's memory.

    A key of type ``COSIGNATURE_V1`` is a witness's and signs cosignatures only.
    """

    def __init__(
        self,
        name: str,
        key: Ed25519PrivateKey,
        *,
        algorithm: Algorithm = Algorithm.ED25519,
    ) -> None:
        self._key = key
        self.verifier = Verifier(name, algorithm, key.public_key().public_bytes_raw())
        self.name = name
        self.algorithm = algorithm
        self.key_id = self.verifier.key_id
        self.vkey = self.verifier.vkey

    def __repr__(self) -> str:
        """Show the public half only."""
        return f"{type(self).__name__}({self.vkey!r})"

    @property
    def public_key(self) -> bytes:
        """The 32 bytes that anybody may know."""
        return self.verifier.public_key

    @classmethod
    def generate(
        cls, name: str, *, algorithm: Algorithm = Algorithm.ED25519
    ) -> Ed25519Signer:
        """Return a fresh key."""
        return cls(name, Ed25519PrivateKey.generate(), algorithm=algorithm)

    @classmethod
    def from_seed(
        cls, name: str, seed: bytes, *, algorithm: Algorithm = Algorithm.ED25519
    ) -> Ed25519Signer:
        """Return the key with these 32 secret bytes (RFC 8032 §5.1.5).

        Raises:
            MalformedError: the seed has another length, or the name is bad.
        """
        if len(seed) != _SEED_SIZE:
            raise MalformedError(f"expected a seed of 32 bytes, got {len(seed)}")
        key = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(name, key, algorithm=algorithm)

    @classmethod
    def from_pem(
        cls, name: str, pem: bytes, *, algorithm: Algorithm = Algorithm.ED25519
    ) -> Ed25519Signer:
        """Return the key in an unencrypted PKCS #8 PEM.

        Text may stand before it (RFC 7468 §2), as what kind of key it is.

        Raises:
            MalformedError: no such PEM, another kind of key, or a bad name.
        """
        try:
            key = _pem().load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm, InternalError) as e:
            # InternalError: 32 bytes that are said to be a key of Curve448
            raise MalformedError(
                f"key {name!r}: expected an unencrypted PKCS #8 PEM"
            ) from e
        if not isinstance(key, Ed25519PrivateKey):
            raise MalformedError(f"key {name!r}: expected Ed25519, got another kind")
        return cls(name, key, algorithm=algorithm)

    def to_pem(self) -> bytes:
        """Return the secret key as unencrypted PKCS #8; keep it out of databases."""
        pem = _pem()
        return self._key.private_bytes(
            pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption()
        )

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of ``message``."""
        return self._key.sign(message)


def check_key_name(name: str) -> None:
    """Refuse a name that could not stand on a signature line.

    Raises:
        MalformedError: empty, too long, or with white space, control characters,
            a plus sign or a lone surrogate.
    """
    clean = name.isprintable() and " " not in name and "+" not in name
    if not 1 <= len(name) <= _MAX_NAME or not clean:
        raise MalformedError(
            "expected a key name of 1 to 512 printable characters without space and +"
        )


@lru_cache(maxsize=_LOADED_KEPT)
def _loaded(public_key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key)


def _algorithm(data: bytes) -> Algorithm:
    try:
        return Algorithm(int.from_bytes(data, "big"))
    except ValueError as e:
        raise MalformedError(
            f"expected a key of type 01 or 04, got {data.hex() or 'none'}"
        ) from e


def _check_point(public_key: bytes) -> None:
    if len(public_key) != _PUBLIC_KEY_SIZE:
        raise MalformedError(f"expected a key of 32 bytes, got {len(public_key)}")
    y = int.from_bytes(public_key, "little") & (2**255 - 1)
    if y >= _P or y in _SMALL_ORDER_Y or not _is_on_curve(y):
        raise MalformedError("expected an Ed25519 point that is not of small order")


def _is_on_curve(y: int) -> bool:
    # RFC 8032 §5.1.3: x^2 = (y^2 - 1) / (d y^2 + 1) has to be a square; a product
    # is a square exactly when the quotient is (Euler's criterion).
    square = y * y % _P
    return pow((square - 1) * (_D * square + 1), (_P - 1) // 2, _P) == 1


def _pem() -> ModuleType:
    """The library's reader and writer of PEM files, loaded for those who need one.

    Who only verifies does not; it is a fifth of what importing the verifier takes.
    """
    return import_module("cryptography.hazmat.primitives.serialization")
