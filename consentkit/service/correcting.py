"""A mistake is corrected by a new act that refers to the wrong one (GDPR Art. 16).

Nothing that was written is changed. An official ends what was recorded by mistake, or
states what the person really said, where that is a no or covers less: a correction
never widens a grant, only the person can (``docs/adr/0013``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.audit.replay import ANSWERS
from consentkit.audit.replay import act_of
from consentkit.core.act import AUTHORISING
from consentkit.core.act import Actor
from consentkit.core.act import Channel
from consentkit.core.act import Choice
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.errors import InvalidRequestError
from consentkit.log.leaf import read_leaf
from consentkit.service.administering import record_admin_act
from consentkit.service.corrected import CORRECTS
from consentkit.service.ending import Manner
from consentkit.service.ending import append_answers
from consentkit.service.ending import end_grants
from consentkit.service.outbox import tell_of_ending
from consentkit.service.recording import PersonRecorder

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Mapping

    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.administering import Official
    from consentkit.service.installation import Installation

__all__ = ["Correction", "Mistake", "correct"]

_CAN_BECOME_NO = AUTHORISING | {State.DEFERRED, State.REQUESTED}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One act of a person that was recorded wrongly.

    ``wrong`` is its id. ``said`` tells what they really said, by (purpose, recipient):
    the data categories they agreed to, none for a no. Without it all that the act
    still grants is set invalid.
    """

    subject: str
    wrong: str
    said: Mapping[tuple[str, str], Collection[str]] | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """The new act and the administrative act that pairs it with the wrong one.

    Both are None where nothing of the wrong act stands any more.
    """

    leaf: Leaf | None
    act: Leaf | None
    corrected: tuple[tuple[str, str], ...] = ()


def correct(
    installation: Installation, mistake: Mistake, *, by: Official
) -> Correction:
    """Write the correction; what newer acts said stays untouched.

    Raises:
        InvalidRequestError: the person has no such act (code ``unknown-act``), the act
            says nothing about a question (``unknown-question``), or the correction
            would say more than it did (``widens``). Nothing is stored.
        LogUnavailableError: the database cannot be written. Nothing is stored.
    """
    theirs = _find(installation, mistake)
    with (
        installation.sends.settled(mistake.subject),
        installation.ledger.write(joins=True) as transaction,
    ):
        recorder = PersonRecorder.lock(installation, transaction, mistake.subject)
        standing = transaction.statuses(mistake.subject)
        leaf, corrected = _restate(recorder, mistake, theirs, standing)
        if leaf is None:
            return Correction(None, None)
        act = record_admin_act(
            installation,
            transaction,
            action="correct",
            target=mistake.wrong,
            by=by,
            now=recorder.now,
            facts={"act": leaf.id},
        )
    return Correction(leaf, act, corrected)


def _restate(
    recorder: PersonRecorder,
    mistake: Mistake,
    theirs: Leaf,
    standing: Mapping[tuple[str, str], Status],
) -> tuple[Leaf | None, tuple[tuple[str, str], ...]]:
    """The new act's leaf and the questions it is about; none if nothing is left."""
    resting = {
        key: status
        for key, status in standing.items()
        if status.record == mistake.wrong
    }
    manner = Manner(
        Actor.CONTROLLER, channel=Channel.OPERATOR, facts={CORRECTS: mistake.wrong}
    )
    if mistake.said is not None:
        _check_asked(theirs, mistake.said)
        return _say(recorder, mistake.said, resting, standing, manner)
    live = {key: each for key, each in resting.items() if each.state in AUTHORISING}
    if not live:
        return None, ()
    leaf = end_grants(
        recorder, live, standing=standing, state=State.INVALIDATED, manner=manner
    )
    return leaf, tuple(sorted(live))


def _say(
    recorder: PersonRecorder,
    said: Mapping[tuple[str, str], Collection[str]],
    resting: Mapping[tuple[str, str], Status],
    standing: Mapping[tuple[str, str], Status],
    manner: Manner,
) -> tuple[Leaf | None, tuple[tuple[str, str], ...]]:
    choices = [
        _narrower(key, resting[key], frozenset(data), recorder.now)
        for key, data in sorted(said.items())
        if key in resting and (data or resting[key].state in _CAN_BECOME_NO)
    ]
    if not choices:
        return None, ()
    leaf = append_answers(
        recorder, Kind.IMPORT, choices, manner=manner, source="correction"
    )
    ended = {
        each.key: resting[each.key]
        for each in choices
        if not each.grants and resting[each.key].state in AUTHORISING
    }
    if ended:
        tell_of_ending(recorder, leaf, ended, standing, State.REFUSED)
    return leaf, tuple(each.key for each in choices)


def _narrower(
    key: tuple[str, str], status: Status, data: frozenset[str], now: Millis
) -> Choice:
    """A no, or the same yes to fewer data; no longer than before."""
    if data and not (status.authorises(now) and data < status.data):
        raise InvalidRequestError(
            "expected fewer data than the wrong act covers, of a yes that still holds; "
            "got others: a correction never widens what was agreed to, ask the person",
            code="widens",
        )
    purpose, recipient = key
    return Choice(
        purpose=purpose,
        recipient=recipient,
        data=tuple(sorted(data)),
        scope=status.scope,
        state=State.GIVEN if data else State.REFUSED,
        until=status.until if data else Millis(0),
    )


def _check_asked(theirs: Leaf, said: Mapping[tuple[str, str], Collection[str]]) -> None:
    asked = {choice.key for choice in act_of(theirs).choices}
    if not said or not said.keys() <= asked:
        raise InvalidRequestError(
            "expected questions that the wrong act answers; got none, or another",
            code="unknown-question",
        )


def _find(installation: Installation, mistake: Mistake) -> Leaf:
    """The wrong act; somebody else's is as absent as none."""
    person = installation.history.person(mistake.subject)
    found = person and installation.history.leaf(mistake.wrong, person.handle)
    leaf = read_leaf(found.data) if found else None
    if leaf is None or leaf.kind not in ANSWERS:
        raise InvalidRequestError(
            "expected the id of an act of this person: the number of one of their "
            "receipts; got another",
            code="unknown-act",
        )
    return leaf
