"""Somebody acts for somebody else: on what authority, or not at all.

What shows the authority is sealed into the evidence of the act. We check that it is
named, that who acts is of age, that a child is one, and that a delegation covers the
act; whether the app verified a guardian well enough is the app's to answer for.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from consentkit.core.act import Actor
from consentkit.core.registry import CROSS_BORDER
from consentkit.core.representative import GUARDIANS
from consentkit.errors import InvalidRequestError
from consentkit.service.recording import PersonRecorder
from consentkit.store.representing import Delegation

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Iterable
    from collections.abc import Mapping

    from consentkit.core.act import Millis
    from consentkit.core.canonical import JSON
    from consentkit.core.representative import Representative
    from consentkit.service.installation import Installation
    from consentkit.store.representing import Represented

__all__ = [
    "OWN",
    "Authority",
    "authority_of",
    "base_purposes",
    "check_authority",
    "delegate",
    "delegation_for",
    "end_delegation",
]

_ID_BYTES = 16
_LONGEST_LABEL = 200  # characters: a name, and no letter


@dataclass(frozen=True, slots=True)
class Authority:
    """As whom an act is done, and what is sealed beside it about that.

    ``of_age`` is when the child comes of age for whom a parent or guardian acts.
    """

    actor: Actor = Actor.SUBJECT
    facts: Mapping[str, JSON] = field(default_factory=dict)
    of_age: Millis | None = None

    @property
    def is_guardian(self) -> bool:
        """Whether a parent or guardian acts."""
        return self.actor in GUARDIANS


OWN = Authority()
"""A person's own, for themselves."""


def authority_of(
    installation: Installation,
    represented: Represented,
    representative: Representative | None,
    purposes: Collection[str],
    now: Millis,
) -> Authority:
    """On what authority somebody acts, about these purposes; their own if for nobody.

    Raises:
        InvalidRequestError: they may not; the code says why (see ``check_authority``),
            or is ``not-delegated``.
    """
    if representative is None:
        return OWN
    if str(representative.subject) != represented.subject:
        raise InvalidRequestError(
            "the representative acts for somebody else; nothing was stored",
            code="authority-missing",
        )
    check_authority(installation, representative, now)
    if representative.is_guardian:
        return Authority(
            Actor(representative.actor),
            {"representative": _told(representative)},
            of_age=(
                None
                if representative.of_adult
                else installation.ages.of_age(str(representative.subject))
            ),
        )
    delegation = delegation_for(
        represented.delegations(), representative, purposes, now
    )
    told = {**_told(representative), "delegation": delegation.id}
    return Authority(Actor.DELEGATE, {"representative": told})


def check_authority(
    installation: Installation, representative: Representative, now: Millis
) -> None:
    """Refuse a parent or guardian who cannot answer for the person.

    Raises:
        InvalidRequestError: nothing shows their authority (code ``authority-missing``),
            nobody knows that they are of age (``guardian-not-adult``), or how old the
            child is (``age-unknown``), or the child is of age (``of-age``).
    """
    if not representative.is_guardian:
        return
    if not representative.is_proven:
        raise InvalidRequestError(
            "who acts for somebody needs an authority that was verified: the "
            "representative_loader must give verification and evidence",
            code="authority-missing",
        )
    ages = installation.ages
    if not representative.adult and not ages.is_adult(str(representative.by), now):
        raise InvalidRequestError(
            "a parent or guardian must be of age: the birthday_loader must know it, or "
            "the representative_loader say adult=True",
            code="guardian-not-adult",
        )
    if representative.of_adult:
        return
    of_age = ages.of_age(str(representative.subject))
    if of_age is None:
        raise InvalidRequestError(
            "what a parent or guardian agrees to ends when the child comes of age: the "
            "birthday_loader must know when that is",
            code="age-unknown",
        )
    if now >= of_age:
        raise InvalidRequestError(
            "the person is old enough to answer alone; nothing was stored",
            code="of-age",
        )


def delegation_for(
    delegations: Iterable[Delegation],
    representative: Representative,
    purposes: Collection[str],
    now: Millis,
) -> Delegation:
    """The delegation that covers an act about these purposes.

    Raises:
        InvalidRequestError: none does, or no longer (code ``not-delegated``).
    """
    for each in delegations:
        mine = each.delegate == str(representative.by) and each.holds(now)
        if mine and set(purposes) <= set(each.purposes):
            return each
    raise InvalidRequestError(
        "the person has not left this to you, or no longer; nothing was stored",
        code="not-delegated",
    )


def base_purposes(keys: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The declared purposes that these questions are about."""
    return frozenset(purpose.removesuffix(CROSS_BORDER) for purpose, _ in keys)


def delegate(
    installation: Installation,
    subject: str,
    *,
    to: str,
    label: str,
    purposes: Collection[str],
    until: Millis,
) -> Delegation:
    """Let somebody answer for a person, about some purposes and until then.

    Raises:
        InvalidRequestError: it names no purpose, one that is not declared, or one of
            two stages, ends before it begins, is to the person themselves, has no
            label in one line, or the person is too young (code ``delegation``).
        LogUnavailableError: the database cannot be written.
    """
    delegation = Delegation(
        id=secrets.token_hex(_ID_BYTES),
        subject=subject,
        delegate=to,
        label=label,
        purposes=tuple(sorted(set(purposes))),
        since=installation.clock(),
        until=until,
    )
    _check_delegation(installation, delegation)
    with installation.ledger.write(joins=True) as transaction:
        # So that an erasure finds whom the row is about.
        PersonRecorder.lock(installation, transaction, subject)
        transaction.represented(subject).add_delegation(delegation)
    return delegation


def end_delegation(
    installation: Installation, subject: str, delegation_id: str
) -> None:
    """Take a delegation back; what was done on it stays. Harmless to repeat.

    Raises:
        LogUnavailableError: the database cannot be written.
    """
    with installation.ledger.write(joins=True) as transaction:
        represented = transaction.represented(subject)
        represented.end_delegation(delegation_id, installation.clock())


def _check_delegation(installation: Installation, delegation: Delegation) -> None:
    known, subject = installation.registry.purposes, delegation.subject
    if not delegation.purposes or not set(delegation.purposes) <= set(known):
        raise _no_delegation(f"name some of the declared purposes ({', '.join(known)})")
    confirmed = [each for each in delegation.purposes if known[each].two_stage]
    if confirmed:
        raise _no_delegation(
            f"leave out {', '.join(confirmed)}; a yes of two stages is confirmed by "
            "the person alone"
        )
    if not delegation.holds(delegation.since):
        raise _no_delegation("give an end that is still to come")
    if delegation.delegate == subject:
        raise _no_delegation("name somebody else than the person")
    label = delegation.label
    if not label.strip() or not label.isprintable() or len(label) > _LONGEST_LABEL:
        raise _no_delegation("say in one short line how the person calls the delegate")
    noted = installation.representations.of_age(subject)
    if installation.ages.is_child(subject, delegation.since, noted):
        raise _no_delegation("the person is too young to let somebody answer for them")


def _no_delegation(do: str) -> InvalidRequestError:
    return InvalidRequestError(f"this cannot be delegated: {do}", code="delegation")


def _told(representative: Representative) -> dict[str, JSON]:
    """What is sealed about who acts; never a birthday, never their name."""
    told: dict[str, JSON] = {
        "actor": str(representative.actor),
        "by": str(representative.by),
    }
    if representative.is_guardian:
        told["verification"] = representative.verification
        told["evidence"] = representative.evidence
    return told
