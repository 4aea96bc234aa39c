"""Where the bars of a chart stand. The template draws them as inline SVG.

Units are those of a 1200 by 300 canvas that the page stretches to its own width; the
words stand beside it in HTML, where they keep their size on a small screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["HEIGHT", "WIDTH", "Bar", "Columns", "draw_columns"]

WIDTH = 1200
HEIGHT = 300

_FILLED = 0.68  # of each column's place; the rest is air
_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Bar:
    """One bar: where it stands, how large it is, and whether it is the tallest."""

    x: int
    y: int
    width: int
    height: int
    tallest: bool


@dataclass(frozen=True)
class Columns:
    """A column chart: its bars, and the round amount at the top of its scale."""

    bars: tuple[Bar, ...]
    top: int


def draw_columns(values: Sequence[int]) -> Columns:
    """One column a value, on a scale that ends at the next round number."""
    highest = max(values, default=0)
    top = _round_up(highest)
    place = WIDTH // max(len(values), 1)
    width = round(place * _FILLED)
    bars = []
    for index, value in enumerate(values):
        height = round(HEIGHT * value / top)
        x = index * place + (place - width) // 2
        bars.append(Bar(x, HEIGHT - height, width, height, 0 < value == highest))
    return Columns(tuple(bars), top)


def _round_up(value: int) -> int:
    power = 1
    while True:
        for step in _STEPS:
            if step * power >= value:
                return step * power
        power *= 10
