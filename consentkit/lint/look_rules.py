"""Rules for how yes and no, and the text around them, look on a screen (D06 …)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.lint.colour import chroma
from consentkit.lint.colour import contrast
from consentkit.lint.control import Control
from consentkit.lint.control import Kind
from consentkit.lint.control import Meaning
from consentkit.lint.control import kind_of
from consentkit.lint.passages import own_text
from consentkit.lint.rule import Flaw
from consentkit.lint.rule import error
from consentkit.lint.rule import warning
from consentkit.lint.sight import STAMP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.question import Question
    from consentkit.lint.sight import Look
    from consentkit.lint.sight import Sight
    from consentkit.lint.sight import View
    from consentkit.lint.tree import Element

__all__ = [
    "LARGE_TEXT",
    "LEAST_TARGET",
    "RULES",
    "TEXT",
    "is_large",
    "pressed_pair",
]

_YES = (Meaning.ACCEPT, Meaning.ACCEPT_ALL)
_PRESSED = frozenset({Kind.BUTTON, Kind.LINK})
_ESSENTIALS = ("controller", "purpose", "data", "recipient", "withdraw")
# WCAG 1.4.3 and 1.4.11, with what counts as large text.
TEXT, LARGE_TEXT, _SHAPE = 4.5, 3.0, 3.0
_LARGE, _LARGE_BOLD, _BOLD = 24.0, 18.66, 700
_LEAST_PIXELS, _SHARE_OF_BODY = 12.0, 0.9
# Ours keeps the list's figure; elsewhere only what is closer than browsers set it.
_LEAST_LEADING, _CRAMMED, _LINES = 1.4, 1.1, 1.6
LEAST_TARGET = 24.0  # WCAG 2.5.8
_LARGER = 1.1
# Equal padding around longer words makes a wider button, and no trick.
_WIDER_FOR_WORDS = 2.0
_HEAVIER = 100
_CLEARER, _MORE_COLOURFUL, _FILLED = 1.0, 0.25, 1.25
_FAINT = 0.9
_PHONE = 360


def pressed_pair(question: Question) -> tuple[Control, Control] | None:
    """Return the yes and the no that are pressed, or None."""
    found = []
    for meanings in (_YES, (Meaning.DECLINE,)):
        pressed = (c for c in question.meaning(*meanings) if c.kind in _PRESSED)
        found.append(next(pressed, None))
    yes, no = found
    return None if yes is None or no is None else (yes, no)


def _pairs(sight: Sight) -> Iterator[tuple[View, Control, Look, Look]]:
    """Yield each view with the no, how the yes looks and how the no looks."""
    pair = pressed_pair(sight.question)
    if pair is None:
        return
    for view in sight.views:
        yes, no = (view.look(control.element) for control in pair)
        if yes is not None and no is not None:
            yield view, pair[1], yes, no


@error(
    "D06",
    "unequal-prominence",
    source=(
        "CNIL 2020-092 s.34; CCPA 7004(a)(2) 'yes' more prominent than 'no'; "
        "EDPB 03/2022 'Hidden in plain sight'"
    ),
)
def _unequal_prominence(sight: Sight) -> Iterator[Flaw]:
    """The yes draws the eye no more than the no."""
    for view, control, yes, no in _pairs(sight):
        reasons = [*_heavier(yes, no)]
        if view.screen.width == _PHONE and _alone_in_view(view, yes, no):
            reasons.append("is on the first screen of a phone, the no is not")
        if reasons:
            why = f"beside the no, the yes {', '.join(reasons)} ({view.screen})"
            yield Flaw(control.element, why, "Give both the same style and size.")
            return


def _heavier(yes: Look, no: Look) -> Iterator[str]:
    """Say in which ways the yes outweighs the no."""
    wider = yes.width / no.width
    if yes.height > _LARGER * no.height or wider > _WIDER_FOR_WORDS:
        yield "is larger"
    if yes.pixels > no.pixels:
        yield "has larger letters"
    if yes.weight >= no.weight + _HEAVIER:
        yield "is bolder"
    if _is_filled(yes) and not _is_filled(no):
        yield "is filled"
    elif chroma(yes.back) - chroma(no.back) > _MORE_COLOURFUL:
        yield "is more colourful"
    if (yes.edge is None) < (no.edge is None) and not _is_filled(no):
        yield "has a border"
    if contrast(no.ink, no.back) + _CLEARER < contrast(yes.ink, yes.back) and (
        contrast(no.ink, no.back) < 2 * TEXT
    ):
        yield "is clearer to read"


def _is_filled(look: Look) -> bool:
    return look.painted or contrast(look.back, look.outside) >= _FILLED


def _alone_in_view(view: View, yes: Look, no: Look) -> bool:
    def inside(look: Look) -> bool:
        return look.y + look.height <= view.screen.height and (
            look.x + look.width <= view.screen.width
        )

    return inside(yes) and not inside(no)


@error(
    "D07",
    "low-contrast",
    source="App Measures I.4 (colour too light); Taskforce p.18; WCAG 1.4.3, 1.4.11",
)
def _low_contrast(sight: Sight) -> Iterator[Flaw]:
    """Text can be read and controls can be seen, in light and dark."""
    do = "Darken the text or lighten what is behind it, in both schemes."
    for element in _texts(sight):
        for view, look in sight.shown_in(element):
            ratio = contrast(look.ink, look.back) if not look.painted else TEXT
            least = LARGE_TEXT if is_large(look.pixels, look.weight) else TEXT
            if ratio * look.opacity < least:
                shown = f"contrast {ratio * look.opacity:.1f}, at least {least}"
                yield Flaw(element, f"{shown} is needed ({view.screen})", do)
                break
    for control in sight.question.controls:
        if control.element.get(STAMP) in sight.meeting.unmarked:
            why = f"whether this {control.kind} has the focus can hardly be seen"
            yield Flaw(control.element, why, "Keep the browser's ring, or draw one.")
    if not sight.question.annotated:
        return
    for control in sight.question.meaning(*_YES, Meaning.DECLINE):
        for view, look in sight.shown_in(control.element):
            if control.kind is Kind.BUTTON and _boundary(look) < _SHAPE:
                why = f"the button's boundary can hardly be seen ({view.screen})"
                yield Flaw(control.element, why, "Give it a border of contrast 3.")
                break


def _boundary(look: Look) -> float:
    edge = contrast(look.edge, look.outside) if look.edge else 1.0
    return max(edge, contrast(look.back, look.outside), _SHAPE * look.painted)


def is_large(pixels: float, weight: int) -> bool:
    """Tell whether text is large in the sense of WCAG 1.4.3."""
    return pixels >= (_LARGE_BOLD if weight >= _BOLD else _LARGE)


def _texts(sight: Sight) -> Iterator[Element]:
    """Yield the elements of the question that hold text of their own."""
    for element in sight.question.element.elements():
        if own_text(element):
            yield element


@error(
    "D08",
    "small-text",
    source=(
        "App Measures I.4 (text too small, too dense); "
        "MIIT 2023 (no shrinking text); Korea PIPC 2022"
    ),
)
def _small_text(sight: Sight) -> Iterator[Flaw]:
    """No text of the question is smaller than the page's own."""
    for element in _texts(sight):
        for view, look in sight.shown_in(element):
            usual = 0.0 if look.plain else _SHARE_OF_BODY * view.body_pixels
            least = max(_LEAST_PIXELS, usual)
            if look.pixels < least - 0.05:
                why = f"text of {look.pixels:.1f} px; at least {least:.1f} px"
                do = "Set it at the size of the page's text."
                yield Flaw(element, f"{why} can be read ({view.screen})", do)
                return
    yield from _dense(sight)


