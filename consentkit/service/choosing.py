"""A form that a person sent: one act, written once, or nothing at all.

What was on the screen decides what can be agreed to. The answers are held against the
notice that the form's token names, not against what the app declares by now; if the
two differ in what a grant rests on, the person is asked again.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.audit.replay import act_of
from consentkit.core.act import AUTHORISING
from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import Choice
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.status import status_of
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogUnavailableError
from consentkit.log.leaf import read_leaf
from consentkit.service.awaiting import AWAITS
from consentkit.service.awaiting import Awaited
from consentkit.service.awaiting import awaited_in
from consentkit.service.awaiting import hold_back
from consentkit.service.honouring import is_covered
from consentkit.service.joining import Half
from consentkit.service.joining import halves_in
from consentkit.service.maturity import mature
from consentkit.service.openings import check_not_erased_since
from consentkit.service.outbox import tell_of_change
from consentkit.service.recording import PersonRecorder
from consentkit.service.representing import OWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.core.canonical import JSON
    from consentkit.core.notice import Notice
    from consentkit.core.notice import Offer
    from consentkit.core.representative import Representative
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.service.openings import Opening
    from consentkit.service.representing import Authority

    Key = tuple[str, str]

__all__ = [
    "ANSWERS",
    "Answer",
    "Chosen",
    "Submission",
    "check_current",
    "check_told",
    "choose",
    "write_choices",
]

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
    token. ``opened`` is what it says of the person; None where what is answered is a
    standing act of theirs, which an erasure takes away with all others. ``facts`` are
    the private circumstances, kept sealed and only committed to.
    ``signal`` says that the browser opts out of sharing. ``representative`` is who acts
    for the person, None where they do it themselves.
    """

    subject: str
    notice: str
    challenge: str
    answers: Mapping[tuple[str, str], Answer]
    channel: Channel
    facts: Mapping[str, JSON]
    signal: bool = False
    representative: Representative | None = None
    opened: Opening | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What came of a form: the act that tells it, and each yes that is to be confirmed.

    ``leaf`` is the new act; where all that was said waits for its confirmation and an
    earlier yes stands until then, it is the act of that yes. ``awaited`` is what a link
    is to be sent for now, ``notice`` the digest of what it was said to.
    """

    leaf: Leaf
    awaited: tuple[Awaited, ...] = ()
    notice: str = ""


def choose(installation: Installation, submission: Submission) -> Chosen:
    """Write the act; a token that was already spent gives the first act's leaf back.

    For a purpose of two stages a yes is written as *requested*, or not at all where an
    earlier yes stands: whoever calls sends the link.

    Raises:
        InvalidRequestError: no question was answered (code ``no-answer``), an answer
            was not on offer, or what the notice rests on has changed since
            (``stale-notice``), or the person was erased since (``erased-since``), or
            it is not for who acts to give (see ``maturity``). Nothing is stored.
        LogUnavailableError: the database cannot be written. Nothing is stored.
    """
    if not submission.answers:  # silence is no answer
        raise InvalidRequestError(
            "no question was answered; nothing was stored", code="no-answer"
        )
    notice = installation.history.notice(submission.notice)
    if notice is None:
        raise InvalidRequestError(
            "this form belongs to no notice that was ever shown here",
            code="stale-notice",
        )
    with (
        contextlib.ExitStack() as afterwards,
        installation.ledger.write() as transaction,
    ):
        recorder = PersonRecorder.lock(installation, transaction, submission.subject)
        if submission.opened is not None:
            check_not_erased_since(recorder, submission.opened)
        spent = transaction.leaf_of_challenge(submission.challenge)
        if spent is not None:
            return Chosen(_same(read_leaf(spent), recorder, submission, notice))
        check_current(installation, notice)
        check_told(installation, submission, notice)
        standing = transaction.statuses(submission.subject)
        if any(status.state in AUTHORISING for status in standing.values()):
            # Without a yes from before, this ends nothing that could be leaving.
            afterwards.enter_context(installation.sends.settled(submission.subject))
        return _chosen(recorder, submission, notice, standing)


def _chosen(
    recorder: PersonRecorder,
    submission: Submission,
    notice: Notice,
    standing: Mapping[tuple[str, str], Status],
) -> Chosen:
    """Write what is theirs to say now; of two stages, what does not wait."""
    said, authority = mature(
        recorder,
        _choices(submission, notice, standing, recorder.now),
        standing,
        submission.representative,
    )
    choices, awaited = hold_back(said, notice, standing, recorder.now)
    if not choices:
        leaf = _standing_act(recorder, awaited[0].rests_on)
    else:
        leaf = write_choices(
            recorder, submission, choices, awaited=awaited, authority=authority
        )
        tell_of_change(recorder, leaf, choices, standing)
    waits = tuple(each.resting_on(leaf.id) for each in awaited)
    return Chosen(leaf, waits, notice.digest)


def write_choices(
    recorder: PersonRecorder,
    submission: Submission,
    choices: tuple[Choice, ...],
    *,
    assurance: Assurance = Assurance.SESSION,
    awaited: tuple[Awaited, ...] = (),
    authority: Authority = OWN,
) -> Leaf:
    """Append what a person chose, and let the state follow it.

    Raises:
        LogUnavailableError: the database cannot be written.
    """
    waits = {AWAITS: [each.to_dict() for each in awaited]} if awaited else {}
    leaf = recorder.append(
        Kind.CHOICE,
        {
            "actor": authority.actor.value,
            "assurance": assurance.value,
            "challenge": submission.challenge,
            "channel": submission.channel.value,
            "choices": [choice.to_dict() for choice in choices],
            "notice": submission.notice,
        },
        evidence={**submission.facts, **waits, **authority.facts},
    )
    act = act_of(leaf)
    for choice in choices:
        recorder.transaction.set_status(
            submission.subject, choice.key, status_of(act, choice)
        )
    return leaf


def _standing_act(recorder: PersonRecorder, record: str) -> Leaf:
    """The act of a yes that stands until the new one is confirmed."""
    stored = recorder.installation.history.leaf(record, recorder.person.handle)
    if stored is None:
        raise LogUnavailableError("an act that an answer rests on is not in the log")
    return read_leaf(stored.data)


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
    said: dict[Key, Choice | Awaited | Half] = {}
    said |= {choice.key: choice for choice in act_of(leaf).choices}
    waits = awaited_in(recorder.installation, recorder.person, leaf)
    said |= {each.key: each for each in waits}
    said |= halves_in(recorder.installation, recorder.person, leaf)
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


def _says(said: Choice | Awaited | Half, answer: Answer, offer: Offer) -> bool:
    """Whether that was the answer; a yes that waits is a yes."""
    if not isinstance(said, Choice):
        return answer.state is State.GIVEN and said.data == _data(offer, answer)
    if answer.state is State.GIVEN:
        return said.grants and said.data == _data(offer, answer)
    return said.state is answer.state


def check_current(installation: Installation, notice: Notice) -> None:
    """Refuse a notice that no longer says what an answer would rest on."""
    for key, offer in notice.offers.items():
        question = installation.registry.question(*key)
        if (
            question is None
            or question.scope != offer.scope
            or question.purpose.two_stage != notice.is_two_stage(key)
        ):
            raise InvalidRequestError(
                "what is asked has changed since this form was shown; nothing was "
                "stored, please answer the new question",
                code="stale-notice",
            )


def check_told(
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
    """One choice a question: as answered, or beside an answer as not answered yet."""
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
    return tuple(
        _choice(offer, submission.answers.get(key), notice, standing.get(key), now)
        for key, offer in sorted(notice.offers.items())
        # Silence changes nothing that was said before.
        if key in submission.answers or key not in standing
    )


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
