"""How an element looks by what the page itself declares, as far as that is certain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.lint.colour import BLACK
from consentkit.lint.colour import WHITE
from consentkit.lint.colour import Colour
from consentkit.lint.colour import blend
from consentkit.lint.colour import read_colour
from consentkit.lint.style import declarations
from consentkit.lint.style import font_pixels

if TYPE_CHECKING:
    from consentkit.lint.tree import Element

__all__ = ["DeclaredLook", "declared_look"]

_PIXELS = re.compile(r"(\d*\.?\d+)px")
_NORMAL, _BOLD = 400, 700
_NOTHING = frozenset({"none", "transparent", "0", "0 0", "inherit", "unset", "initial"})
# What HTML's rendering section makes bold, and what it gives a colour of its own.
_BOLD_TAGS = frozenset({"b", "strong", "h1", "h2", "h3", "h4", "h5", "h6", "th"})
_OWN_INK = frozenset({"a", "button", "input", "mark", "select", "textarea"})


@dataclass(frozen=True, slots=True)
class DeclaredLook:
    """Ink and ground are None where the page leaves them to what cannot be seen here.

    ``filled`` is None where a linked style sheet may decide; so are the sides.
    """

    ink: Colour | None
    ground: Colour | None
    filled: bool | None
    pixels: float
    weight: int
    width: float | None
    height: float | None


def declared_look(element: Element, *, alone: bool) -> DeclaredLook:
    """Read how an element looks; ``alone`` says that no style sheet is linked."""
    style = declarations(element)
    ground = _ground(element, alone=alone)
    ink = _ink(element, alone=alone)
    if ink is not None and ground is not None:
        ink = blend(ink, ground, opacity=_opacity(element))
    return DeclaredLook(
        ink,
        ground,
        _filled(style, alone=alone),
        font_pixels(element),
        _weight(element),
        _pixels(style.get("width", "")),
        _pixels(style.get("height", "")),
    )


def _ground_value(style: dict[str, str]) -> str:
    return style.get("background-color") or style.get("background", "")


def _ground(element: Element, *, alone: bool) -> Colour | None:
    """Return the nearest colour behind it; None where a picture is, or none is told."""
    for holder in element.lineage():
        value = _ground_value(declarations(holder))
        if value and value not in _NOTHING:
            return read_colour(value)
    return WHITE if alone else None


def _ink(element: Element, *, alone: bool) -> Colour | None:
    for holder in element.lineage():
        if value := declarations(holder).get("color"):
            return read_colour(value)
        if holder.tag in _OWN_INK:
            return None
    return BLACK if alone else None


def _opacity(element: Element) -> float:
    product = 1.0
    for holder in element.lineage():
        value = declarations(holder).get("opacity", "1")
        if re.fullmatch(r"0?\.\d+", value):
            product *= float(value)
    return product


def _filled(style: dict[str, str], *, alone: bool) -> bool | None:
    value = _ground_value(style)
    if value:
        return value not in _NOTHING and read_colour(value) != WHITE
    return False if alone else None


def _weight(element: Element) -> int:
    for holder in element.lineage():
        value = declarations(holder).get("font-weight", "")
        if value.isdigit():
            return int(value)
        if value in {"bold", "bolder"} or (not value and holder.tag in _BOLD_TAGS):
            return _BOLD
        if value:
            return _NORMAL
    return _NORMAL


def _pixels(value: str) -> float | None:
    match = _PIXELS.fullmatch(value)
    return float(match[1]) if match else None