def _dense(sight: Sight) -> Iterator[Flaw]:
    """Find running text whose lines stand too close; headings may."""
    least = _LEAST_LEADING if sight.question.annotated else _CRAMMED
    prose = (e for e in _texts(sight) if kind_of(e) is None)
    for element in prose:
        for view, look in sight.shown_in(element):
            if look.leading is None or is_large(look.pixels, look.weight):
                continue
            runs_on = look.room > _LINES * look.leading
            if runs_on and look.leading < least * look.pixels - 0.05:
                ratio = look.leading / look.pixels
                why = f"lines {ratio:.2f} apart; {least} can be read ({view.screen})"
                yield Flaw(element, why, "Set line-height to 1.5.")
                return


@error(
    "D09",
    "concealed-essential",
    source=(
        "EDPB 05/2020 fn.42 (identity + purpose on first layer); "
        "App Measures I.3 (> 4 clicks)"
    ),
)
def _concealed_essential(sight: Sight) -> Iterator[Flaw]:
    """What the person has to know, and the no, are in view on every screen."""
    carriers = [(n, e) for n in _ESSENTIALS for e in sight.question.essentials(n)]
    declines = sight.question.meaning(Meaning.DECLINE)
    carriers += [("decline", control.element) for control in declines]
    for name, element in carriers:
        for view in sight.views:
            if sight.is_open(view) and (why := _concealed(view, element)):
                why = f"the {name} is not in view: {why} ({view.screen})"
                yield Flaw(element, why, "Show it on the first layer, in full.")
                break


def _concealed(view: View, element: Element) -> str:
    look = view.look(element)
    if look is None:
        return "it takes no room on the screen"
    if look.opacity < _FAINT:
        return f"it is transparent to {1 - look.opacity:.0%}"
    if look.boxed:
        return "it is cut off by a box that scrolls by itself"
    if look.x + look.width <= 0 or look.y + look.height <= 0:
        return "it is placed off the screen"
    if look.x + look.width > view.screen.width + 1:
        return "one has to scroll sideways"
    return ""


@warning(
    "D29",
    "order-swap",
    source="CCPA 7004(a)(3)(C); EDPB 03/2022 'Inconsistent interface'; WCAG 3.2.4",
)
def _order_swap(sight: Sight) -> Iterator[Flaw]:
    """Yes and no keep their places on every screen."""
    seen: list[tuple[View, bool]] = []
    for view, control, yes, no in _pairs(sight):
        # On one row the left one is first; rows count from the top.
        first = no.x < yes.x if abs(no.y - yes.y) < no.height / 2 else no.y < yes.y
        seen.append((view, first))
        if first != seen[0][1]:
            why = f"yes and no change places ({seen[0][0].screen}; {view.screen})"
            yield Flaw(control.element, why, "Keep one order everywhere: no, then yes.")
            return


@error("D39", "hard-to-hit", source="WCAG 2.5.8; EDPB 03/2022 'Obstructing'")
def _hard_to_hit(sight: Sight) -> Iterator[Flaw]:
    """The no is large enough and nothing lies over it."""
    for control in sight.question.meaning(Meaning.DECLINE):
        if control.kind not in _PRESSED:
            continue
        for view, look in sight.shown_in(control.element):
            side = min(look.width, look.height)
            if side < LEAST_TARGET and control.kind is Kind.BUTTON and not look.plain:
                why = f"the no is {side:.0f} px small ({view.screen})"
            elif not look.reached:
                why = f"something lies over the no ({view.screen})"
            else:
                continue
            yield Flaw(control.element, why, "24 px at least, 44 px better, uncovered.")
            break


RULES = (
    _unequal_prominence,
    _low_contrast,
    _small_text,
    _concealed_essential,
    _order_swap,
    _hard_to_hit,
)
