"""The second stage of a yes: the link that was sent is opened, and pressed on.

Only here is anything written as *confirmed*. A link is good once, for a week, and as
long as nothing else was answered: it names the act that it confirms.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from consentkit.audit.replay import act_of
from consentkit.core.act import Assurance
from consentkit.core.act import Choice
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.errors import InvalidRequestError
from consentkit.log.leaf import read_leaf
from consentkit.service.awaiting import LIFETIME
from consentkit.service.awaiting import Awaited
from consentkit.service.awaiting import awaiting
from consentkit.service.choosing import Chosen
from consentkit.service.choosing import Submission
from consentkit.service.choosing import check_current
from consentkit.service.choosing import check_told
from consentkit.service.choosing import write_choices
from consentkit.service.maturity import check_not_barred
from consentkit.service.maturity import mature
from consentkit.service.outbox import tell_of_change
from consentkit.service.recording import PersonRecorder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence
    from datetime import datetime

    from consentkit.core.notice import Notice
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.choosing import Answer
    from consentkit.service.installation import Installation

    Key = tuple[str, str]

__all__ = [
    "PAUSE",
    "ConfirmationLink",
    "can_be_sent_again",
    "confirm",
    "send_again",
    "still_open",
    "used_link",
]

PAUSE = 60_000
"""How long nobody can have another link sent, in milliseconds."""

_ANSWERS = frozenset({State.GIVEN, State.REFUSED})


@dataclass(frozen=True, slots=True)
class ConfirmationLink:
    """What an app needs to send somebody the link that confirms their yes.

    ``subject`` is the app's own id of the person, ``purpose`` its title in ``locale``.
    ``address`` is whole, and good until ``until`` (aware UTC). Send it over another
    factor than the session: by mail, by text message.
    """

    subject: str
    address: str
    purpose: str
    locale: str
    until: datetime


def still_open(
    installation: Installation,
    subject: str,
    awaited: Sequence[Awaited],
    standing: Mapping[Key, Status],
) -> tuple[Awaited, ...]:
    """Those that can still be confirmed: nothing was answered or stopped since.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    waits = awaiting(installation, subject, standing)
    return tuple(
        each
        for each in awaited
        if (waits[each.key].rests_on if each.key in waits else _record(standing, each))
        == each.rests_on
        and _is_asked(installation, each)
    )


def _record(standing: Mapping[Key, Status], awaited: Awaited) -> str:
    """The yes that stands until another is confirmed."""
    status = standing.get(awaited.key)
    return status.record if status else ""


def _is_asked(installation: Installation, awaited: Awaited) -> bool:
    question = installation.registry.question(*awaited.key)
    return question is not None and set(awaited.data) <= question.categories


