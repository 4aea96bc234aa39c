"""What a card says of an answer that somebody else had a part in."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from consentkit.audit.replay import act_of
from consentkit.core.act import AUTHORISING
from consentkit.core.act import Actor
from consentkit.core.act import State
from consentkit.core.registry import CROSS_BORDER
from consentkit.log.leaf import read_leaf
from consentkit.service.joining import waiting_halves
from consentkit.web.acting import FORBIDDEN
from consentkit.web.acting import left_to
from consentkit.web.answers import ended_text
from consentkit.web.answers import waiting_line
from consentkit.web.locale import mark
from consentkit.web.subject import current_representative

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Mapping
    from collections.abc import Sequence

    from consentkit.core.act import Millis
    from consentkit.core.status import Status
    from consentkit.store.subjects import Person
    from consentkit.web.answers import CardView
    from consentkit.web.answers import ChoiceLine
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = ["reopened", "told_halves", "told_of_others"]

Key = tuple[str, str]

_BY = {
    Actor.PARENT: mark("A parent decided this for you on {since}."),
    Actor.GUARDIAN: mark("A guardian decided this for you on {since}."),
    Actor.DELEGATE: mark("Somebody you chose decided this for you on {since}."),
}
_LAPSED = mark(
    "A parent or guardian agreed to this for you. You are old enough to decide now, "
    "so it counts only if you say yes yourself."
)
_HALF = mark(
    "One yes of two is there. It counts once the child and a parent or guardian "
    "have both said yes."
)


@dataclass(frozen=True, slots=True)
class _Others:
    """Who had a part in one person's answers, and when the person came of age."""

    actors: Mapping[str, Actor]
    halves: Collection[Key]
    of_age: Millis | None
    now: Millis


def told_of_others(
    state: AppState,
    subject: str,
    cards: Sequence[CardView],
    standing: Mapping[Key, Status],
    locale: Locale,
) -> tuple[CardView, ...]:
    """The cards, each with who decided it if it was not the person alone.

    What was agreed to for a child that has come of age is told as ended, and can still
    be stopped. A delegate sees what was left to them.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    installation = state.installation
    person = installation.history.person(subject)
    others = _Others(
        actors=_actors(state, person, standing),
        halves=waiting_halves(installation, person, standing).keys(),
        of_age=installation.representations.of_age(subject),
        now=installation.clock(),
    )
    limit = left_to(state, current_representative(state))
    told = []
    for card in cards:
        key = card.matter.key
        if limit is None or key[0].removesuffix(CROSS_BORDER) in limit:
            each = _told(card, standing[key], others, locale)
            if limit is not None:
                each = replace(each, receipt_url="")
            told.append(_unless_forbidden(state, subject, each, others, locale))
    return tuple(told)


def told_halves(
    state: AppState,
    subject: str,
    lines: Sequence[ChoiceLine],
    standing: Mapping[Key, Status],
    locale: Locale,
) -> tuple[ChoiceLine, ...]:
    """The lines, with those of a yes that waits for the other one told as such.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    installation = state.installation
    person = installation.history.person(subject)
    halves = waiting_halves(installation, person, standing)
    return tuple(
        waiting_line(
            line, halves[line.matter.key].data, installation.registry, locale, now=_HALF
        )
        if line.matter.key in halves
        else line
        for line in lines
    )


def reopened(
    state: AppState, subject: str, standing: Mapping[Key, Status]
) -> frozenset[Key]:
    """The questions that are open to who is here, whatever was answered.

    That is, one yes waits for theirs, or the person came of age.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    if not standing:
        return frozenset()
    installation = state.installation
    acting, now = current_representative(state), installation.clock()
    of_guardian = acting is not None and acting.is_guardian
    person = installation.history.person(subject)
    halves = waiting_halves(installation, person, standing)
    of_age = installation.representations.of_age(subject)
    waiting = {k for k, each in halves.items() if each.of_guardian is not of_guardian}
    lapsed = {
        key
        for key, status in standing.items()
        if status.authorises(now) and now >= status.ends(of_age)
    }
    return frozenset(waiting | lapsed)


def _actors(
    state: AppState, person: Person | None, standing: Mapping[Key, Status]
) -> dict[str, Actor]:
    """Who acted, by the record that an answer rests on; not where the person did."""
    records = {status.record for status in standing.values()}
    stored = state.installation.history.acts(person.handle) if person else ()
    acts = (act_of(read_leaf(each.data)) for each in stored)
    return {act.id: act.actor for act in acts if act.id in records}


def _told(card: CardView, status: Status, others: _Others, locale: Locale) -> CardView:
    if card.matter.key in others.halves:
        return replace(card, since=locale.text(_HALF))
    lapsed = status.state in AUTHORISING and status.ends(others.of_age) < status.until
    if lapsed and others.now >= status.ends(others.of_age):
        return replace(
            card,
            group="ended",
            stands=ended_text(card.matter, locale),
            since=locale.text(_LAPSED),
        )
    by = _BY.get(others.actors.get(status.record, Actor.SUBJECT))
    over = card.group == "ended" and status.state in AUTHORISING
    # Of what is over the card says why; of what nobody answered, that nobody did.
    if by is None or over or status.state is State.REQUESTED:
        return card
    return replace(card, since=locale.text(by, since=locale.date(status.since)))


def _unless_forbidden(
    state: AppState, subject: str, card: CardView, others: _Others, locale: Locale
) -> CardView:
    """The card as it is, or told as ended where the law lets nobody do it."""
    registry, ages = state.installation.registry, state.installation.ages
    purpose = registry.purposes.get(card.matter.key[0].removesuffix(CROSS_BORDER))
    forbidden = purpose is not None and ages.forbids(
        purpose, subject, others.now, others.of_age
    )
    if not forbidden:
        return card
    return replace(
        card,
        group="ended",
        stands=ended_text(card.matter, locale),
        since=locale.text(FORBIDDEN),
        ask_url="",
    )
