"""Ending what was agreed: per recipient, per purpose, or all of it.

Idempotent: what has ended stays ended, and a second call writes nothing. It needs
the database and the collector key, nothing else: it succeeds while recipients or mail
are down, and while the key of the person's private evidence does not open.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.core.act import AUTHORISING
from consentkit.core.act import SPEAKS_FOR_THE_PERSON
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import State
from consentkit.core.registry import CROSS_BORDER
from consentkit.errors import InvalidRequestError
from consentkit.service.ending import Manner
from consentkit.service.ending import end_grants
from consentkit.service.recording import PersonRecorder
from consentkit.service.representing import authority_of
from consentkit.service.representing import base_purposes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.core.canonical import JSON
    from consentkit.core.representative import Representative
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.service.representing import Authority

__all__ = ["Ending", "Revocation", "revoke"]


@dataclass(frozen=True, slots=True)
class Ending:
    """What is to end, and who says so.

    ``purpose`` None means every purpose, ``recipient`` None every recipient.
    ``facts`` are private circumstances, kept sealed and only committed to; dropped if
    they cannot be sealed, for the end must not depend on them. ``representative`` is
    who acts for the person; without one, ``actor`` cannot be such.

    Raises:
        InvalidRequestError: it would be somebody for the person, with nothing that
            shows their authority (code ``authority-missing``).
    """

    subject: str
    purpose: str | None = None
    recipient: str | None = None
    actor: Actor = Actor.SUBJECT
    assurance: Assurance = Assurance.ASSERTED
    channel: Channel = Channel.SERVER
    facts: Mapping[str, JSON] | None = None
    representative: Representative | None = None

    def __post_init__(self) -> None:
        """See ``Raises``."""
        if self.representative is not None:
            object.__setattr__(self, "actor", Actor(self.representative.actor))
        elif self.actor in SPEAKS_FOR_THE_PERSON - {Actor.SUBJECT}:
            raise InvalidRequestError(
                "who acts for somebody needs an authority that was verified: give the "
                "Representative instead of the word alone",
                code="authority-missing",
            )

    @property
    def state(self) -> State:
        """*withdrawn* when the person ended it, *revoked* when somebody else did."""
        by_the_person = self.actor in SPEAKS_FOR_THE_PERSON
        return State.WITHDRAWN if by_the_person else State.REVOKED

    def manner(self, authority: Authority) -> Manner:
        """Who says so, by which way, on what authority."""
        facts = {**(self.facts or {}), **authority.facts}
        return Manner(self.actor, self.assurance, self.channel, facts)

    def live_in(
        self, standing: Mapping[tuple[str, str], Status]
    ) -> dict[tuple[str, str], Status]:
        """The standing yeses that are to end."""
        return {
            key: status
            for key, status in sorted(standing.items())
            if status.state in AUTHORISING and self.covers(*key)
        }

    def covers(self, purpose: str, recipient: str) -> bool:
        """Whether a standing answer with that key is meant.

        A purpose takes its cross-border consent with it.
        """
        base = purpose.removesuffix(CROSS_BORDER)
        return self.purpose in (None, base, purpose) and self.recipient in (
            None,
            recipient,
        )


@dataclass(frozen=True, slots=True)
class Revocation:
    """What a revocation ended: the leaf, or None where nothing was left to end."""

    leaf: Leaf | None
    ended: tuple[tuple[str, str], ...]


def revoke(installation: Installation, ending: Ending) -> Revocation:
    """End every grant that ``ending`` covers; effective when this returns.

    What had begun to leave by then is out, and nothing else begins to.

    Raises:
        InvalidRequestError: no such purpose or recipient was ever declared or agreed
            to (code ``unknown-purpose`` or ``unknown-recipient``), or who acts for the
            person may not (see ``representing.authority_of``).
        LogUnavailableError: the database cannot be written.
    """
    with (
        installation.sends.settled(ending.subject),
        installation.ledger.write(joins=True) as transaction,
    ):
        standing = transaction.statuses(ending.subject)
        _check_known(installation, ending, standing)
        if not ending.live_in(standing):
            return Revocation(None, ())
        person = transaction.eraser.lock_known(ending.subject)
        # Somebody else may have ended it, or erased them, while the row was waited for.
        standing = transaction.statuses(ending.subject)
        live = ending.live_in(standing)
        if not person or not live:
            return Revocation(None, ())
        recorder = PersonRecorder(
            installation, transaction, ending.subject, person, installation.clock()
        )
        authority = authority_of(
            installation,
            transaction.represented(ending.subject),
            ending.representative,
            base_purposes(live),
            recorder.now,
        )
        leaf = end_grants(
            recorder,
            live,
            standing=standing,
            state=ending.state,
            manner=ending.manner(authority),
        )
    return Revocation(leaf, tuple(live))


def _check_known(
    installation: Installation,
    ending: Ending,
    standing: Mapping[tuple[str, str], Status],
) -> None:
    registry = installation.registry
    purposes = {*registry.purposes, *(purpose for purpose, _ in standing)}
    if ending.purpose is not None and ending.purpose not in purposes:
        raise InvalidRequestError(
            "expected the id of a declared purpose, or none for all of them; got one "
            "that was never declared or agreed to",
            code="unknown-purpose",
        )
    recipients = {*registry.recipients, *(recipient for _, recipient in standing)}
    if ending.recipient is not None and ending.recipient not in recipients:
        raise InvalidRequestError(
            "expected the id of a declared recipient, or none for all of them; got "
            "one that was never declared or agreed to",
            code="unknown-recipient",
        )
