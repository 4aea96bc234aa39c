"""A form that a person sent: one act, written once, or nothing at all.

What was on the screen decides what can be agreed to. The answers are held against the
notice that the form's token names, not against what the app declares by now; if the
two differ in what a grant rests on, the person is asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.audit.replay import act_of
from consentkit.core.act import AUTHORISING
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import Choice
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.status import status_of
from consentkit.errors import InvalidRequestError
from consentkit.log.leaf import read_leaf
from consentkit.service.honouring import is_covered
from consentkit.service.recording import PersonRecorder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.core.canonical import JSON
    from consentkit.core.notice import Notice
    from consentkit.core.notice import Offer
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation

__all__ = ["ANSWERS", "Answer", "Submission", "choose"]

ANSWERS = frozenset({State.GIVEN, State.REFUSED, State.DEFERRED})
"""What a person can say to a question."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person said to one question.

    ``optional`` are the optional categories they ticked.
    """

    state: State
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Submission:
    """A form that came back with a token that is genuine, fresh and the person's own.

    ``challenge`` is the SHA-256 of the token, in hex; whoever calls has checked the
    token. ``facts`` are the private circumstances, kept sealed and only committed to.
    ``signal`` says that the browser opts out of sharing.
    """

    subject: str
    notice: str
    challenge: str
    answers: Mapping[tuple[str, str], Answer]
    channel: Channel
    facts: Mapping[str, JSON]
    signal: bool = False


def choose(installation: Installation, submission: Submission) -> Leaf:
    """Write the act; a token that was already spent gives the first act's leaf back.

    Raises:
        InvalidRequestError: an answer was not on offer, or what the notice rests on
            has changed since (code ``stale-notice``). Nothing is stored.
        LogUnavailableError: the database cannot be written. Nothing is stored.
    """
    notice = installation.history.notice(submission.notice)
    if notice is None:
        raise InvalidRequestError(
            "this form belongs to no notice that was ever shown here",
            code="stale-notice",
        )
    with installation.ledger.write() as transaction:
        recorder = PersonRecorder.lock(installation, transaction, submission.subject)
        spent = transaction.leaf_of_challenge(submission.challenge)
        if spent is not None:
            return _same(read_leaf(spent), recorder, submission, notice)
        _check_current(installation, notice)
        _check_told(installation, submission, notice)
        standing = transaction.statuses(submission.subject)
        choices = _choices(submission, notice, standing, recorder.now)
        leaf = recorder.append(
            Kind.CHOICE,
            {
                "actor": Actor.SUBJECT.value,
                "assurance": Assurance.SESSION.value,
                "challenge": submission.challenge,
                "channel": submission.channel.value,
                "choices": [choice.to_dict() for choice in choices],
                "notice": notice.digest,
            },
            evidence=submission.facts,
        )
        act = act_of(leaf)
        for choice in choices:
            transaction.set_status(
                submission.subject, choice.key, status_of(act, choice)
            )
        return leaf


def _same(
    leaf: Leaf, recorder: PersonRecorder, submission: Submission, notice: Notice
) -> Leaf:
    """The act of a form that is sent twice: not somebody else's, nor another answer.

    Who goes back and presses the other button must not be told that the first counts.
    """
    if leaf.subject != recorder.person.handle:
        raise InvalidRequestError(
            "this form was already used by somebody else", code="foreign-token"
        )
    said = {choice.key: choice for choice in act_of(leaf).choices}
    same = leaf.body.get("notice") == notice.digest and all(
        key in said and _says(said[key], answer, notice.offers[key])
        for key, answer in submission.answers.items()
    )
    if not same:
        raise InvalidRequestError(
            "this form was already used for another answer; nothing was stored",
            code="token-spent",
        )
    return leaf


def _says(choice: Choice, answer: Answer, offer: Offer) -> bool:
    if answer.state is State.GIVEN:
        return choice.state in AUTHORISING and choice.data == _data(offer, answer)
    return choice.state is answer.state


def _check_current(installation: Installation, notice: Notice) -> None:
    """Refuse a notice that no longer says what an answer would rest on."""
    for key, offer in notice.offers.items():
        question = installation.registry.question(*key)
        if question is None or question.scope != offer.scope:
            raise InvalidRequestError(
                "what is asked has changed since this form was shown; nothing was "
                "stored, please answer the new question",
                code="stale-notice",
            )


def _check_told(
    installation: Installation, submission: Submission, notice: Notice
) -> None:
    """Refuse a yes that the browser's own signal would undo at once."""
    if not submission.signal or notice.tells_of_signal:
        return
    for key, answer in submission.answers.items():
        if answer.state is State.GIVEN and is_covered(installation, key):
            raise InvalidRequestError(
                "the browser says no to sharing, and this form did not tell that a yes "
                "would count in spite of it; nothing was stored",
                code="stale-notice",
            )


def _choices(
    submission: Submission,
    notice: Notice,
    standing: Mapping[tuple[str, str], Status],
    now: Millis,
) -> tuple[Choice, ...]:
    """One choice a question: as answered, or as not answered yet."""
    unknown = set(submission.answers) - set(notice.offers)
    if unknown:
        raise InvalidRequestError(
            "the form answers a question that it did not ask", code="not-offered"
        )
    if any(answer.state not in ANSWERS for answer in submission.answers.values()):
        raise InvalidRequestError(
            "each question takes one answer: given, refused or deferred",
            code="not-offered",
        )
    choices = []
    for key, offer in sorted(notice.offers.items()):
        answer = submission.answers.get(key)
        if answer is None and key in standing:
            continue  # silence changes nothing that was said before
        choices.append(_choice(offer, answer, notice, standing.get(key), now))
    if not choices:
        raise InvalidRequestError(
            "no question was answered; nothing was stored", code="no-answer"
        )
    return tuple(choices)


def _data(offer: Offer, answer: Answer) -> tuple[str, ...]:
    """What a yes covers: all that is needed, and the optional data that was ticked."""
    if not answer.optional <= set(offer.optional):
        raise InvalidRequestError(
            "the form covers data that it did not ask about", code="not-offered"
        )
    data = set(offer.data) - set(offer.optional) | answer.optional
    if not data:
        raise InvalidRequestError(
            "a yes was given to none of the data; tick some of it, or answer no",
            code="no-answer",
        )
    return tuple(sorted(data))


def _choice(
    offer: Offer,
    answer: Answer | None,
    notice: Notice,
    before: Status | None,
    now: Millis,
) -> Choice:
    state = answer.state if answer else State.REQUESTED
    data: tuple[str, ...] = ()
    until = Millis(0)
    if answer and state is State.GIVEN:
        data = _data(offer, answer)
        until = Millis(now + notice.validity(offer.key))
        if before is not None and before.state in AUTHORISING:
            state = State.RENEWED
    return Choice(
        purpose=offer.purpose,
        recipient=offer.recipient,
        data=data,
        scope=offer.scope,
        state=state,
        until=until,
    )
