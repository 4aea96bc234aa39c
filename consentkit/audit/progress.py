"""How far a long examination has come, drawn on a terminal."""

from __future__ import annotations

import sys
import time
from typing import Self

__all__ = ["ProgressBar"]

_BAR_WIDTH = 30
_BAR_SECONDS = 0.1  # between two drawings; faster than that nobody reads


class ProgressBar:
    """On a terminal only, and gone when it is done."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._faults = 0
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._write("")

    def note_fault(self) -> None:
        """Count one more finding."""
        self._faults += 1

    def draw(self, done: int, total: int) -> None:
        """Show how many entries of all are done."""
        now = time.monotonic()
        if not self._shown or now < self._next:
            return
        self._next = now + _BAR_SECONDS
        filled = _BAR_WIDTH * done // total
        bar = "#" * filled + "." * (_BAR_WIDTH - filled)
        self._write(f"{bar} {done}/{total} entries, {self._faults} findings")

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()
