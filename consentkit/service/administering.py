"""What officials do to the log: a leaf for each act, and who answers for it.

The leaf holds an action and a target, both plain tokens. Who did it, for whom and why
is free text about a person, hence private evidence: sealed under a key of the
controller, committed to by the leaf, and shown to auditors by its disclosures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.core import canonical
from consentkit.core.act import Kind
from consentkit.errors import InvalidRequestError
from consentkit.log import sealing
from consentkit.service.recording import sign_plain_leaf

if TYPE_CHECKING:
    from consentkit.core.act import Millis
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.store.ledger import Transaction

__all__ = ["CONTROLLER_HANDLE", "Official", "record_admin_act"]

CONTROLLER_HANDLE = ""
"""Evidence that is about no subject stands under this handle."""

_MAX_TEXT = 1_000  # characters of a name, an affiliation or a reason


@dataclass(frozen=True, slots=True)
class Official:
    """Who answers for an administrative act, and why they did it.

    ``person`` is a name or an address at which they can be asked, ``affiliation`` the
    organisation they act for; empty means the controller.

    Raises:
        InvalidRequestError: no person or no reason is given, or a text is too long
            (code ``official``).
    """

    person: str
    reason: str
    affiliation: str = ""

    def __post_init__(self) -> None:
        """See ``Raises``."""
        for name in ("person", "reason"):
            if not getattr(self, name).strip():
                raise InvalidRequestError(
                    f"expected the {name} behind an administrative act; got nothing: "
                    "say who answers for it and why",
                    code="official",
                )
        longest = max(map(len, (self.person, self.reason, self.affiliation)))
        if longest > _MAX_TEXT:
            raise InvalidRequestError(
                f"expected at most {_MAX_TEXT} characters for each text of an "
                f"administrative act; got {longest}",
                code="official",
            )


def record_admin_act(
    installation: Installation,
    transaction: Transaction,
    *,
    action: str,
    target: str,
    by: Official,
    now: Millis,
) -> Leaf:
    """Sign and insert the ``admin`` leaf of one act, its private part sealed beside it.

    ``action`` and ``target`` are tokens without spaces and free of personal data:
    ``invalidate`` and a notice's digest, ``rotate-key`` and a key's name.

    Raises:
        MalformedError: one of them is no token.
    """
    facts = {
        "affiliation": by.affiliation or installation.registry.controller.id,
        "person": by.person,
        "reason": by.reason,
    }
    disclosures = [sealing.Disclosure.make(*fact) for fact in facts.items()]
    leaf = sign_plain_leaf(
        installation,
        Kind.ADMIN,
        {"action": action, "evidence": sealing.commit(disclosures), "target": target},
        now=now,
    )
    transaction.append(leaf)
    sealed = sealing.seal(
        installation.keyring.controller_key,
        canonical.encode([each.encoded for each in disclosures]),
        sealing.evidence_context(installation.origin, leaf.id),
    )
    transaction.add_evidence(act=leaf.id, handle=CONTROLLER_HANDLE, sealed=sealed)
    return leaf
