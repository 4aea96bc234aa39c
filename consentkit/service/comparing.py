"""What has changed since a person's last answer, to tell them before they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.audit.replay import act_of
from consentkit.core.act import Kind
from consentkit.core.change import Aspect
from consentkit.core.change import Change
from consentkit.core.change import compare
from consentkit.log.leaf import read_leaf

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.core.notice import Notice
    from consentkit.core.registry import Question
    from consentkit.core.status import Status
    from consentkit.service.installation import Installation

__all__ = ["Difference", "answered_notices", "differences"]

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One change, and the recipient of the question that it is about."""

    recipient: str
    change: Change


def answered_notices(
    installation: Installation, subject: str, standing: Mapping[Key, Status]
) -> dict[Key, Notice]:
    """The notice that each standing answer, or the answer it ended, was given to.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    named = {key: status.notice for key, status in standing.items()}
    if not all(named.values()):  # whoever stops is shown no notice
        lacking = {key for key, digest in named.items() if not digest}
        named |= _given_to(installation, subject, lacking)
    found = {
        key: installation.history.notice(digest)
        for key, digest in named.items()
        if digest
    }
    return {key: notice for key, notice in found.items() if notice is not None}


def _given_to(
    installation: Installation, subject: str, keys: set[Key]
) -> dict[Key, str]:
    person = installation.history.person(subject)
    found: dict[Key, str] = {}
    for stored in installation.history.acts(person.handle) if person else ():
        leaf = read_leaf(stored.data)
        if leaf.kind is Kind.CHOICE:
            for choice in act_of(leaf).choices:
                if choice.key in keys:
                    found.setdefault(choice.key, str(leaf.body["notice"]))
    return found


def differences(
    questions: Iterable[Question], notices: Mapping[Key, Notice]
) -> tuple[Difference, ...]:
    """How ``questions``, all those of one purpose, differ from what was answered.

    ``notices`` are those that the standing answers to them were given to, none where
    nothing was answered yet. The separate question of a transfer has nothing of its
    own to tell: it changes with the other one.
    """
    asked = {each.key: each for each in questions if not each.transfer}
    return (
        *(each for question in asked.values() for each in _since(question, notices)),
        *_removed(asked, notices),
    )


def _since(question: Question, notices: Mapping[Key, Notice]) -> Iterator[Difference]:
    recipient = question.recipient_id
    if question.key in notices:
        before = notices[question.key].definition(question.key)
        for change in compare(before, question.definition()) if before else ():
            yield Difference(recipient, change)
    elif notices:
        name = (question.recipient.name,)
        yield Difference(recipient, Change(Aspect.RECIPIENT_ADDED, after=name))


def _removed(
    asked: Mapping[Key, Question], notices: Mapping[Key, Notice]
) -> Iterator[Difference]:
    """The recipients of this purpose who were asked about and are no longer."""
    purposes = {purpose for purpose, _ in asked}
    gone = {
        key: notice.definition(key)
        for notice in notices.values()
        for key in notice.offers
        if key[0] in purposes and key not in asked
    }
    for key, before in sorted(gone.items()):
        if before is not None:
            name = (str(before["recipient"]["name"]),)
            yield Difference(key[1], Change(Aspect.RECIPIENT_REMOVED, name))
