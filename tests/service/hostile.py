"""Ids that nobody has, as (subject, purpose, recipient), by what is odd about them."""

from __future__ import annotations

from typing import Any

__all__ = ["HOSTILE"]

HOSTILE: dict[str, tuple[Any, ...]] = {
    "empty": ("", "", ""),
    "star": ("*", "*", "*"),
    "wildcards": ("%", "credit-score", "acme-credit"),
    "quotes": ("alice' OR '1'='1", "credit-score' --", "acme-credit"),
    "zero byte": ("alice\0", "credit-score", "acme-credit"),
    "no text": ("\udcff", "credit-score", "acme-credit"),
    "case": ("ALICE", "Credit-Score", "ACME-CREDIT"),
    "space": ("alice ", " credit-score", "acme-credit "),
    "look-alike": ("\N{CYRILLIC SMALL LETTER A}lice", "credit-score", "acme-credit"),
    "line": ("alice\nbob", "credit-score\n", "acme-credit\n"),
    "huge": ("a" * 1_000_000, "credit-score", "acme-credit"),
    "none": (None, None, None),
    "lists": (["alice"], ["credit-score"], ["acme-credit"]),
    "unhashable purpose": ("alice", {}, "acme-credit"),
    "objects": (object(), "credit-score", "acme-credit"),
}
