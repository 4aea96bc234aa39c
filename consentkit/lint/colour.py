"""How far two colours stand apart, as WCAG 2.2 measures it."""

from __future__ import annotations

__all__ = ["Colour", "chroma", "contrast"]

Colour = tuple[float, float, float]

# WCAG 2.2, relative luminance: below this a channel is linear.
_LINEAR_BELOW = 0.04045


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
