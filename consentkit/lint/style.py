"""What a page's own markup and style sheets say about how an element is shown.

Linked style sheets are not read: whether text is faint, small or covered by rules from
elsewhere is for a browser to tell. What stands in the page itself is certain.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consentkit.lint.sheet import declared

if TYPE_CHECKING:
    from consentkit.lint.tree import Element

__all__ = ["concealment", "declarations", "font_pixels", "is_hidden"]

_BROWSER_DEFAULT = 16.0
# CSS Fonts 4 §2.5.1, at the default of 16 px.
_KEYWORDS = {
    "xx-small": 9.6,
    "x-small": 12.0,
    "small": 14.2,
    "medium": 16.0,
    "large": 19.2,
    "x-large": 24.0,
    "xx-large": 32.0,
    "xxx-large": 48.0,
}
# HTML, rendering: what <font size> stands for.
_FONT_SIZES = ("x-small", "small", "medium", "large", "x-large", "xx-large")
_ABSOLUTE = {"px": 1.0, "pt": 4 / 3, "pc": 16.0, "mm": 3.7795, "cm": 37.795, "in": 96.0}
_LENGTH = re.compile(r"(-?\d*\.?\d+)(px|pt|pc|mm|cm|in|rem|em|ex|ch|%)")
_NEVER_SHOWN = frozenset(
    {"head", "script", "style", "template", "title", "meta", "link", "datalist"}
)
_AWAY = re.compile(r"-\s*\d{3,}")


def declarations(element: Element) -> dict[str, str]:
    """Return the properties that the page declares for it, its own attribute last."""
    if not element.has("style"):
        return element.styled
    return {**element.styled, **declared(element.get("style"))}


def is_hidden(element: Element) -> bool:
    """Tell whether the element by itself is not on the screen at first."""
    if element.tag in _NEVER_SHOWN or element.has("hidden"):
        return True
    if element.tag == "input" and element.get("type").lower() == "hidden":
        return True
    if _folded_away(element):
        return True
    style = declarations(element)
    return (
        style.get("display") == "none"
        or style.get("visibility") in {"hidden", "collapse"}
        or _is_zero(style.get("opacity", "1"))
    )


def concealment(element: Element, *, below: Element) -> str:
    """Say what keeps the element out of sight inside ``below``, or ``""``.

    Only what stands between the two counts: a dialog that a script opens is hidden
    as a whole, and what it shows once open is what has to be judged.
    """
    for holder in element.lineage():
        if reason := _reason(holder):
            return reason
        if holder is below:
            break
    return ""


def _reason(element: Element) -> str:
    if _folded_away(element):
        return "it is inside a closed <details>"
    if element.get("aria-hidden").lower() == "true":
        return "it is hidden from assistive technology"
    if is_hidden(element):
        return "it is hidden"
    style = declarations(element)
    if _is_off_screen(style):
        return "it is placed off the screen"
    if _scrolls_inside(style):
        return "it is inside a small box that scrolls by itself"
    if style.get("color") == "transparent" or _is_zero(style.get("font-size", "1")):
        return "its text is invisible"
    return ""


def _folded_away(element: Element) -> bool:
    """Tell whether the element is content of a ``<details>`` that is closed."""
    parent = element.parent
    return (
        parent is not None
        and parent.tag == "details"
        and not parent.has("open")
        and element.tag != "summary"
    )


def _is_off_screen(style: dict[str, str]) -> bool:
    moved = (style.get(name, "") for name in ("left", "top", "text-indent"))
    if any(_AWAY.match(value) for value in moved):
        return True
    return "clip" in style and "rect(0" in style["clip"].replace(" ", "")


def _scrolls_inside(style: dict[str, str]) -> bool:
    overflow = style.get("overflow-y", style.get("overflow", ""))
    sized = "height" in style or "max-height" in style
    return sized and any(word in overflow for word in ("auto", "scroll", "hidden"))


def _is_zero(value: str) -> bool:
    return re.fullmatch(r"0*\.?0*(px|em|rem|pt|%)?", value) is not None and "0" in value


def font_pixels(element: Element) -> float:
    """Return the text size in CSS pixels, as far as the markup itself tells."""
    size = _BROWSER_DEFAULT
    for holder in reversed(tuple(element.lineage())):
        if holder.tag == "small":
            size *= 5 / 6
        size = _resolve(_declared_size(holder), size)
    return size


def _declared_size(element: Element) -> str:
    style = declarations(element)
    if "font-size" in style:
        return style["font-size"]
    # The shorthand carries the size before an optional line height.
    match = _LENGTH.search(style.get("font", ""))
    if match is None and element.tag == "font":
        return _font_size(element.get("size"))
    return match.group() if match else ""


def _font_size(size: str) -> str:
    if size.startswith("-"):
        return "smaller"
    return _FONT_SIZES[int(size) - 1] if size in set("123456") else ""


def _resolve(value: str, inherited: float) -> float:
    if value in _KEYWORDS:
        return _KEYWORDS[value]
    if value in {"smaller", "larger"}:
        return inherited * (5 / 6 if value == "smaller" else 6 / 5)
    match = _LENGTH.fullmatch(value)
    if match is None:
        return inherited
    number, unit = float(match[1]), match[2]
    if unit in _ABSOLUTE:
        return number * _ABSOLUTE[unit]
    if unit == "rem":
        return number * _BROWSER_DEFAULT
    return inherited * number * {"%": 0.01, "em": 1.0, "ex": 0.5, "ch": 0.5}[unit]
