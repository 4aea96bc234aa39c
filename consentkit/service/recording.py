"""A signed leaf of one person, put at the end of their chain.

The one way by which anything about a person gets into the log. The caller holds the
transaction; the person's row is locked from here to its end.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from consentkit.core import canonical
from consentkit.core.act import Kind
from consentkit.core.act import SubjectHandle
from consentkit.log import sealing
from consentkit.log.leaf import Leaf
from consentkit.log.leaf import sign_leaf
from consentkit.store.subjects import Person

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.core.act import Millis
    from consentkit.core.canonical import JSON
    from consentkit.service.installation import Installation
    from consentkit.store.ledger import Transaction

__all__ = ["PersonRecorder", "new_id", "sign_plain_leaf"]

_ID_BYTES = 16  # 128 random bits: nobody ever meets a second one


@dataclass(frozen=True)
class PersonRecorder:
    """One person's pen: their row is locked, the next leaf is theirs to write."""

    installation: Installation
    transaction: Transaction
    subject: str
    person: Person
    now: Millis

    @classmethod
    def lock(
        cls, installation: Installation, transaction: Transaction, subject: str
    ) -> PersonRecorder:
        """Lock the person's row, making it for somebody who was never seen."""
        now = installation.clock()
        person = transaction.lock_person(
            subject, new=lambda: _new_person(installation), now=now
        )
        return cls(installation, transaction, subject, person, now)

    @cached_property
    def _data_key(self) -> bytes:
        return self.installation.keyring.data_key(self.person)

    def check_can_seal(self) -> None:
        """Open the key of the person's evidence, as sealing would.

        Raises:
            VerificationError: it was wrapped under another key, or was changed.
            ConfigurationError: the key that wraps it cannot be read.
        """
        _ = self._data_key

    def append(
        self,
        kind: Kind,
        fields: Mapping[str, JSON],
        *,
        evidence: Mapping[str, JSON] | None = None,
        leaf_id: str = "",
    ) -> Leaf:
        """Sign and insert one leaf; its private part is sealed beside it.

        ``leaf_id`` is one of ``new_id`` that another leaf names already.

        Raises:
            LogConflictError: its challenge is already spent.
            MalformedError: the fields are not those of its kind.
            VerificationError: the key that is to seal the evidence does not open.
        """
        leaf_id = leaf_id or new_id()
        disclosures = [
            sealing.Disclosure.make(name, value)
            for name, value in (evidence or {}).items()
        ]
        committed = (
            {"evidence": sealing.commit(disclosures)} if evidence is not None else {}
        )
        leaf = self._sign(kind, leaf_id, {**fields, **committed})
        self.transaction.append(leaf, subject=self.subject)
        if disclosures:
            self._seal(leaf_id, disclosures)
        return leaf

    def _sign(self, kind: Kind, leaf_id: str, fields: Mapping[str, JSON]) -> Leaf:
        body = {
            **fields,
            "id": leaf_id,
            "kind": kind.value,
            "log": self.installation.origin,
            "prev": self.person.head,
            "seq": self.person.seq,
            "subject": self.person.handle,
            "time": self.now,
        }
        return _signed(self.installation, body)

    def _seal(self, leaf_id: str, disclosures: list[sealing.Disclosure]) -> None:
        sealed = sealing.seal(
            self._data_key,
            canonical.encode([each.encoded for each in disclosures]),
            sealing.evidence_context(self.installation.origin, leaf_id),
        )
        self.transaction.add_evidence(
            act=leaf_id, handle=self.person.handle, sealed=sealed
        )


def new_id() -> str:
    """A leaf's id that nobody has used."""
    return secrets.token_hex(_ID_BYTES)


def sign_plain_leaf(
    installation: Installation, kind: Kind, fields: Mapping[str, JSON], *, now: Millis
) -> Leaf:
    """A signed leaf that is about no person: a notice, a key, an operator's act."""
    body = {
        **fields,
        "id": new_id(),
        "kind": kind.value,
        "log": installation.origin,
        "time": now,
    }
    return _signed(installation, body)


def _signed(installation: Installation, body: Mapping[str, JSON]) -> Leaf:
    """The leaf of that body: checked while it is signed, so not read back."""
    signer = installation.keyring.collector
    return Leaf(sign_leaf(body, signer), MappingProxyType(dict(body)), (signer.name,))


def _new_person(installation: Installation) -> Person:
    handle = SubjectHandle(new_id())
    wrapped = sealing.wrap_key(
        sealing.new_data_key(),
        installation.keyring.key_encryption_key,
        handle.encode(),
    )
    return Person(handle=handle, wrapped_key=wrapped, seq=0, head="")
