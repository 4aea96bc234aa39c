r"""That one person was in a batch: their entry, and its way to the root in the leaf.

The person's file is one JSON object::

    {"entry": "{\"grant\":…}", "leaf": "…", "path": ["<64 hex>", …], "place": 17,
     "schema_version": "consentkit/batch-proof@v1", "tlog_proof": "…" or null}

``leaf`` is the batch's, and ``tlog_proof`` shows that the log holds it. To check it
takes the log's keys, which come from outside, and nothing of the server's. Nobody else
who was in the batch can be told from it.

1. form: the file is of this form; ``tlog_proof`` and ``leaf`` belong together.
2. collector: the leaf is signed by a collector of this log, if a key was given.
3. entry: it is in the tree whose root and size the leaf states (RFC 6962 §2.1.1).
4. inclusion: the log's key signed a tree that holds the leaf, unless it is a promise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consentkit.audit.receipt import step
from consentkit.audit.trust import Trust
from consentkit.core.act import Kind
from consentkit.errors import MalformedError
from consentkit.log.batch import BatchEntry
from consentkit.log.batch import parse_entry
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.leaf import Leaf
from consentkit.log.leaf import open_leaf
from consentkit.log.leaf import read_leaf
from consentkit.log.merkle import HASH_SIZE
from consentkit.log.merkle import MAX_PROOF
from consentkit.log.merkle import check_inclusion
from consentkit.log.proof import parse_proof

__all__ = ["BATCH_PROOF_SCHEMA", "EntryPath", "VerifiedEntry", "verify_batch_entry"]

BATCH_PROOF_SCHEMA = "consentkit/batch-proof@v1"
"""The form of the person's file, and its version."""

_NAMES = {"entry", "leaf", "path", "place", "schema_version", "tlog_proof"}
_MAX_FILE = 65_536  # characters; one with a long path and a long proof has some 8,000


@dataclass(frozen=True)
class EntryPath:
    """An entry, its place in the batch's tree, and the hashes up to the root.

    Nothing of it is checked against a leaf: ``check`` does.
    """

    entry: BatchEntry
    place: int
    path: tuple[bytes, ...]

    def to_dict(self) -> dict[str, Any]:
        """The members of the file that are about the entry."""
        return {
            "entry": self.entry.line.decode(),
            "path": [each.hex() for each in self.path],
            "place": self.place,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> EntryPath:
        """Read what ``to_dict`` wrote.

        Raises:
            MalformedError: it is not of that form, in its only spelling.
        """
        entry, path, place = value.get("entry"), value.get("path"), value.get("place")
        if not isinstance(entry, str) or not isinstance(path, list):
            raise MalformedError("expected 'entry' as text and 'path' as a list")
        if type(place) is not int or place < 0 or len(path) > MAX_PROOF:
            raise MalformedError("expected 'place' as a number, and a shorter 'path'")
        return cls(parse_entry(entry.encode()), place, tuple(map(_hash, path)))

    def check(self, leaf: Leaf) -> None:
        """Refuse an entry that is not in the batch of this leaf.

        Raises:
            MalformedError: the leaf is of another kind.
            InclusionError: its root is of other entries.
        """
        if leaf.kind is not Kind.DISCLOSURE_BATCH:
            raise MalformedError(
                f"expected a disclosure-batch, got an entry {leaf.kind.value!r}"
            )
        check_inclusion(
            self.entry.hash,
            self.place,
            leaf.body["count"],
            self.path,
            bytes.fromhex(leaf.body["root"]),
        )


@dataclass(frozen=True)
class VerifiedEntry:
    """That a person was in a batch, by a proof that holds.

    ``index`` is the batch's place in the log, None for a promise. ``collector`` is who
    is known to have signed it, None if no collector's key was given.
    """

    leaf: Leaf
    entry: BatchEntry
    index: int | None
    collector: str | None


def verify_batch_entry(data: bytes | str, *, trust: Trust) -> VerifiedEntry:
    """The entry in a person's file, if it holds under keys from outside.

    Raises:
        VerificationError: it does not; ``step`` says which of the four failed.
    """
    # 1. form
    with step("form"):
        value = _object(data)
        found = EntryPath.from_dict(value)
        leaf = read_leaf(str(value["leaf"]).encode())
        proof = value["tlog_proof"]
        inclusion = None if proof is None else parse_proof(str(proof).encode())
        if inclusion is not None and inclusion.extra not in {None, leaf.data}:
            raise MalformedError("the proof is of another leaf")
        if leaf.log != trust.origin:
            raise MalformedError(
                f"expected a leaf of {trust.origin!r}, got one of {leaf.log!r}"
            )
    # 2. collector
    collector = None
    if trust.collectors:
        with step("collector"):
            collector = ", ".join(open_leaf(leaf.data, trust.collectors).signers)
    # 3. entry
    with step("entry"):
        found.check(leaf)
    # 4. inclusion
    with step("inclusion"):
        if inclusion is None and collector is None:
            raise MalformedError("a promise needs a collector's key to be checked with")
        if inclusion is not None:
            checkpoint = open_checkpoint(
                inclusion.checkpoint, trust.log, origin=trust.origin
            )
            check_inclusion(
                leaf.hash,
                inclusion.index,
                checkpoint.size,
                inclusion.proof,
                checkpoint.root,
            )
    index = None if inclusion is None else inclusion.index
    return VerifiedEntry(leaf, found.entry, index, collector)


def _object(data: bytes | str) -> dict[str, Any]:
    if len(data) > _MAX_FILE:
        raise MalformedError(f"expected at most {_MAX_FILE} characters")
    try:
        value = json.loads(data)
    except ValueError as error:
        raise MalformedError("expected JSON") from error
    if not isinstance(value, dict) or value.keys() != _NAMES:
        raise MalformedError(f"expected an object of {', '.join(sorted(_NAMES))}")
    if value["schema_version"] != BATCH_PROOF_SCHEMA:
        raise MalformedError(f"expected a file of the form {BATCH_PROOF_SCHEMA!r}")
    return value


def _hash(value: object) -> bytes:
    try:
        found = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        found = b""
    if len(found) != HASH_SIZE or found.hex() != value:
        raise MalformedError("expected hashes of 64 lowercase hexadecimal digits")
    return found
