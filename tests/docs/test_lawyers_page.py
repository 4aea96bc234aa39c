"""What the page for lawyers claims is a requirement, shown by tests, and linked."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "lawyers.md"
REQUIREMENTS = ROOT / "tests" / "vectors" / "requirements.json"
UNCOVERED = ROOT / "tests" / "docs" / "uncovered.json"

LIMITS = "What consentkit does not do"
MOST_SENTENCES = 3
_LINK = re.compile(r"\[(R\d+)\]\(requirements\.md#([a-z-]+)\)")
_ID = re.compile(r"\bR\d+\b")


def sections() -> dict[str, str]:
    """Each question of the page and what stands below it."""
    _, *parts = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return {title: text for title, _, text in (p.partition("\n") for p in parts)}


def groups() -> dict[str, str]:
    """The anchor of the heading that each requirement stands under."""
    rows = json.loads(REQUIREMENTS.read_text("utf-8"))["requirements"]
    return {
        row["id"]: re.sub(r"[^a-z -]", "", row["group"].lower()).replace(" ", "-")
        for row in rows
    }


def not_shown() -> set[str]:
    reasons = json.loads(UNCOVERED.read_text("utf-8"))
    return {id_ for id_, why in reasons.items() if not why.startswith("partly")}


def test_every_requirement_that_is_named_is_linked_to_its_place() -> None:
    known = groups()
    for title, text in sections().items():
        linked = _LINK.findall(text)
        assert len(linked) == len(set(_ID.findall(text))), title
        for id_, anchor in linked:
            assert known[id_] == anchor, (title, id_)


def test_what_is_claimed_is_shown_by_tests() -> None:
    missing = not_shown()
    for title, text in sections().items():
        if title != LIMITS:
            claimed = {id_ for id_, _ in _LINK.findall(text)}
            assert claimed, f"{title}: no requirement is named"
            assert not claimed & missing, title


def test_what_is_said_to_be_missing_is_missing() -> None:
    named = {id_ for id_, _ in _LINK.findall(sections()[LIMITS])}

    assert named <= not_shown()


def test_each_answer_is_short_and_leaves_the_app_its_part() -> None:
    for title, text in sections().items():
        if title == LIMITS:
            continue
        told, _, _ = text.strip().partition("\n\n")
        law, *sentences = told.splitlines()
        assert title.endswith("?")
        assert law.startswith("*"), title
        assert 1 < len(sentences) <= MOST_SENTENCES, title
        assert "\n- Shown by " in text, title
        assert "\n- Yours: " in text, title
