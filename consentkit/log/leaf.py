"""A leaf: one act as a signed note, kept as bytes for ever.

::

    consentkit/leaf@v1
    {"assurance":"session",…,"time":1767225600123}        one line, canonical JSON
                                                          an empty line
    — <origin>/collector/<name> <base64>

The first line is type and version: two lines can never be read as a checkpoint, and
a reader refuses every first line but this one. The bytes are stored and hashed as
they were signed; nothing rebuilds them.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from types import MappingProxyType
from typing import Any

from consentkit.core import canonical
from consentkit.core.act import Kind
from consentkit.errors import MalformedError
from consentkit.errors import UnknownKeyError
from consentkit.log.keys import Signer
from consentkit.log.keys import Verifier
from consentkit.log.leaf_grammar import check_body
from consentkit.log.leaf_spelling import read_usual
from consentkit.log.merkle import hash_leaf
from consentkit.log.note import Signature
from consentkit.log.note import UnverifiedNote
from consentkit.log.note import open_note
from consentkit.log.note import sign_note
from consentkit.log.note import split_note
from consentkit.log.tiles import MAX_ENTRY_BYTES

__all__ = ["LEAF_HEADER", "Leaf", "open_leaf", "read_leaf", "sign_leaf", "split_leaf"]

LEAF_HEADER = b"consentkit/leaf@v1"

_KINDS = {kind.value: kind for kind in Kind}  # twice as quick as to call the class


@dataclass(frozen=True)
class Leaf:
    """A well-formed leaf: ``data`` is the leaf, everything else is read from it.

    ``signers`` names the keys whose signatures were checked: none after
    ``read_leaf``. ``claimed`` names those that stand on it, checked or not.
    ``known_hash`` is the leaf hash where it was computed already.
    """

    data: bytes
    body: Mapping[str, Any] = field(compare=False, repr=False)
    claimed: tuple[str, ...] = field(compare=False)
    signers: tuple[str, ...] = field(default=(), compare=False)
    known_hash: bytes | None = field(default=None, compare=False, repr=False)

    @property
    def kind(self) -> Kind:
        """What it records."""
        return _KINDS[self.body["kind"]]

    @property
    def id(self) -> str:
        """32 hex digits, the idempotency key."""
        return str(self.body["id"])

    @property
    def time(self) -> int:
        """Milliseconds since the epoch: the collector's claim, not a proof."""
        return int(self.body["time"])

    @property
    def log(self) -> str:
        """The origin of the log that it was written for."""
        return str(self.body["log"])

    @property
    def subject(self) -> str | None:
        """The person's handle, if the kind has one."""
        return self.body.get("subject")

    @property
    def seq(self) -> int | None:
        """Its place among the leaves of one subject, from 0."""
        return self.body.get("seq")

    @property
    def prev(self) -> str | None:
        """The hex hash of the subject's previous leaf, empty at seq 0."""
        return self.body.get("prev")

    @property
    def hash(self) -> bytes:
        """The RFC 6962 leaf hash."""
        return self.known_hash or hash_leaf(self.data)


def sign_leaf(body: Mapping[str, Any], signer: Signer) -> bytes:
    """Return the leaf of this body, signed by a collector key of its log.

    Raises:
        MalformedError: the body is not one of its kind, the leaf gets too long, or
            the key is not named ``<log>/collector/<name>``.
    """
    check_body(body)
    if not _is_collector(signer.name, body["log"]):
        raise MalformedError(
            f"expected a key named {body['log']}/collector/…, got {signer.name!r}",
            step="leaf",
        )
    text = LEAF_HEADER + b"\n" + canonical.encode(body) + b"\n"
    return _within_limit(sign_note(text, signer))


def read_leaf(data: bytes) -> Leaf:
    """Return the leaf without checking its signature: anybody could have written it.

    Raises:
        MalformedError: not a leaf of ours, in its only spelling.
    """
    return split_leaf(data)[0]


def split_leaf(
    data: bytes, *, known_hash: bytes | None = None
) -> tuple[Leaf, UnverifiedNote]:
    """Return the leaf as ``read_leaf`` does, with the signatures left to be checked.

    Whoever has its leaf hash can hand it over; it is not computed again.

    Raises:
        MalformedError: not a leaf of ours, in its only spelling.
    """
    usual = read_usual(_within_limit(data))
    if usual is None:
        note = split_note(data)
        body, names = _read_body(note.text), _names(note.signatures)
    else:
        note, body = usual
        names = (note.signatures[0].name,)  # the usual leaf has one
    return Leaf(data, MappingProxyType(body), names, (), known_hash), note


def open_leaf(data: bytes, verifiers: Iterable[Verifier]) -> Leaf:
    """Return the leaf if a given collector key of the leaf's own log signed it.

    Whether that key was valid at the leaf's index is for the caller to judge.

    Raises:
        MalformedError: not a leaf of ours, in its only spelling.
        InvalidSignatureError: a line of a given key does not hold.
        UnknownKeyError: no given key named ``<log>/collector/<name>`` signed it.
    """
    note = open_note(_within_limit(data), verifiers)
    body = _read_body(note.text)
    if not any(_is_collector(name, body["log"]) for name in note.verified):
        raise UnknownKeyError(
            f"expected a signature of {body['log']}/collector/…, "
            f"got {', '.join(note.verified)}",
            step="leaf",
        )
    return Leaf(data, MappingProxyType(body), _names(note.signatures), note.verified)


def _read_body(text: bytes) -> dict[str, Any]:
    header, _, line = text.partition(b"\n")
    if header != LEAF_HEADER:
        raise MalformedError(
            f"expected the first line {LEAF_HEADER.decode()!r}", step="leaf"
        )
    body = canonical.decode(line.removesuffix(b"\n"))
    if not isinstance(body, dict):
        raise MalformedError("expected a JSON object in the leaf", step="leaf")
    check_body(body)
    return body


def _names(signatures: Iterable[Signature]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.name for line in signatures))


def _is_collector(name: str, origin: str) -> bool:
    prefix = f"{origin}/collector/"
    return name.startswith(prefix) and len(name) > len(prefix)


def _within_limit(data: bytes) -> bytes:
    # An entry's length has two bytes in a bundle (tlog-tiles).
    if len(data) > MAX_ENTRY_BYTES:
        raise MalformedError(
            f"a leaf has at most {MAX_ENTRY_BYTES} bytes, got {len(data)}", step="leaf"
        )
    return data
