"""Rules for looks that the page itself declares, where no browser is at hand (D06 …).

They tell only what is certain from inline styles and the page's own style sheets. In a
browser ``look_rules`` measure the same, and take their place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.colour import contrast
from consentkit.lint.control import Control
from consentkit.lint.control import Kind
from consentkit.lint.control import Meaning
from consentkit.lint.declared_look import DeclaredLook
from consentkit.lint.declared_look import declared_look
from consentkit.lint.look_rules import LARGE_TEXT
from consentkit.lint.look_rules import LEAST_TARGET
from consentkit.lint.look_rules import TEXT
from consentkit.lint.look_rules import is_large
from consentkit.lint.look_rules import pressed_pair
from consentkit.lint.passages import own_text
from consentkit.lint.rule import Flaw
from consentkit.lint.rule import error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.question import Question
    from consentkit.lint.tree import Element

__all__ = ["RULES"]

_HEAVIER = 100
_TALLER, _WIDER = 1.1, 2.0


def _look(question: Question, element: Element) -> DeclaredLook:
    return declared_look(element, alone=not question.surroundings.linked_sheets)


@error(
    "D06",
    "unequal-prominence",
    source=(
        "CNIL 2020-092 s.34; CCPA 7004(a)(2) 'yes' more prominent than 'no'; "
        "EDPB 03/2022 'Hidden in plain sight'"
    ),
)
def _unequal_prominence(question: Question) -> Iterator[Flaw]:
    """The yes is declared no heavier than the no."""
    pair = pressed_pair(question)
    if pair is None:
        return
    yes, no = (_look(question, control.element) for control in pair)
    if reasons := [*_heavier(yes, no)]:
        why = f"beside the no, the yes {', '.join(reasons)}"
        yield Flaw(pair[1].element, why, "Give both the same style and size.")


def _heavier(yes: DeclaredLook, no: DeclaredLook) -> Iterator[str]:
    if yes.pixels > no.pixels:
        yield "has larger letters"
    if yes.weight >= no.weight + _HEAVIER:
        yield "is bolder"
    if yes.filled and no.filled is False:
        yield "is filled"
    taller = yes.height and no.height and yes.height > _TALLER * no.height
    wider = yes.width and no.width and yes.width > _WIDER * no.width
    if taller or wider:
        yield "is larger"


@error(
    "D07",
    "low-contrast",
    source="App Measures I.4 (colour too light); Taskforce p.18; WCAG 1.4.3, 1.4.11",
)
def _low_contrast(question: Question) -> Iterator[Flaw]:
    """Text is declared in a colour that can be read on its ground."""
    for element in question.shown_elements():
        if not own_text(element):
            continue
        look = _look(question, element)
        if look.ink is None or look.ground is None:
            continue
        ratio = contrast(look.ink, look.ground)
        least = LARGE_TEXT if is_large(look.pixels, look.weight) else TEXT
        if ratio < least:
            why = f"contrast {ratio:.1f}, at least {least} is needed"
            do = "Darken the text or lighten what is behind it, in both schemes."
            yield Flaw(element, why, do)
            return


@error("D39", "hard-to-hit", source="WCAG 2.5.8; EDPB 03/2022 'Obstructing'")
def _hard_to_hit(question: Question) -> Iterator[Flaw]:
    """The no is not declared too small to be pressed."""
    for control in question.meaning(Meaning.DECLINE):
        side = _smaller_side(question, control)
        if side is not None and side < LEAST_TARGET:
            why = f"the no is {side:.0f} px small"
            yield Flaw(control.element, why, "24 px at least, 44 px better, uncovered.")


def _smaller_side(question: Question, control: Control) -> float | None:
    if control.kind is not Kind.BUTTON:
        return None
    look = _look(question, control.element)
    sides = [side for side in (look.width, look.height) if side is not None]
    return min(sides, default=None)


@error(
    "D40",
    "state-lies",
    source="CCPA 7004(a)(3); WCAG 4.1.2; EDPB 03/2022 'Misleading action'",
)
def _state_lies(question: Question) -> Iterator[Flaw]:
    """What a switch reads and what it tells assistive technology are one state."""
    for control in question.controls:
        if control.kind is not Kind.SWITCH:
            continue
        told = control.element.get("aria-checked").lower()
        shown = lexicon.fold(control.element.text())
        if (told == "true" and lexicon.matches("state-off", shown)) or (
            told == "false" and lexicon.matches("state-on", shown)
        ):
            why = f"the switch reads “{shown}” and tells {told!r}"
            yield Flaw(control.element, why, "Write the state from aria-checked.")


RULES = (_unequal_prominence, _low_contrast, _hard_to_hit, _state_lies)