def used_link(installation: Installation, subject: str, challenge: str) -> Leaf | None:
    """The act that a link was used for, None if it was not.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    person = installation.history.person(subject)
    if person is None:
        return None
    leaves = (read_leaf(each.data) for each in installation.history.acts(person.handle))
    return next(
        (each for each in leaves if each.body.get("challenge") == challenge), None
    )


def confirm(
    installation: Installation, submission: Submission, awaited: Sequence[Awaited]
) -> Leaf:
    """Write what the person pressed on the page of a link that is genuine and theirs.

    ``submission.challenge`` is that of the link; the same press again gives the first
    act's leaf back.

    Raises:
        InvalidRequestError: nothing of it can be confirmed any more (code
            ``link-void``), it was used for another answer (``link-used``), what it
            rests on has changed (``stale-notice``), or a yes is no longer theirs to
            give (see ``maturity``). Nothing is stored.
        LogUnavailableError: the database cannot be written. Nothing is stored.
    """
    notice = installation.history.notice(submission.notice)
    if notice is None:
        raise _void()
    with (
        installation.sends.settled(submission.subject),
        installation.ledger.write() as transaction,
    ):
        recorder = PersonRecorder.lock(installation, transaction, submission.subject)
        spent = transaction.leaf_of_challenge(submission.challenge)
        if spent is not None:
            return _same(read_leaf(spent), recorder.person.handle, submission)
        check_current(installation, notice)
        check_told(installation, submission, notice)
        standing = transaction.statuses(submission.subject)
        left = still_open(installation, submission.subject, awaited, standing)
        said = _choices(left, submission.answers, notice, recorder.now)
        # A week may lie between the two: who was old enough then was not of the same
        # age, nor need the app, or the law, say the same.
        choices, authority = mature(recorder, said, standing, None)
        rests_on = {each.rests_on for each in left if each.key in submission.answers}
        facts = {
            **submission.facts,
            "confirmed_by": "link",
            "confirms": sorted(rests_on),
        }
        leaf = write_choices(
            recorder,
            replace(submission, facts=facts),
            choices,
            assurance=Assurance.CONFIRMED,
            authority=authority,
        )
        tell_of_change(recorder, leaf, choices, standing)
        return leaf


def _same(leaf: Leaf, handle: str, submission: Submission) -> Leaf:
    """The act of a link that is pressed on twice, if the same was pressed."""
    if leaf.subject != handle:  # somebody who has erased their records since
        raise _void()
    said = {choice.key: choice for choice in act_of(leaf).choices}
    same = all(
        key in said
        and (said[key].grants if answer.state is State.GIVEN else not said[key].grants)
        for key, answer in submission.answers.items()
    )
    if not same:
        raise InvalidRequestError(
            "this link was already used for another answer; nothing was stored",
            code="link-used",
        )
    return leaf


def _choices(
    left: Sequence[Awaited],
    answers: Mapping[Key, Answer],
    notice: Notice,
    now: Millis,
) -> tuple[Choice, ...]:
    by_key = {each.key: each for each in left}
    if not set(answers) <= set(by_key) or not by_key:
        raise _void()
    if any(each.state not in _ANSWERS or each.optional for each in answers.values()):
        raise InvalidRequestError(
            "a link takes a yes to all that it names, or a no", code="not-offered"
        )
    if not answers:
        raise InvalidRequestError(
            "no question was answered; nothing was stored", code="no-answer"
        )
    return tuple(
        _choice(by_key[key], answers[key].state, notice, now) for key in sorted(answers)
    )


def _choice(awaited: Awaited, said: State, notice: Notice, now: Millis) -> Choice:
    given = said is State.GIVEN
    return Choice(
        purpose=awaited.purpose,
        recipient=awaited.recipient,
        data=awaited.data if given else (),
        scope=notice.offers[awaited.key].scope,
        state=State.RENEWED if given and awaited.renews else said,
        until=Millis(now + notice.validity(awaited.key) if given else 0),
    )


def can_be_sent_again(status: Status, now: Millis) -> bool:
    """Whether the link to a first act is still good, so that another may be sent."""
    return now < status.since + LIFETIME


def send_again(installation: Installation, submission: Submission, act: str) -> Chosen:
    """Say once more what the act said, so that another link is sent for it.

    It is an act of its own: everybody can see when a link was asked for, and the links
    before stay good. ``submission`` holds no answers and no notice.

    Raises:
        InvalidRequestError: nothing of that act waits any more (code ``link-void``),
            the last link is not a minute old (``too-soon``), what it asked has
            changed (``stale-notice``), or a yes is no longer theirs to give (see
            ``maturity.bar``). Nothing is stored.
        LogUnavailableError: the database cannot be written. Nothing is stored.
    """
    with installation.ledger.write() as transaction:
        recorder = PersonRecorder.lock(installation, transaction, submission.subject)
        spent = transaction.leaf_of_challenge(submission.challenge)
        if spent is not None:
            return Chosen(read_leaf(spent))
        standing = transaction.statuses(submission.subject)
        waits = awaiting(installation, submission.subject, standing)
        left = tuple(
            waits[key]
            for key in sorted(waits)
            if waits[key].rests_on == act
            and can_be_sent_again(standing[key], recorder.now)
        )
        notice = _asked_by(installation, left, standing, recorder.now)
        check_not_barred(recorder, (each.key for each in left))
        leaf = write_choices(
            recorder,
            replace(submission, notice=notice.digest),
            tuple(standing[each.key].choice(each.key) for each in left),
            awaited=left,
        )
        return Chosen(leaf, left, notice.digest)


def _asked_by(
    installation: Installation,
    left: Sequence[Awaited],
    standing: Mapping[Key, Status],
    now: Millis,
) -> Notice:
    """The notice that all of them were said to."""
    if not left:
        raise _void()
    status = standing[left[0].key]
    if now < status.since + PAUSE:
        raise InvalidRequestError(
            "a link was sent less than a minute ago; nothing was stored",
            code="too-soon",
        )
    notice = installation.history.notice(status.notice)
    if notice is None:
        raise _void()
    check_current(installation, notice)
    return notice


def _void() -> InvalidRequestError:
    return InvalidRequestError(
        "what this link was to confirm was answered or has changed since; nothing was "
        "stored",
        code="link-void",
    )
