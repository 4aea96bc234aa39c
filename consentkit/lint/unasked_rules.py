"""Rules for what the page does unasked: by time, by gesture, before the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.rule import Flaw
from consentkit.lint.rule import error
from consentkit.lint.script import foreign_call
from consentkit.lint.script import kept_cookie

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.question import Question
    from consentkit.lint.tree import Element

__all__ = ["RULES"]

# Handlers of what a person does without answering.
_GESTURES = (
    "onbeforeunload",
    "onblur",
    "onmouseleave",
    "onmousemove",
    "onmouseout",
    "onmouseover",
    "onpagehide",
    "onscroll",
    "ontouchmove",
    "onwheel",
)


@error("D26", "timeout-consent", source="GDPR rec.32 (inactivity); WCAG 2.2.1")
def _timeout_consent(question: Question) -> Iterator[Flaw]:
    """Waiting gives no consent."""
    if not (question.asks or question.implies):
        return
    do = "Do nothing until the person does something."
    for element in question.surroundings.refreshes:
        yield Flaw(element, "the page goes on by itself after a time", do)
    for element, code in question.surroundings.scripts:
        if lexicon.has("automatic-submit", code):
            yield Flaw(element, "a script answers after a time", do)
    for element in question.element.elements():
        if element.get("role").lower() == "timer" or _is_countdown(element):
            yield Flaw(element, "a clock runs while the person decides", do)
    for passage in question.passages:
        if words := lexicon.claims("automatic", passage.folded):
            yield Flaw(passage.element, f"the text lets time decide: {words!r}", do)


def _is_countdown(element: Element) -> bool:
    words = f"{element.get('class')} {element.get('id')}".lower()
    return "countdown" in words or "count-down" in words


@error("D27", "gesture-consent", source="EDPB 05/2020 Ex.16 (p.86); GDPR rec.32")
def _gesture_consent(question: Question) -> Iterator[Flaw]:
    """Neither scrolling nor closing writes a yes."""
    if not (question.asks or question.implies):
        return
    do = "Let only the button that says yes send one."
    for element, code in question.surroundings.scripts:
        if lexicon.has("gesture-script", code):
            yield Flaw(element, "a script takes a movement or a key for a yes", do)
    for element in (*question.element.lineage(), *question.element.elements()):
        for name in _GESTURES:
            if lexicon.has("gesture-handler", lexicon.fold(element.get(name))):
                why = f"the handler {name!r} takes a movement for a yes"
                yield Flaw(element, why, do)
    for control in question.controls:
        cross = lexicon.matches("close-label", control.folded.strip(" .!"))
        grants = lexicon.has(
            "gesture-handler", lexicon.fold(control.element.get("onclick"))
        )
        if cross and (control.says_yes or grants):
            yield Flaw(control.element, "closing the question gives consent", do)


@error("D38", "acts-before-choice", source="EDPB 05/2020 p.90; App Measures III.1")
def _acts_before_choice(question: Question) -> Iterator[Flaw]:
    """Nothing is fetched from another party before the answer."""
    for element, host in question.surroundings.foreign_loads:
        if element.within(question.element) or _can_track(element):
            why = f"showing the question already calls {host}"
            yield Flaw(element, why, "Serve it from your own host, or after the yes.")
    if not (question.asks or question.implies):
        return
    for element, code in question.surroundings.scripts:
        if host := foreign_call(code, own=question.surroundings.own_hosts):
            why = f"a script calls {host} before the answer"
            yield Flaw(element, why, "Call nobody before the yes.")
        if name := kept_cookie(code):
            why = f"a script keeps the cookie {name!r} before the answer"
            yield Flaw(element, why, "Set it after the yes.")


def _can_track(element: Element) -> bool:
    """Tell whether it tells another host of the visit, or runs that host's code.

    A picture outside the question is the page's own matter; a pixel is a tracker.
    """
    if element.tag in {"embed", "iframe", "link", "object", "script", "style"}:
        return "icon" not in element.tokens("rel")
    sizes = {element.get("width"), element.get("height")}
    return element.tag == "img" and bool(sizes & {"0", "1"})


@error("D44", "signal-ignored", source="CCPA 7025(c)(1), (c)(6); W3C GPC")
def _signal_ignored(question: Question) -> Iterator[Flaw]:
    """The text does not say that an opt-out signal counts for nothing."""
    for passage in question.prose:
        if words := lexicon.search("signal-refused", passage.folded):
            why = f"the text sets the signal aside: {words!r}"
            yield Flaw(passage.element, why, "Take Sec-GPC: 1 for a no, and say so.")


RULES = (_timeout_consent, _gesture_consent, _acts_before_choice, _signal_ignored)
