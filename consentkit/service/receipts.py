"""The copy that the person keeps: the signed leaf, its place in the log, the facts.

Before the publisher has been by, the signed leaf itself is the promise; about a
second later the receipt is final.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from consentkit.audit.replay import act_of
from consentkit.core import canonical
from consentkit.core.record import ConsentRecord
from consentkit.log import sealing
from consentkit.log.leaf import Leaf
from consentkit.log.leaf import read_leaf
from consentkit.log.merkle import prove_inclusion
from consentkit.log.proof import TlogProof
from consentkit.log.proof import format_proof
from consentkit.log.tiles import TileReader

if TYPE_CHECKING:
    from consentkit.core.notice import Notice
    from consentkit.service.installation import Installation
    from consentkit.store.history import StoredLeaf
    from consentkit.store.subjects import Person

__all__ = ["Receipt", "find_receipt", "list_receipts"]


@dataclass(frozen=True)
class Receipt:
    """One act of one person, with everything that proves it.

    ``proof`` is the ``.tlog-proof`` file, None until the leaf is published;
    ``disclosures`` are the private facts that the leaf commits to, encoded as RFC 9901
    has it. ``notice`` is what was shown, None where nothing was.
    """

    leaf: Leaf
    index: int | None
    notice: Notice | None
    proof: bytes | None = None
    disclosures: tuple[str, ...] = ()

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


def find_receipt(
    installation: Installation, subject: str, receipt_id: str
) -> Receipt | None:
    """The person's receipt with that id; somebody else's is as absent as none.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogUnavailableError: the database cannot be reached.
    """
    person = installation.history.person(subject)
    if person is None:
        return None
    stored = installation.history.leaf(receipt_id, person.handle)
    if stored is None:
        return None
    leaf = read_leaf(stored.data)
    if "choices" not in leaf.body:
        return None
    return Receipt(
        leaf=leaf,
        index=stored.index,
        notice=_notice(installation, leaf),
        proof=_proof(installation, stored),
        disclosures=_disclosures(installation, person, leaf),
    )


def list_receipts(installation: Installation, subject: str) -> list[Receipt]:
    """Every act of the person, newest first, without proofs and private facts.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogUnavailableError: the database cannot be reached.
    """
    person = installation.history.person(subject)
    if person is None:
        return []
    return [
        Receipt(leaf=read_leaf(stored.data), index=stored.index, notice=None)
        for stored in installation.history.acts(person.handle)
    ]


def _notice(installation: Installation, leaf: Leaf) -> Notice | None:
    digest = leaf.body.get("notice", "")
    return installation.history.notice(digest) if digest else None


def _proof(installation: Installation, stored: StoredLeaf) -> bytes | None:
    if stored.index is None:
        return None
    covering = installation.publications.covering(stored.index)
    if covering is None:
        return None
    size, checkpoint = covering
    reader = TileReader(installation.publications.read, size)
    return format_proof(
        TlogProof(
            index=stored.index,
            proof=tuple(prove_inclusion(stored.index, size, reader)),
            checkpoint=checkpoint,
            extra=stored.data,
        )
    )


def _disclosures(
    installation: Installation, person: Person, leaf: Leaf
) -> tuple[str, ...]:
    sealed = installation.history.evidence(leaf.id, person.handle)
    if sealed is None:
        return ()
    data_key = installation.keyring.data_key(person)
    context = sealing.evidence_context(installation.origin, leaf.id)
    encoded = canonical.decode(sealing.unseal(data_key, sealed, context))
    return tuple(str(each) for each in encoded) if isinstance(encoded, list) else ()
