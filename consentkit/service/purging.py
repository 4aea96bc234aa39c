"""What is older than the claim period goes, and a tombstone says that it went.

Five kinds of things go: lines of the disclosure table, who was in a batch, evidence of
acts that stopped to count, holds that have run out, and persons of whom nothing is live
and nothing is newer. The leaves stay, so that every proof still holds. The tombstone is
an ``admin`` leaf ``purge`` whose target is the cut-off; its sealed fact ``purged`` says
how many went and hashes their ids, so that whoever replays the leaves can tell what a
purge took from what somebody else did.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING

from consentkit.core.act import Millis
from consentkit.core.record import rfc3339
from consentkit.errors import MalformedError
from consentkit.log.leaf import read_leaf
from consentkit.service.administering import record_admin_act
from consentkit.service.erasing import erase_within
from consentkit.service.erasing import sweep
from consentkit.service.recording import PersonRecorder
from consentkit.service.retention import Lifetimes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping

    from consentkit.core.canonical import JSON
    from consentkit.log.leaf import Leaf
    from consentkit.service.administering import Official
    from consentkit.service.installation import Installation
    from consentkit.store.ledger import Transaction

__all__ = ["PURGE", "Purge", "cutoff_of", "purge", "summary"]

PURGE = "purge"
"""The action of the ``admin`` leaf that is the tombstone."""

RETENTION = "retention"
_CONTEXT = b"consentkit/purged@v1\n"


@dataclass(frozen=True, slots=True)
class Purge:
    """What went. ``leaf`` is the tombstone, None where nothing was old enough.

    ``swept`` says that the file holds no byte of it any more, see ``erasing.sweep``.
    """

    cutoff: Millis
    leaf: Leaf | None
    persons: int
    disclosures: int
    evidence: int
    holds: int
    swept: bool
    batches: int = 0


@dataclass(frozen=True, slots=True)
class _Gone:
    """The ids of what one purge takes out."""

    persons: tuple[str, ...]
    disclosures: tuple[str, ...]
    evidence: tuple[str, ...]
    holds: tuple[str, ...]
    batches: tuple[str, ...]

    def __bool__(self) -> bool:
        parts = self.persons, self.disclosures, self.evidence, self.holds, self.batches
        return any(parts)

    def to_dict(self) -> dict[str, JSON]:
        return {
            "batches": summary(self.batches),
            "disclosures": summary(self.disclosures),
            "evidence": summary(self.evidence),
            "holds": summary(self.holds),
            "persons": summary(self.persons),
        }


def purge(
    installation: Installation, *, by: Official, before: Millis | None = None
) -> Purge:
    """Take out what is older than the claim period, or than ``before``.

    Raises:
        InvalidRequestError: ``before`` lies in the future, or within the minimum of
            the profile; nothing was purged (R78).
        LogUnavailableError: the database cannot be written; nothing was purged.
    """
    now = installation.clock()
    cutoff = installation.retention.cutoff(now, before=before)
    leaf = None
    with installation.ledger.write_alone() as transaction:
        gone = _take_out(installation, transaction, cutoff, now)
        if gone:
            leaf = record_admin_act(
                installation,
                transaction,
                action=PURGE,
                target=rfc3339(cutoff),
                by=by,
                now=now,
                facts={"purged": gone.to_dict()},
            )
            transaction.eraser.leave_residue(leaf.id)
    return Purge(
        cutoff=cutoff,
        leaf=leaf,
        persons=len(gone.persons),
        disclosures=len(gone.disclosures),
        evidence=len(gone.evidence),
        holds=len(gone.holds),
        swept=sweep(installation),
        batches=len(gone.batches),
    )


def summary(ids: Iterable[str]) -> Mapping[str, JSON]:
    """How many ids, and the hash over them, sorted and one a line."""
    ordered = sorted(ids)
    lines = "".join(f"{each}\n" for each in ordered)
    digest = hashlib.sha256(_CONTEXT + lines.encode()).hexdigest()
    return {"count": len(ordered), "sha256": digest}


def cutoff_of(tombstone: Leaf) -> Millis:
    """Before which instant a purge took things out, as its leaf says.

    Raises:
        MalformedError: its target is no such instant.
    """
    try:
        at = datetime.fromisoformat(tombstone.body["target"]).astimezone(UTC)
    except ValueError as error:
        raise MalformedError("the target of a purge must be an instant") from error
    return Millis(round(at.timestamp() * 1000))


def _take_out(
    installation: Installation, transaction: Transaction, cutoff: Millis, now: Millis
) -> _Gone:
    eraser = transaction.eraser
    # Persons first: what is theirs goes with their own leaf.
    persons = _forget_idle(installation, transaction, cutoff, now)
    disclosures = eraser.old_disclosures(cutoff)
    eraser.remove_disclosures(disclosures)
    batches = eraser.old_batches(cutoff)
    eraser.remove_batches(batches)
    lifetimes = Lifetimes()
    for data in eraser.acts_with_old_evidence(cutoff):
        lifetimes.apply(read_leaf(data))
    evidence = eraser.stored_evidence(sorted(lifetimes.ended_before(cutoff)))
    eraser.remove_evidence(evidence)
    holds = eraser.ended_holds(now)
    for handle in holds:
        eraser.remove_hold(handle)
    return _Gone(
        persons, tuple(disclosures), tuple(evidence), tuple(holds), tuple(batches)
    )


def _forget_idle(
    installation: Installation, transaction: Transaction, cutoff: Millis, now: Millis
) -> tuple[str, ...]:
    forgotten = []
    for subject in transaction.eraser.idle_persons(cutoff):
        person = transaction.eraser.lock_known(subject)
        if person is not None:
            recorder = PersonRecorder(installation, transaction, subject, person, now)
            erase_within(recorder, RETENTION)
            forgotten.append(person.handle)
    return tuple(forgotten)
