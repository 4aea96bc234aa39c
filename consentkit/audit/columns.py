"""Whole numbers by place, in as few bytes each as the largest of them needs.

What is kept of each person is nearly always small, such as how many entries there
were: at full width such numbers would be a tenth of what a verification takes.
"""

from __future__ import annotations

from array import array
from itertools import repeat

__all__ = ["Column"]

_LETTERS = {2**8: "B", 2**16: "H", 2**32: "I", 2**64: "Q"}  # array's, by their room


class Column:
    """Numbers from 0 to 2^64 - 1 by their places; 0 where nothing was put.

    The first number for which there is no room makes all of them wider.
    """

    def __init__(self) -> None:
        self._held = array("B")

    def __getitem__(self, place: int) -> int:
        held = self._held
        return held[place] if place < len(held) else 0

    def __setitem__(self, place: int, number: int) -> None:
        held = self._held
        if place > len(held):
            held.extend(repeat(0, place - len(held)))
        try:
            if place < len(held):
                held[place] = number
            else:
                held.append(number)
        except OverflowError:
            letter = next(each for room, each in _LETTERS.items() if number < room)
            self._held = array(letter, held)
            self[place] = number

    def __len__(self) -> int:
        return len(self._held)
