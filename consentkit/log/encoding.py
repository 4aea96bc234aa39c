"""Decimal and base64 in exactly one spelling.

Python's own readers are generous: ``int`` takes ``+5``, ``5_0`` and Arabic digits,
base64 skips foreign characters and ignores stray last bits. Two readers that differ
there disagree about what was signed.
"""

from __future__ import annotations

import base64
import binascii
import re

from consentkit.errors import MalformedError

__all__ = [
    "decode_base64",
    "decode_base64url",
    "encode_base64",
    "encode_base64url",
    "parse_decimal",
]

# A tree has fewer than 2^63 leaves: 19 digits (C2SP tlog-proof: at most 63 hashes).
_DECIMAL = re.compile(rb"0|[1-9][0-9]{0,18}")
_MAX_DECIMAL = 2**63 - 1


def parse_decimal(data: bytes) -> int:
    """Return the number below 2^63 that ``data`` spells in ASCII digits.

    Raises:
        MalformedError: a sign, a leading zero, anything but 0-9, or too large.
    """
    if not _DECIMAL.fullmatch(data) or int(data) > _MAX_DECIMAL:
        raise MalformedError("expected a decimal number below 2^63, no leading zero")
    return int(data)


def encode_base64(data: bytes) -> bytes:
    """Return RFC 4648 §4 base64 with padding."""
    return base64.b64encode(data)


def decode_base64(data: bytes) -> bytes:
    """Return what ``data`` encodes (RFC 4648 §4, padded).

    Raises:
        MalformedError: foreign characters, wrong padding or stray last bits.
    """
    try:
        raw = base64.b64decode(data, validate=True)
    except binascii.Error as e:
        raise MalformedError("expected base64 (RFC 4648 §4) with padding") from e
    if encode_base64(raw) != data:
        raise MalformedError("expected base64 whose unused last bits are zero")
    return raw


def encode_base64url(data: bytes) -> str:
    """Return RFC 4648 §5 base64url without padding, as RFC 9901 writes it."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Return what ``text`` encodes (RFC 4648 §5, unpadded).

    Raises:
        MalformedError: foreign characters, padding or stray last bits.
    """
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as e:
        raise MalformedError("expected base64url (RFC 4648 §5) unpadded") from e
    if encode_base64url(raw) != text:
        raise MalformedError("expected base64url in its only spelling, unpadded")
    return raw
