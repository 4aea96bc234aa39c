"""Which acts of a person were corrected by which: read back from their private facts.

The log says openly that an act was wrong: an ``admin`` leaf ``correct`` names it. Which
act stands in its place is a sealed fact of both, for the person and for auditors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core import canonical
from consentkit.core.act import Actor
from consentkit.core.act import Channel
from consentkit.log import sealing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.store.subjects import Person

__all__ = ["CORRECTS", "corrections", "disclosures_of"]

CORRECTS = "corrects"
"""The private fact of a correcting act that names the wrong one."""


def disclosures_of(
    installation: Installation, person: Person, leaf: Leaf
) -> tuple[str, ...]:
    """The private facts of one act, encoded as RFC 9901 has it; none where none are.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogUnavailableError: the database cannot be reached.
    """
    sealed = installation.history.evidence(leaf.id, person.handle)
    if sealed is None:
        return ()
    data_key = installation.keyring.data_key(person)
    context = sealing.evidence_context(leaf.log, leaf.id)
    encoded = canonical.decode(sealing.unseal(data_key, sealed, context))
    return tuple(str(each) for each in encoded) if isinstance(encoded, list) else ()


def corrections(
    installation: Installation, person: Person, leaves: Iterable[Leaf]
) -> dict[str, Leaf]:
    """The correcting leaf by the id of the wrong act, from all acts of one person.

    Only what officials did is opened: nobody else corrects.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogUnavailableError: the database cannot be reached.
    """
    found = {}
    for leaf in leaves:
        if (leaf.body["actor"], leaf.body["channel"]) != (
            Actor.CONTROLLER,
            Channel.OPERATOR,
        ):
            continue
        for encoded in disclosures_of(installation, person, leaf):
            fact = sealing.parse_disclosure(encoded)
            if fact.name == CORRECTS:
                found[str(fact.value)] = leaf
    return found
