"""What a recipient is shown together with data: one line, for an HTTP header.

::

    Consent-Release: <base64url>

It is canonical JSON of two texts, and sometimes more:

* ``statement``: a note of the collector, ``consentkit/release@v1`` and one line of
  canonical JSON: ``leaf``, the hash of the disclosure's leaf; ``until``, when the
  consent ends, in milliseconds; ``body``, the SHA-256 of what is handed over, or "".
* ``leaf``: the disclosure's leaf, which is a promise while it is not in the log; or
  ``proof`` in its place, the ``.tlog-proof`` that holds the leaf, once it is;
* ``entry``, where the leaf is of a batch and the line about one person in it: their
  entry with its way to the root in the leaf (``consentkit.audit.batch_proof``).

Reading it proves nothing yet: that is ``consentkit.audit.release``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.audit.batch_proof import EntryPath
from consentkit.core import canonical
from consentkit.errors import MalformedError
from consentkit.log.note import open_note
from consentkit.log.note import sign_note
from consentkit.log.proof import parse_proof

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.core.canonical import JSON
    from consentkit.log.keys import Signer
    from consentkit.log.keys import Verifier

__all__ = [
    "RELEASE_HEADER",
    "ReleaseProof",
    "Statement",
    "format_release",
    "open_statement",
    "parse_release",
    "sign_statement",
]

RELEASE_HEADER = "Consent-Release"
"""The HTTP header that it travels in."""

_CONTEXT = "consentkit/release@v1\n"
_MAX = 32_768  # characters; one with a long inclusion proof has some 6,000
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+\Z")
_HASH = re.compile(r"[0-9a-f]{64}\Z")
_PLACES = ("leaf", "proof")
_ENTRY = "entry"


@dataclass(frozen=True)
class Statement:
    """What the collector says besides the leaf.

    Raises:
        MalformedError: a hash or the time is none.
    """

    leaf: str
    until: int
    body: str = ""

    def __post_init__(self) -> None:
        """See ``Raises``."""
        hashes = [self.leaf, *([self.body] if self.body else [])]
        if not all(map(_HASH.match, hashes)):
            raise MalformedError("expected hashes of 64 hexadecimal digits")
        if not 0 < self.until <= canonical.MAX_INTEGER:
            raise MalformedError("expected 'until' in milliseconds since the epoch")

    @classmethod
    def of(cls, leaf: bytes, *, until: int, body: bytes | None) -> Statement:
        """The statement about a leaf with that hash, and the bytes handed over."""
        digest = "" if body is None else hashlib.sha256(body).hexdigest()
        return cls(leaf.hex(), until, digest)

    def binds(self, body: bytes) -> bool:
        """Whether these are the bytes that it speaks of."""
        return self.body == hashlib.sha256(body).hexdigest()


@dataclass(frozen=True)
class ReleaseProof:
    """The parts of a proof. ``leaf`` is the promise, or what the inclusion is of.

    Nothing of it is checked against a key.
    """

    leaf: bytes
    statement: bytes
    inclusion: bytes | None = None
    entry: EntryPath | None = None


def sign_statement(statement: Statement, signer: Signer) -> bytes:
    """The note of the collector."""
    line = canonical.encode(
        {"body": statement.body, "leaf": statement.leaf, "until": statement.until}
    )
    return sign_note(_CONTEXT.encode() + line + b"\n", signer)


def open_statement(note: bytes, verifiers: Iterable[Verifier]) -> Statement:
    """The statement in a note, if one of these keys signed it.

    Raises:
        VerificationError: none did, or it is not of that form.
    """
    text = open_note(note, verifiers).text
    head, line = _CONTEXT.encode(), text.removesuffix(b"\n")
    if not line.startswith(head):
        raise MalformedError(f"expected a note that begins with {_CONTEXT.strip()!r}")
    value = canonical.decode(line.removeprefix(head))
    if not isinstance(value, dict) or value.keys() != {"body", "leaf", "until"}:
        raise MalformedError("expected an object of body, leaf and until")
    body, leaf, until = value["body"], value["leaf"], value["until"]
    if not isinstance(body, str) or not isinstance(leaf, str):
        raise MalformedError("expected 'body' and 'leaf' as text")
    if not isinstance(until, int) or isinstance(until, bool):
        raise MalformedError("expected 'until' as a number")
    return Statement(leaf, until, body)


def format_release(proof: ReleaseProof) -> str:
    """Return the line."""
    place, text = ("leaf", proof.leaf)
    if proof.inclusion is not None:
        place, text = ("proof", proof.inclusion)
    value: dict[str, JSON] = {
        place: text.decode(),
        "statement": proof.statement.decode(),
    }
    if proof.entry is not None:
        value[_ENTRY] = proof.entry.to_dict()
    return base64.urlsafe_b64encode(canonical.encode(value)).decode().rstrip("=")


def parse_release(line: str) -> ReleaseProof:
    """Return the parts of the line.

    Raises:
        MalformedError: too long, or not in the form above and its only spelling.
    """
    if len(line) > _MAX or not _BASE64URL.match(line):
        raise MalformedError(f"expected base64url of at most {_MAX} characters")
    try:
        data = base64.urlsafe_b64decode(line + "=" * (-len(line) % 4))
    except binascii.Error as error:
        raise MalformedError("expected base64url") from error
    value = canonical.decode(data)
    if not isinstance(value, dict):
        raise MalformedError("expected an object")
    about = value.pop(_ENTRY, None)
    entry = EntryPath.from_dict(about) if isinstance(about, dict) else None
    texts = {name: text for name, text in value.items() if isinstance(text, str)}
    places = [each for each in _PLACES if each in texts]
    if len(places) != 1 or value.keys() != {"statement", *places} or len(texts) < 2:  # noqa: PLR2004  place and statement
        raise MalformedError("expected 'statement', and either 'leaf' or 'proof'")
    statement, text = texts["statement"].encode(), texts[places[0]].encode()
    proof = ReleaseProof(text, statement, entry=entry)
    if places == ["proof"]:
        leaf = parse_proof(text).extra
        if leaf is None:
            raise MalformedError("expected the leaf in the proof's 'extra' line")
        proof = ReleaseProof(leaf, statement, text, entry)
    if format_release(proof) != line:
        raise MalformedError("expected base64url without padding")
    return proof
