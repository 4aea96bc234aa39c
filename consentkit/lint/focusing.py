"""Whether somebody with a keyboard sees which control has the focus."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from consentkit.lint.colour import contrast
from consentkit.lint.control import Kind
from consentkit.lint.sight import STAMP

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from playwright.sync_api import Page as Tab

    from consentkit.lint.question import Question

__all__ = ["unmarked"]

_SHAPE = 3.0  # WCAG 1.4.11


def unmarked(tab: Tab, question: Question) -> frozenset[str]:
    """Return the stamps of the controls on which the focus cannot be seen."""
    answers = [c for c in question.controls if c.meaning or c.is_toggle]
    stamps = [c.element.get(STAMP) for c in answers if c.kind is not Kind.FIELD]
    tab.keyboard.press("Tab")  # browsers draw the ring for those who use the keyboard
    script = files("consentkit.lint").joinpath("focus.js").read_text("utf-8")
    shown = tab.evaluate(script, stamps)
    return frozenset(stamp for stamp, mark in shown.items() if not _is_seen(mark))


def _is_seen(mark: Mapping[str, Any]) -> bool:
    ring = mark["ring"]
    if mark["changed"] or ring == "auto":
        return True
    return ring is not None and contrast(tuple(ring), tuple(mark["outside"])) >= _SHAPE
