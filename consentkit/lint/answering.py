"""How a question is answered by somebody without scripts, and in how many steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.lint.control import Control
from consentkit.lint.control import Kind
from consentkit.lint.control import Meaning
from consentkit.lint.visitor import Screen
from consentkit.lint.visitor import Visitor
from consentkit.lint.visitor import filled_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consentkit.lint.question import Question
    from consentkit.lint.tree import Element

__all__ = ["Act", "act_for", "answered", "untouched"]

_YES = (Meaning.ACCEPT, Meaning.ACCEPT_ALL)
# Asking "are you sure?" more often than this ends nowhere.
_MOST_LAYERS = 4


@dataclass(frozen=True, slots=True)
class Act:
    """One form to send, or one link to follow; ``steps`` are clicks and key presses."""

    url: str
    method: str
    fields: tuple[tuple[str, str], ...]
    steps: int

    def done_by(self, visitor: Visitor) -> Screen:
        """Send it and return what is shown then."""
        return visitor.send(self.url, list(self.fields), method=self.method)


def act_for(
    screen: Screen, question: Question, *, yes: bool, ticking: bool = False
) -> Act | None:
    """Return how a yes or a no is given here, or None where it takes a script.

    With ``ticking``, the boxes are ticked before the yes is pressed: a button "Share
    what I ticked" means nothing without them, another is a yes by itself.
    """
    meanings = _YES if yes else (Meaning.DECLINE,)
    controls = question.meaning(*meanings)
    chosen = [c for c in controls if c.kind is Kind.RADIO or (yes and c.is_toggle)]
    pressed = [c for c in controls if c.kind in {Kind.BUTTON, Kind.LINK}]
    if pressed:
        ticked = [c for c in chosen if c.is_toggle and ticking]
        return _press(screen, question, pressed[0], ticked)
    saves = [c for c in question.controls if c.is_submit and not c.is_inert]
    saves = [c for c in saves if not c.meaning]
    if not saves:
        return None
    # Boxes that start off are declined by leaving them alone.
    return _press(screen, question, saves[0], chosen)


def untouched(screen: Screen, question: Question) -> Act | None:
    """Return how the form is sent with all that it shows left as it is (D02)."""
    saves = [c for c in question.controls if c.is_submit and not c.is_inert]
    saves = [c for c in saves if not c.meaning]
    return _press(screen, question, saves[0], []) if saves else None


def _press(
    screen: Screen, question: Question, pressed: Control, chosen: Sequence[Control]
) -> Act | None:
    element, steps = pressed.element, len(chosen) + 1
    if pressed.kind is Kind.LINK:
        url = screen.address_of(element.get("href"))
        return Act(url, "get", (), steps) if url else None
    form = question.surroundings.form_of(element)
    if form is None or not pressed.is_submit:
        return None
    url = screen.address_of(_either(element, form, "action") or screen.url)
    method = (_either(element, form, "method") or "get").lower()
    fields = filled_in(form, chosen=[*(c.element for c in chosen), element])
    return Act(url, method, tuple(fields), steps) if url else None


def _either(button: Element, form: Element, name: str) -> str:
    """Return the button's own attribute, such as ``formaction``, or the form's."""
    return button.get(f"form{name}") or form.get(name)


def answered(
    visitor: Visitor, screen: Screen, *, yes: bool, ticking: bool = False
) -> int | None:
    """Answer all that the screen asks; return the steps, or None if it cannot be done.

    A further layer ("are you sure?") is answered in the same sense and counts as well.
    """
    steps = 0
    first = screen.url
    for _ in range(_MOST_LAYERS):
        act = _first_act(screen, yes=yes, ticking=ticking)
        if act is None:
            return None
        screen = act.done_by(visitor)
        steps += act.steps
        if not screen.works:
            # A refused form answered nothing; a page refused afterwards is D14's.
            return steps if screen.url != act.url else None
        if not screen.asking or screen.url == first:
            return steps
    return steps


def _first_act(screen: Screen, *, yes: bool, ticking: bool) -> Act | None:
    acts = (act_for(screen, q, yes=yes, ticking=ticking) for q in screen.asking)
    return next(filter(None, acts), None)
