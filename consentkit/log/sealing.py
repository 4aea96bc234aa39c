"""Private evidence: committed to in a leaf, kept encrypted, destroyed with its key.

The leaf holds one commitment over the facts of an act (``disclosing``). The facts
themselves are encrypted under a data key of the person, which is wrapped by a
key-encryption key; erasing the wrapped data key erases them, and every proof still
holds.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.log.disclosing import EVIDENCE
from consentkit.log.disclosing import Disclosure
from consentkit.log.disclosing import commit
from consentkit.log.disclosing import parse_disclosure

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

_KEY_BYTES = 32  # AES-256
_NONCE_BYTES = 12  # NIST SP 800-38D §8.2.2: random, 96 bits
_TAG_BYTES = 16

# Each kind of ciphertext has its own first line.
_DATA_KEY = b"consentkit/data-key@v1\n"


def evidence_context(log: str, leaf_id: str) -> bytes:
    """Return the associated data that ties evidence to its log and its leaf."""
    return EVIDENCE + f"{log}\n{leaf_id}\n".encode()


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
