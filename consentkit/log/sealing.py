"""Private evidence: committed to in a leaf, kept encrypted, destroyed with its key.

A fact is a *disclosure* (RFC 9901 §4.2.1): salt, name and value, whose digest tells
nothing without the salt. The leaf holds one commitment over all digests of an act,
so that one fact can be shown without the others. The disclosures themselves are
encrypted under a data key of the person, which is wrapped by a key-encryption key;
erasing the wrapped data key erases them, and every proof still holds.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentkit.core import canonical
from consentkit.core.canonical import JSON
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.log.encoding import decode_base64url
from consentkit.log.encoding import encode_base64url

__all__ = [
    "Disclosure",
    "commit",
    "evidence_context",
    "new_data_key",
    "parse_disclosure",
    "seal",
    "unseal",
    "unwrap_key",
    "wrap_key",
]

# RFC 9901 §9.3 asks for 128 bits. Twice that: salts are the only secret that a
# digest has left once the rest of a person's data is known.
_SALT_BYTES = 32
_MIN_SALT_BYTES = 16

# A header, a user agent, a page address; not a document.
_MAX_DISCLOSURE = 16 * 1024

_KEY_BYTES = 32  # AES-256
_NONCE_BYTES = 12  # NIST SP 800-38D §8.2.2: random, 96 bits
_TAG_BYTES = 16

# Each kind of ciphertext and of hash has its own first line.
_EVIDENCE = b"consentkit/evidence@v1\n"
_DATA_KEY = b"consentkit/data-key@v1\n"


@dataclass(frozen=True)
class Disclosure:
    """One fact that can be shown on its own.

    Raises:
        MalformedError: no name, a salt under 128 bits, or too long a value.
    """

    salt: str
    name: str
    value: JSON

    def __post_init__(self) -> None:
        if len(decode_base64url(self.salt)) < _MIN_SALT_BYTES or not self.name:
            raise MalformedError("expected a salt of 16 bytes or more, and a name")
        if len(self.encoded) > _MAX_DISCLOSURE:
            raise MalformedError(
                f"a disclosure has at most {_MAX_DISCLOSURE} characters"
            )

    @classmethod
    def make(cls, name: str, value: JSON, salt: bytes | None = None) -> Disclosure:
        """Return a disclosure with a fresh salt, or with the given one."""
        salt = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
        return cls(encode_base64url(salt), name, value)

    @cached_property
    def encoded(self) -> str:
        """What is handed over: base64url of the array (RFC 9901 §4.2.1)."""
        return encode_base64url(canonical.encode([self.salt, self.name, self.value]))

    @cached_property
    def digest(self) -> str:
        """What is committed to (RFC 9901 §4.2.3)."""
        hashed = hashlib.sha256(self.encoded.encode("ascii"))
        return encode_base64url(hashed.digest())


def parse_disclosure(encoded: str) -> Disclosure:
    """Return the fact that was handed over; compare its digest with the commitment.

    Raises:
        MalformedError: not a disclosure in the spelling that ``encoded`` gives.
    """
    if len(encoded) > _MAX_DISCLOSURE:
        raise MalformedError(f"a disclosure has at most {_MAX_DISCLOSURE} characters")
    match canonical.decode(decode_base64url(encoded)):
        case [str(salt), str(name), value]:
            return Disclosure(salt, name, value)
    raise MalformedError("expected a disclosure: [salt, name, value]")


def commit(disclosures: Iterable[Disclosure], *, withheld: Iterable[str] = ()) -> str:
    """Return the commitment over all facts of one act, as 64 hex digits.

    ``withheld`` are the digests of facts that stay hidden: whoever was shown only
    some facts recomputes the leaf's ``evidence`` from those and these.

    Raises:
        MalformedError: a name or digest occurs twice, or a digest is none.
    """
    shown = list(disclosures)
    hidden = list(withheld)
    if any(len(decode_base64url(digest)) != _KEY_BYTES for digest in hidden):
        raise MalformedError("expected digests of 32 bytes in base64url")
    digests = [disclosure.digest for disclosure in shown] + hidden
    names = {disclosure.name for disclosure in shown}
    if len(names) < len(shown) or len(set(digests)) < len(digests):
        raise MalformedError("one act commits to each fact once")
    lines = "".join(f"{digest}\n" for digest in sorted(digests))
    return hashlib.sha256(_EVIDENCE + lines.encode("ascii")).hexdigest()


def evidence_context(log: str, leaf_id: str) -> bytes:
    """Return the associated data that ties evidence to its log and its leaf."""
    return _EVIDENCE + f"{log}\n{leaf_id}\n".encode()


def new_data_key() -> bytes:
    """Return 256 random bits."""
    return secrets.token_bytes(_KEY_BYTES)


def wrap_key(data_key: bytes, wrapping_key: bytes, context: bytes) -> bytes:
    """Return ``data_key`` encrypted under ``wrapping_key`` and bound to ``context``."""
    return seal(wrapping_key, _key(data_key), _DATA_KEY + context)


def unwrap_key(wrapped: bytes, wrapping_key: bytes, context: bytes) -> bytes:
    """Return the data key.

    Raises:
        MalformedError: ``wrapped`` is cut short, or what it holds is no key.
        InvalidSignatureError: another wrapping key or context, or altered.
    """
    return _key(unseal(wrapping_key, wrapped, _DATA_KEY + context))


def seal(data_key: bytes, data: bytes, context: bytes) -> bytes:
    """Return nonce and AES-256-GCM ciphertext of ``data``, bound to ``context``."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(_key(data_key)).encrypt(nonce, data, context)


def unseal(data_key: bytes, sealed: bytes, context: bytes) -> bytes:
    """Return what was sealed.

    Raises:
        MalformedError: ``sealed`` is cut short, or the key is none.
        InvalidSignatureError: sealed under another key or context, or altered.
    """
    if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
        raise MalformedError(f"expected 28 sealed bytes or more, got {len(sealed)}")
    nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(_key(data_key)).decrypt(nonce, ciphertext, context)
    except InvalidTag as e:
        raise InvalidSignatureError(
            "expected data sealed under this key for this context", step="sealing"
        ) from e


def _key(key: bytes) -> bytes:
    if len(key) != _KEY_BYTES:
        raise MalformedError(f"expected a key of 32 bytes, got {len(key)}")
    return key
