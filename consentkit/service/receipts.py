"""The copy that the person keeps: the signed leaf, its place in the log, the facts.

Before the publisher has been by, the signed leaf itself is the promise; about a
second later the receipt is final.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit.replay import act_of
from consentkit.core.record import ConsentRecord
from consentkit.log import sealing
from consentkit.log.leaf import Leaf
from consentkit.log.leaf import read_leaf
from consentkit.log.merkle import prove_inclusion
from consentkit.log.proof import TlogProof
from consentkit.log.proof import format_proof
from consentkit.log.tiles import TileReader
from consentkit.service.corrected import corrections
from consentkit.service.corrected import disclosures_of

if TYPE_CHECKING:
    from consentkit.core.canonical import JSON
    from consentkit.core.notice import Notice
    from consentkit.service.installation import Installation
    from consentkit.store.subjects import Person

__all__ = ["Receipt", "find_act", "find_receipt", "list_receipts", "prove_leaf"]


@dataclass(frozen=True)
class Receipt:
    """One act of one person, with everything that proves it.

    ``proof`` is the ``.tlog-proof`` file, None until the leaf is published;
    ``disclosures`` are the private facts that the leaf commits to, encoded as RFC 9901
    has it. ``notice`` is what was shown, None where nothing was. ``correction`` is the
    later act that stands for this one, if this one was a mistake.
    """

    leaf: Leaf
    index: int | None
    notice: Notice | None
    proof: bytes | None = None
    disclosures: tuple[str, ...] = ()
    correction: Leaf | None = None

    @property
    def facts(self) -> dict[str, JSON]:
        """The private facts by name."""
        told = map(sealing.parse_disclosure, self.disclosures)
        return {each.name: each.value for each in told}

    @property
    def record(self) -> ConsentRecord:
        """The act in the words of ISO/IEC TS 27560."""
        shown = self.notice.manifest if self.notice else {}
        return ConsentRecord(
            subject=str(self.leaf.subject),
            act=act_of(self.leaf),
            locale=str(shown.get("locale", "")),
            version=str(shown.get("version", "")),
            definitions={
                (each["id"], each["definition"]["recipient"]["id"]): each["definition"]
                for each in shown.get("purposes", ())
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """The machine-readable form: record, leaf, proof and disclosures together."""
        return {
            "receipt_id": self.leaf.id,
            "record": self.record.to_dict(),
            "leaf": self.leaf.data.decode(),
            "index": self.index,
            "tlog_proof": self.proof.decode() if self.proof else None,
            "disclosures": list(self.disclosures),
        }


def find_act(installation: Installation, subject: str, act_id: str) -> Leaf | None:
    """The person's act with that id, as it was signed; somebody else's is as absent.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogUnavailableError: the database cannot be reached.
    """
    found = _find(installation, subject, act_id)
    return found[1] if found else None


def find_receipt(
    installation: Installation, subject: str, receipt_id: str
) -> Receipt | None:
    """The person's receipt with that id; somebody else's is as absent as none.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogUnavailableError: the database cannot be reached.
    """
    found = _find(installation, subject, receipt_id)
    if found is None:
        return None
    person, leaf, index = found
    return Receipt(
        leaf=leaf,
        index=index,
        notice=_notice(installation, leaf),
        proof=prove_leaf(installation.of_log(leaf.log), leaf.data, index),
        disclosures=disclosures_of(installation, person, leaf),
        correction=_corrections(installation, person).get(leaf.id),
    )


def _find(
    installation: Installation, subject: str, act_id: str
) -> tuple[Person, Leaf, int | None] | None:
    person = installation.history.person(subject)
    if person is None:
        return None
    stored = installation.history.leaf(act_id, person.handle)
    if stored is None:
        return None
    leaf = read_leaf(stored.data)
    if "choices" not in leaf.body:
        return None
    return person, leaf, stored.index


def list_receipts(installation: Installation, subject: str) -> list[Receipt]:
    """Every act of the person, newest first, without proofs and private facts.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogUnavailableError: the database cannot be reached.
    """
    person = installation.history.person(subject)
    if person is None:
        return []
    acts = installation.history.acts(person.handle)
    leaves = [read_leaf(stored.data) for stored in acts]
    corrected = corrections(installation, person, leaves)
    return [
        Receipt(
            leaf=leaf,
            index=stored.index,
            notice=None,
            correction=corrected.get(leaf.id),
        )
        for leaf, stored in zip(leaves, acts, strict=True)
    ]


def _corrections(installation: Installation, person: Person) -> dict[str, Leaf]:
    acts = installation.history.acts(person.handle)
    return corrections(
        installation, person, [read_leaf(stored.data) for stored in acts]
    )


def _notice(installation: Installation, leaf: Leaf) -> Notice | None:
    digest = leaf.body.get("notice", "")
    return installation.history.notice(digest) if digest else None


def prove_leaf(
    installation: Installation, leaf: bytes, index: int | None
) -> bytes | None:
    """The ``.tlog-proof`` of a leaf of this log; None until the log has taken it.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogUnavailableError: the database cannot be reached.
    """
    covering = None if index is None else installation.publications.covering(index)
    if index is None or covering is None:
        return None
    size, checkpoint = covering
    reader = TileReader(installation.publications.read, size)
    return format_proof(
        TlogProof(
            index=index,
            proof=tuple(prove_inclusion(index, size, reader)),
            checkpoint=checkpoint,
            extra=leaf,
        )
    )
