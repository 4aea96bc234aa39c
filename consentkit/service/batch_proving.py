"""What shows that somebody was in a batch: to its recipient, and to the person."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit.batch_proof import BATCH_PROOF_SCHEMA
from consentkit.audit.batch_proof import EntryPath
from consentkit.audit.release_proof import ReleaseProof
from consentkit.audit.release_proof import Statement
from consentkit.audit.release_proof import format_release
from consentkit.audit.release_proof import sign_statement
from consentkit.log.leaf import read_leaf
from consentkit.log.merkle import prove_inclusion
from consentkit.log.tiles import TileReader
from consentkit.service.receipts import prove_leaf

if TYPE_CHECKING:
    from consentkit.core.decision import Decision
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.store.batches import Named

__all__ = ["entry_path", "personal_proof", "prove_batch"]


def prove_batch(
    installation: Installation,
    line: Leaf,
    decision: Decision,
    *,
    body: bytes | None = None,
    named: Named | None = None,
) -> str:
    """The proof of a batch, or of one person in it; bound to ``body`` if that is given.

    It speaks of the end that comes first among all who are in it.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogUnavailableError: the database cannot be reached.
    """
    index = installation.batches.leaf(line.id).index
    statement = Statement.of(line.hash, until=decision.until_ms or 0, body=body)
    return format_release(
        ReleaseProof(
            line.data,
            sign_statement(statement, installation.keyring.collector),
            prove_leaf(installation, line.data, index),
            entry_path(installation, named) if named else None,
        )
    )


def entry_path(installation: Installation, named: Named) -> EntryPath:
    """The entry of somebody who is in the tree, with its way to the root.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogError: the tree is not all there, or the database cannot be reached.
    """
    batch, handle = named.batch, named.entry.subject
    place = installation.batches.place(batch, handle)
    reader = TileReader(lambda path: installation.batches.tile(batch, path), batch.size)
    path = prove_inclusion(place, batch.size, reader)
    return EntryPath(named.entry, place, tuple(path))


def personal_proof(installation: Installation, named: Named) -> dict[str, Any]:
    """The person's file, as ``consentkit.audit.verify_batch_entry`` reads it.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogError: the tree is not all there, or the database cannot be reached.
    """
    stored = installation.batches.leaf(named.batch.leaf)
    leaf = read_leaf(stored.data)
    proof = prove_leaf(installation.of_log(leaf.log), leaf.data, stored.index)
    return {
        **entry_path(installation, named).to_dict(),
        "leaf": leaf.data.decode(),
        "schema_version": BATCH_PROOF_SCHEMA,
        "tlog_proof": None if proof is None else proof.decode(),
    }
