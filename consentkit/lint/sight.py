"""A question as a browser shows it: in each view the looks of what matters in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from consentkit.lint.colour import Colour
from consentkit.lint.question import Question

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.lint.tree import Element

__all__ = [
    "FORCED",
    "STAMP",
    "VIEWPORTS",
    "Look",
    "Meeting",
    "Sight",
    "View",
    "Viewport",
]

# Every element is numbered before the page is parsed; so both sides mean the same one.
STAMP = "data-ck-lint"
FORCED = "forced colours"


@dataclass(frozen=True, slots=True)
class Viewport:
    """A screen: its size in CSS pixels and its colour scheme.

    Forced colours are those of the person's system, which draw borders and no grounds.
    """

    width: int
    height: int
    scheme: str

    def __str__(self) -> str:
        return f"{self.width} px wide, {self.scheme}"


# Widths of D06, D09 and D29. 640 px of a 1280 px screen is also a zoom of 200 % (D39).
VIEWPORTS = (
    Viewport(1280, 900, "light"),
    Viewport(1280, 900, "dark"),
    Viewport(768, 1024, "light"),
    Viewport(640, 450, "light"),
    Viewport(360, 640, "light"),
    Viewport(360, 640, "dark"),
    Viewport(320, 640, "light"),
    Viewport(1280, 900, FORCED),
)


@dataclass(frozen=True, slots=True)
class Look:
    """How one element is shown; the place counts from the page's upper left corner.

    ``room`` is the height of what it holds; ``plain`` is a control at the size that the
    browser gives it; ``leading`` is the distance of lines in pixels where the page sets
    it, and None where it does not.
    """

    x: float
    y: float
    width: float
    height: float
    room: float
    shown: bool
    opacity: float
    ink: Colour
    back: Colour
    outside: Colour
    edge: Colour | None
    painted: bool
    pixels: float
    leading: float | None
    weight: int
    family: str
    plain: bool
    boxed: bool
    reached: bool
    on: bool
    disabled: bool
    focused: bool

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Look:
        """Build one from what ``measure.js`` returns."""
        colours = {
            name: tuple(values[name]) if values[name] else None
            for name in ("ink", "back", "outside", "edge")
        }
        return cls(**{**values, **colours})


@dataclass(frozen=True, slots=True)
class View:
    """What one screen shows: looks by stamp, the page's width and its text size."""

    screen: Viewport
    looks: Mapping[str, Look]
    page_width: float
    body_pixels: float

    def look(self, element: Element) -> Look | None:
        """Return how the element is shown, or None where it is not shown at all."""
        look = self.looks.get(element.get(STAMP))
        return look if look is not None and look.shown else None


@dataclass(frozen=True, slots=True)
class Meeting:
    """What happened while the page stood open and nobody answered.

    ``hosts`` were called and ``cookies`` kept before the answer; ``deeds`` followed a
    gesture; ``idled`` is what answered when nobody did anything. The others are stamps
    of controls: ``stubborn`` switches look the same on and off, ``lying`` ones tell
    assistive technology another state, of ``coloured`` ones only a colour shows the
    state, on ``unmarked`` controls the focus cannot be seen. ``returning`` are the
    labels of what was on when the page was loaded again.
    """

    hosts: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    deeds: tuple[str, ...] = ()
    idled: tuple[str, ...] = ()
    stubborn: frozenset[str] = frozenset()
    lying: frozenset[str] = frozenset()
    coloured: frozenset[str] = frozenset()
    unmarked: frozenset[str] = frozenset()
    returning: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sight:
    """One question with everything that the browser told."""

    question: Question
    views: tuple[View, ...]
    meeting: Meeting

    def shown_in(self, element: Element) -> Iterator[tuple[View, Look]]:
        """Yield the views that show the element, with its look in each."""
        for view in self.views:
            look = view.look(element)
            if look is not None:
                yield view, look

    def is_open(self, view: View) -> bool:
        """Tell whether the question is on the screen; a script may open it later."""
        return view.look(self.question.element) is not None
