"""The one place where what a person had answered is ended or narrowed for them.

A leaf at the end of their chain, and the state that follows from it, in the caller's
transaction. Whoever asks for it (the person, an official) is the caller's business.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.audit.replay import act_of
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import Choice
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.status import status_of
from consentkit.errors import ConfigurationError
from consentkit.errors import VerificationError
from consentkit.errors import wordless
from consentkit.service.outbox import tell_of_ending

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

    from consentkit.core.canonical import JSON
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.recording import PersonRecorder

__all__ = ["Manner", "append_answers", "end_grants"]

_LOGGER = logging.getLogger("consentkit")


@dataclass(frozen=True, slots=True)
class Manner:
    """How answers come to be what they are: who says so, by which way.

    ``facts`` are private circumstances, kept sealed and only committed to; dropped if
    they cannot be sealed, for the end must not depend on them.
    """

    actor: Actor
    assurance: Assurance = Assurance.ASSERTED
    channel: Channel = Channel.SERVER
    facts: Mapping[str, JSON] | None = None


def end_grants(
    recorder: PersonRecorder,
    live: Mapping[tuple[str, str], Status],
    *,
    standing: Mapping[tuple[str, str], Status],
    state: State,
    manner: Manner,
) -> Leaf:
    """End the grants in ``live``, at least one: one leaf, and what is to be told of it.

    ``standing`` are all of the person's answers from before.

    Raises:
        LogUnavailableError: the database cannot be written.
    """
    choices = [
        Choice(
            purpose=purpose,
            recipient=recipient,
            data=(),
            scope=status.scope,
            state=state,
            until=Millis(0),
        )
        for (purpose, recipient), status in sorted(live.items())
    ]
    leaf = append_answers(
        recorder, Kind.REVOCATION, choices, manner=manner, challenge=""
    )
    tell_of_ending(recorder, leaf, live, standing, state)
    return leaf


def append_answers(
    recorder: PersonRecorder,
    kind: Kind,
    choices: Sequence[Choice],
    *,
    manner: Manner,
    **fields: JSON,
) -> Leaf:
    """Append the leaf that says ``choices``, sorted, and let the state follow it.

    ``fields`` are those that only leaves of this kind have.

    Raises:
        LogUnavailableError: the database cannot be written.
    """
    leaf = recorder.append(
        kind,
        {
            **fields,
            "actor": manner.actor.value,
            "assurance": manner.assurance.value,
            "channel": manner.channel.value,
            "choices": [choice.to_dict() for choice in choices],
        },
        evidence=_facts_to_keep(recorder, manner),
    )
    act = act_of(leaf)
    for choice in choices:
        recorder.transaction.set_status(
            recorder.subject, choice.key, status_of(act, choice)
        )
    return leaf


def _facts_to_keep(recorder: PersonRecorder, manner: Manner) -> Mapping[str, JSON]:
    """The private circumstances; none, and said so, if nothing can seal them."""
    if not manner.facts:
        return {}
    try:
        recorder.check_can_seal()
    except (VerificationError, ConfigurationError) as error:
        _LOGGER.exception(
            "consentkit: a revocation is written without its private facts, the key "
            "of the person's evidence does not open (%s)",
            type(error).__name__,
            exc_info=wordless(error),
            extra={"event": "evidence-not-sealed", "error": type(error).__name__},
        )
        return {}
    return manner.facts
