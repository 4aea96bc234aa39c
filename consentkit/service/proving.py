"""What a recipient is shown: that it may hold what it is handed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.release_proof import ReleaseProof
from consentkit.audit.release_proof import Statement
from consentkit.audit.release_proof import format_release
from consentkit.audit.release_proof import sign_statement
from consentkit.core.act import SubjectHandle
from consentkit.service.receipts import prove_leaf

if TYPE_CHECKING:
    from consentkit.core.decision import Decision
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation

__all__ = ["prove_release"]


def prove_release(
    installation: Installation,
    disclosure: Leaf,
    decision: Decision,
    body: bytes | None,
) -> str:
    """The proof of one share, bound to ``body`` if that is given.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogUnavailableError: the database cannot be reached.
    """
    stored = installation.history.leaf(
        disclosure.id, SubjectHandle(str(disclosure.subject))
    )
    index = None if stored is None else stored.index
    statement = Statement.of(disclosure.hash, until=decision.until_ms or 0, body=body)
    proof = ReleaseProof(
        disclosure.data,
        sign_statement(statement, installation.keyring.collector),
        prove_leaf(installation, disclosure.data, index),
    )
    return format_release(proof)
