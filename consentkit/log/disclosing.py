"""Facts that can be shown one by one, and the one commitment over them in a leaf.

A fact is a *disclosure* (RFC 9901 §4.2.1): salt, name and value, whose digest tells
nothing without the salt. The leaf holds one commitment over all digests of an act,
so that one fact can be shown without the others. To check one takes no cipher, hence
the two stand apart: ``sealing`` keeps what is not shown.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from consentkit.core import canonical
from consentkit.core.canonical import JSON
from consentkit.errors import MalformedError
from consentkit.log.encoding import decode_base64url
from consentkit.log.encoding import encode_base64url

__all__ = ["EVIDENCE", "Disclosure", "commit", "parse_disclosure"]

# RFC 9901 §9.3 asks for 128 bits. Twice that: salts are the only secret that a
# digest has left once the rest of a person's data is known.
_SALT_BYTES = 32
_MIN_SALT_BYTES = 16
_DIGEST_BYTES = 32  # SHA-256

# A header, a user agent, a page address; not a document.
_MAX_DISCLOSURE = 16 * 1024

EVIDENCE = b"consentkit/evidence@v1\n"
"""The first line of what is hashed, and of what evidence is sealed for."""


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
    if any(len(decode_base64url(digest)) != _DIGEST_BYTES for digest in hidden):
        raise MalformedError("expected digests of 32 bytes in base64url")
    digests = [disclosure.digest for disclosure in shown] + hidden
    names = {disclosure.name for disclosure in shown}
    if len(names) < len(shown) or len(set(digests)) < len(digests):
        raise MalformedError("one act commits to each fact once")
    lines = "".join(f"{digest}\n" for digest in sorted(digests))
    return hashlib.sha256(EVIDENCE + lines.encode("ascii")).hexdigest()
