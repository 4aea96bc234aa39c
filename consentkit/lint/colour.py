"""Colours as pages write them, and how far two stand apart, as WCAG 2.2 measures it."""

from __future__ import annotations

import re

__all__ = ["BLACK", "WHITE", "Colour", "blend", "chroma", "contrast", "read_colour"]

Colour = tuple[float, float, float]
BLACK: Colour = (0.0, 0.0, 0.0)
WHITE: Colour = (255.0, 255.0, 255.0)

# WCAG 2.2, relative luminance: below this a channel is linear.
_LINEAR_BELOW = 0.04045
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})\b")
_RGB = re.compile(
    r"rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)\s*(?:[,/]\s*1(?:\.0*)?\s*)?\)"
)
# CSS Color 4 §6.1, the names that pages use for text and buttons.
_NAMED = {
    "black": "#000000",
    "blue": "#0000ff",
    "darkgray": "#a9a9a9",
    "darkgrey": "#a9a9a9",
    "dimgray": "#696969",
    "gainsboro": "#dcdcdc",
    "gray": "#808080",
    "green": "#008000",
    "grey": "#808080",
    "lightgray": "#d3d3d3",
    "lightgrey": "#d3d3d3",
    "navy": "#000080",
    "orange": "#ffa500",
    "red": "#ff0000",
    "silver": "#c0c0c0",
    "white": "#ffffff",
    "whitesmoke": "#f5f5f5",
    "yellow": "#ffff00",
}


def read_colour(value: str) -> Colour | None:
    """Return the opaque colour that a value is, or None where it is anything else."""
    value = _NAMED.get(value, value)
    if match := _HEX.fullmatch(value):
        digits = match[1] if len(match[1]) == len("rrggbb") else _doubled(match[1])
        red, green, blue = (float(int(digits[i : i + 2], 16)) for i in (0, 2, 4))
        return red, green, blue
    if match := _RGB.fullmatch(value):
        return float(match[1]), float(match[2]), float(match[3])
    return None


def _doubled(digits: str) -> str:
    return "".join(digit * 2 for digit in digits)


def blend(top: Colour, below: Colour, *, opacity: float) -> Colour:
    """Return what is seen of a colour that lets another through."""
    red, green, blue = (
        opacity * t + (1 - opacity) * b for t, b in zip(top, below, strict=True)
    )
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast ratio, 1 to 21; the channels run from 0 to 255."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def chroma(colour: Colour) -> float:
    """Return how colourful it is: 0 for grey, 1 for a pure colour."""
    return (max(colour) - min(colour)) / 255


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    if channel <= _LINEAR_BELOW:
        return channel / 12.92
    return float(((channel + 0.055) / 1.055) ** 2.4)
