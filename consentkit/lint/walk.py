"""A walk through a running app: declining, agreeing and taking back, without scripts.

The walk begins where people begin. It looks for a question and for the place where
answers are changed, at most two clicks away, by links alone; then it says no, looks
round again, says yes, and takes it back. It answers for the person whose cookies it is
given, so it wants a test account, and it leaves that account with nothing agreed to.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from time import monotonic
from typing import TYPE_CHECKING

from consentkit.errors import InvalidRequestError
from consentkit.lint import lexicon
from consentkit.lint.answering import act_for
from consentkit.lint.answering import answered
from consentkit.lint.answering import untouched
from consentkit.lint.choice_rules import is_on
from consentkit.lint.control import Kind
from consentkit.lint.passages import visible_text
from consentkit.lint.visitor import Screen
from consentkit.lint.visitor import Visitor
from consentkit.lint.visitor import filled_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.lint.tree import Element

__all__ = ["Journey", "Place", "walk"]

# App Measures count four clicks to the policy; our list asks for two to the stop.
_MOST_CLICKS = 2
_MOST_PAGES = 40
# A page that is hardly more than the question was opened to see the question.
_MOSTLY, _FEW_SIGNS = 0.6, 300


@dataclass(frozen=True, slots=True)
class Place:
    """A screen, and how many clicks from the start it is."""

    screen: Screen
    clicks: int


@dataclass(slots=True)
class Journey:
    """What a walk met. A number that could not be found out is None."""

    start: str
    question: str
    signal_shown: bool = True
    signal_overridden: bool = False
    visits_grant: list[str] = field(default_factory=list)
    untouched_grants: bool = False
    features_grant: list[str] = field(default_factory=list)
    decline_seconds: float = 0.0
    accept_seconds: float = 0.0
    decline_steps: int | None = None
    accept_steps: int | None = None
    came_by_itself: bool = False
    asked_again: list[str] = field(default_factory=list)
    refused_service: str = ""
    stop_place: str = ""
    dead_links: list[str] = field(default_factory=list)
    stop_clicks: int = 0
    stop_steps: int | None = None
    stop_demands: list[str] = field(default_factory=list)

    @property
    def answered(self) -> bool:
        """Whether the question could be answered by sending its form."""
        return self.accept_steps is not None


def walk(start: str, *, cookies: Mapping[str, str] | None = None) -> Journey:
    """Walk through the app that answers at ``start``, as the person of the cookies.

    Raises:
        InvalidRequestError: nobody answers there, or no question is within two clicks.
    """
    visitor = Visitor(cookies or {})
    places = _crawl(visitor, start)
    asking = next((p for p in places if p.screen.asking), None)
    if asking is None:
        raise InvalidRequestError(
            f"expected a question about consent within {_MOST_CLICKS} clicks of "
            f"{start!r}, and found none: begin nearer to it, or give the cookie of "
            "somebody who is signed in and has not answered yet",
            code="no-question",
        )
    journey = Journey(start, asking.screen.url)
    _send_signal(journey, cookies or {})
    _only_visit(journey, visitor, start, places)
    if not journey.visits_grant:
        _only_use(journey, visitor, start, places)
    _decline(journey, visitor, places)
    _accept_and_stop(journey, visitor, asking.clicks)
    return journey


def _crawl(visitor: Visitor, start: str) -> list[Place]:
    """Return the pages within reach, nearest first, each opened once."""
    places: list[Place] = []
    seen, pending = {start}, [(start, 0)]
    while pending and len(places) < _MOST_PAGES:
        url, clicks = pending.pop(0)
        screen = visitor.get(url)
        places.append(Place(screen, clicks))
        if clicks == _MOST_CLICKS or not screen.works:
            continue
        for address, words in screen.links():
            if address not in seen and not lexicon.has("leaving-link", words):
                seen.add(address)
                pending.append((address, clicks + 1))
    return places


def _standing(visitor: Visitor, start: str) -> int:
    """Count what is agreed to now: stop buttons and boxes that are on, in reach."""
    return sum(_agreed(place.screen) for place in _crawl(visitor, start))


def _agreed(screen: Screen) -> int:
    boxes = (
        control
        for question in screen.page.questions
        for control in question.controls
        if control.is_toggle and control.says_yes and control.kind is not Kind.SELECT
    )
    return len(screen.stops()) + sum(is_on(control) for control in boxes)


def _send_signal(journey: Journey, cookies: Mapping[str, str]) -> None:
    """Open the question with Sec-GPC: 1 (D44)."""
    screen = Visitor(cookies, signal=True).get(journey.question)
    sharing = [question for question in screen.asking if question.shares]
    journey.signal_overridden = any(
        is_on(control) for question in sharing for control in question.controls
    )
    text = lexicon.fold(visible_text(screen.document))
    journey.signal_shown = not sharing or lexicon.has("signal-status", text)


def _only_visit(
    journey: Journey, visitor: Visitor, start: str, places: list[Place]
) -> None:
    """Open addresses, those of answers included; see whether that agrees (D02, D24)."""
    before = _standing(visitor, start)
    for place in places:
        for question in place.screen.asking:
            act = act_for(place.screen, question, yes=True, ticking=True)
            if act is not None:
                visitor.send(act.url, list(act.fields), method="get")
                if _standing(visitor, start) > before:
                    journey.visits_grant.append(act.url)
                    return
    screen = visitor.get(journey.question)
    acts = (untouched(screen, question) for question in screen.asking)
    act = next(filter(None, acts), None)
    if act is not None and act.method == "post":
        act.done_by(visitor)
        journey.untouched_grants = _standing(visitor, start) > before


def _only_use(
    journey: Journey, visitor: Visitor, start: str, places: list[Place]
) -> None:
    """Use what else there is to use, as far as that changes nothing (D12).

    A form that is sent by GET asks for a page; others might order or delete.
    """
    before = _standing(visitor, start)
    for place in places:
        for form in place.screen.lookups():
            address = place.screen.address_of(form.get("action") or place.screen.url)
            if not address or address in journey.features_grant:
                continue
            visitor.send(address, filled_in(form), method="get")
            if _standing(visitor, start) > before:
                journey.features_grant.append(address)
                return


def _decline(journey: Journey, visitor: Visitor, places: list[Place]) -> None:
    """Say no, then go round again (D05, D14, D28)."""
    worked = {place.screen.url for place in places if place.screen.works}
    screen = visitor.get(journey.question)
    begun = monotonic()
    journey.decline_steps = answered(visitor, screen, yes=False)
    journey.decline_seconds = monotonic() - begun
    if journey.decline_steps is None:
        return
    for place in _crawl(visitor, journey.start):
        again = place.screen
        if any(_is_unbidden(again, question.element) for question in again.asking):
            journey.asked_again.append(again.url)
        if not again.works and again.url in worked:
            journey.refused_service = again.url


def _is_unbidden(screen: Screen, question: Element) -> bool:
    """Tell whether the page is about something else and asks all the same."""
    everything = len(visible_text(screen.document))
    asked = len(visible_text(question))
    return asked < _MOSTLY * everything and everything - asked > _FEW_SIGNS


def _accept_and_stop(journey: Journey, visitor: Visitor, clicks: int) -> None:
    """Say yes, then look for the way back and go it (D31, D32)."""
    screen = visitor.get(journey.question)
    if not screen.asking and visitor.is_anonymous:
        visitor = Visitor({})  # the no is kept; somebody new is asked again
        screen = visitor.get(journey.question)
    before = _standing(visitor, journey.start)
    begun = monotonic()
    journey.accept_steps = answered(visitor, screen, yes=True)
    journey.accept_seconds = monotonic() - begun
    if _standing(visitor, journey.start) <= before:
        screen = visitor.get(journey.question)
        journey.accept_steps = answered(visitor, screen, yes=True, ticking=True)
    if journey.accept_steps is None:
        return
    journey.accept_steps += clicks
    journey.came_by_itself = not clicks
    if journey.decline_steps is not None:
        journey.decline_steps += clicks
    places = _crawl(visitor, journey.start)
    journey.dead_links = [
        address
        for place in places
        for address, words in place.screen.links()
        if lexicon.has("manage-link", words)
        and any(p.screen.url == address and not p.screen.works for p in places)
    ]
    stops = [(place, stop) for place in places for stop in place.screen.stops()]
    if stops:
        place, stop = stops[0]
        journey.stop_place = place.screen.url
        journey.stop_clicks = place.clicks
        journey.stop_steps = place.clicks + _stop(journey, visitor, place.screen, stop)


def _stop(journey: Journey, visitor: Visitor, screen: Screen, stop: Element) -> int:
    """Press the stop button until it is done; return how many presses that took."""
    presses = 1
    shown = _pressed(journey, visitor, screen, stop)
    while shown is not None and shown.works and presses < _MOST_PAGES:
        further = shown.stops()
        # A list of what still stands is no second question; a further page is.
        if not further or shown.url == screen.url:
            break
        presses += 1
        shown = _pressed(journey, visitor, shown, further[0])
    return presses


def _pressed(
    journey: Journey, visitor: Visitor, screen: Screen, stop: Element
) -> Screen | None:
    if stop.tag == "a":
        address = screen.address_of(stop.get("href"))
        if not address:
            journey.stop_demands.append(f"it leads elsewhere: {stop.get('href')}")
            return None
        return visitor.get(address)
    form = next((e for e in stop.ancestors() if e.tag == "form"), None)
    if form is None:
        return None
    for element in form.find("input", "select", "textarea"):
        if element.has("required") and element.get("type").lower() != "hidden":
            journey.stop_demands.append(f"it demands {element.get('name')!r}")
    target = stop.get("formaction") or form.get("action") or screen.url
    action = screen.address_of(target)
    if not action:
        journey.stop_demands.append(f"it leads elsewhere: {target}")
        return None
    method = form.get("method") or "get"
    return visitor.send(action, filled_in(form, chosen=[stop]), method=method)
