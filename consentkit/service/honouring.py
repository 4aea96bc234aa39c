"""A browser's opt-out signal, for the account that is signed in there.

Within a request the gate is told of it and denies. For all other requests it has to be
on record: what the person had agreed to before ends, as when they stop it themselves,
and does not come back when the signal is gone (11 CCR §7025(c)(1), (3)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.act import AUTHORISING
from consentkit.core.act import Actor
from consentkit.core.act import Channel
from consentkit.core.act import State
from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.errors import ConfigurationError
from consentkit.errors import VerificationError
from consentkit.log import sealing
from consentkit.log.leaf import read_leaf
from consentkit.service.corrected import disclosures_of
from consentkit.service.ending import Manner
from consentkit.service.ending import end_grants
from consentkit.service.recording import PersonRecorder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping

    from consentkit.core.act import Assurance
    from consentkit.core.canonical import JSON
    from consentkit.core.decision import ShareRequest
    from consentkit.core.decision import Standing
    from consentkit.core.registry import Question
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation

__all__ = ["ended_by_signal", "heed", "honour", "is_covered", "is_despite"]

_SOURCE, _GPC = "source", "gpc"
"""The private fact of an act that a signal made."""


def is_covered(installation: Installation, key: tuple[str, str]) -> bool:
    """Whether a signal is about the question with that key, declared now or not."""
    question = installation.registry.question(*key)
    return question.covered_by_signal if question else key[1] != OWN_USE_ID


def is_despite(installation: Installation, status: Status | None) -> bool:
    """Whether the answer was given to a notice that told of the signal."""
    shown = installation.history.notice(status.notice) if status else None
    return shown is not None and shown.tells_of_signal


def heed(
    installation: Installation,
    request: ShareRequest,
    question: Question | None,
    standing: Standing,
) -> Standing:
    """The standing answers, and whether they were given in the face of the signal."""
    if question is None or not (request.signal and question.covered_by_signal):
        return standing
    answers = (standing.status, *([standing.transfer] if question.cross_border else []))
    despite = all(is_despite(installation, each) for each in answers)
    return standing._replace(despite_signal=despite)


def honour(
    installation: Installation,
    subject: str,
    *,
    assurance: Assurance,
    facts: Mapping[str, JSON],
) -> Leaf | None:
    """End what a signal is about and the person agreed to before; None if nothing is.

    Writes once: what has ended stays ended, and what they agreed to in the face of the
    signal stays.

    Raises:
        LogUnavailableError: the database cannot be read or written.
    """
    if not _beaten(installation, installation.history.statuses(subject)):
        return None
    with (
        installation.sends.settled(subject),
        installation.ledger.write() as transaction,
    ):
        # Locked before it is read: the person may be answering at this moment.
        recorder = PersonRecorder.lock(installation, transaction, subject)
        standing = transaction.statuses(subject)
        live = _beaten(installation, standing)
        if not live:
            return None
        return end_grants(
            recorder,
            live,
            standing=standing,
            state=State.WITHDRAWN,
            manner=Manner(
                Actor.SUBJECT,
                assurance=assurance,
                channel=Channel.WEB,
                facts={**facts, _SOURCE: _GPC},
            ),
        )


def _beaten(
    installation: Installation, standing: Mapping[tuple[str, str], Status]
) -> dict[tuple[str, str], Status]:
    return {
        key: status
        for key, status in standing.items()
        if status.state in AUTHORISING
        and is_covered(installation, key)
        and not is_despite(installation, status)
    }


def ended_by_signal(
    installation: Installation, subject: str, statuses: Iterable[Status]
) -> frozenset[str]:
    """Those of the records behind ``statuses`` that a signal made, not a press.

    None where their private facts do not open.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    stopped = {each.record for each in statuses if each.state is State.WITHDRAWN}
    person = installation.history.person(subject) if stopped else None
    found = set()
    for record in sorted(stopped) if person else ():
        stored = installation.history.leaf(record, person.handle) if person else None
        if stored and person:
            try:
                told = disclosures_of(installation, person, read_leaf(stored.data))
            except (VerificationError, ConfigurationError):
                continue
            facts = map(sealing.parse_disclosure, told)
            if any((each.name, each.value) == (_SOURCE, _GPC) for each in facts):
                found.add(record)
    return frozenset(found)
