"""Ending what was agreed: per recipient, per purpose, or all of it.

Idempotent: what has ended stays ended, and a second call writes nothing. It needs
the database and the collector key, nothing else: it succeeds while recipients or mail
are down, and while the key of the person's private evidence does not open.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.audit.replay import act_of
from consentkit.core.act import AUTHORISING
from consentkit.core.act import SPEAKS_FOR_THE_PERSON
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import Choice
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.registry import CROSS_BORDER
from consentkit.core.status import status_of
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.errors import VerificationError
from consentkit.service.recording import PersonRecorder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.core.canonical import JSON
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation

__all__ = ["Ending", "Revocation", "revoke"]

_LOGGER = logging.getLogger("consentkit")


@dataclass(frozen=True, slots=True)
class Ending:
    """What is to end, and who says so.

    ``purpose`` None means every purpose, ``recipient`` None every recipient.
    ``facts`` are private circumstances, kept sealed and only committed to; dropped if
    they cannot be sealed, for the end must not depend on them.
    """

    subject: str
    purpose: str | None = None
    recipient: str | None = None
    actor: Actor = Actor.SUBJECT
    assurance: Assurance = Assurance.ASSERTED
    channel: Channel = Channel.SERVER
    facts: Mapping[str, JSON] | None = None

    @property
    def state(self) -> State:
        """*withdrawn* when the person ended it, *revoked* when somebody else did."""
        by_the_person = self.actor in SPEAKS_FOR_THE_PERSON
        return State.WITHDRAWN if by_the_person else State.REVOKED

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

    Raises:
        InvalidRequestError: no such purpose or recipient was ever declared or agreed
            to (code ``unknown-purpose`` or ``unknown-recipient``).
        LogUnavailableError: the database cannot be written.
    """
    with installation.ledger.write() as transaction:
        person = transaction.find_person(ending.subject)
        standing = transaction.statuses(ending.subject) if person else {}
        _check_known(installation, ending, standing)
        live = {
            key: status
            for key, status in sorted(standing.items())
            if status.state in AUTHORISING and ending.covers(*key)
        }
        if not live:
            return Revocation(None, ())
        recorder = PersonRecorder.lock(installation, transaction, ending.subject)
        leaf = _end(recorder, ending, live)
    return Revocation(leaf, tuple(live))


def _end(
    recorder: PersonRecorder, ending: Ending, live: Mapping[tuple[str, str], Status]
) -> Leaf:
    choices = [
        Choice(
            purpose=purpose,
            recipient=recipient,
            data=(),
            scope=status.scope,
            state=ending.state,
            until=Millis(0),
        )
        for (purpose, recipient), status in live.items()
    ]
    leaf = recorder.append(
        Kind.REVOCATION,
        {
            "actor": ending.actor.value,
            "assurance": ending.assurance.value,
            "challenge": "",
            "channel": ending.channel.value,
            "choices": [choice.to_dict() for choice in choices],
        },
        evidence=_facts_to_keep(recorder, ending),
    )
    act = act_of(leaf)
    for choice in choices:
        recorder.transaction.set_status(
            recorder.subject, choice.key, status_of(act, choice)
        )
    return leaf


def _facts_to_keep(recorder: PersonRecorder, ending: Ending) -> Mapping[str, JSON]:
    """The private circumstances; none, and said so, if nothing can seal them."""
    if not ending.facts:
        return {}
    try:
        recorder.check_can_seal()
    except (VerificationError, ConfigurationError) as error:
        _LOGGER.exception(
            "consentkit: a revocation is written without its private facts, the key "
            "of the person's evidence does not open (%s)",
            type(error).__name__,
        )
        return {}
    return ending.facts


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
