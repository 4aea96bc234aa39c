"""Recall and precision, rule by rule, on pages that were written for it."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from consentkit.lint import lint

FOLDER = Path(__file__).parent
EXPECTED = re.compile(r"<!-- errors: ([D\d ]+|none) -->\n")
PAGES = {
    f"{path.parent.name}/{path.stem}": path.read_text("utf-8")
    for path in sorted(FOLDER.glob("*/*.html"))
}


def expected(page: str) -> set[str]:
    match = EXPECTED.match(page)
    assert match is not None, "a page begins with the list of its faults"
    return set(match[1].split()) - {"none"}


def errors(page: str) -> set[str]:
    return {finding.rule for finding in lint(page).errors}


FAULTLESS = [name for name, page in PAGES.items() if not expected(page)]


@pytest.mark.parametrize("name", FAULTLESS)
def test_a_page_without_fault_is_left_in_peace(name: str) -> None:
    assert list(lint(PAGES[name])) == []


@pytest.mark.parametrize("name", [name for name in FAULTLESS if "/plain-" in name])
def test_a_page_that_asks_nothing_is_not_taken_for_a_question(name: str) -> None:
    assert lint(PAGES[name]).questions == 0


@pytest.mark.parametrize("name", [name for name in FAULTLESS if "/good-" in name])
def test_a_good_question_is_recognised_as_one(name: str) -> None:
    assert lint(PAGES[name]).questions == 1


def test_every_rule_finds_what_it_should_and_nothing_else() -> None:
    missed: Counter[str] = Counter()
    false: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for page in PAGES.values():
        there, found = expected(page), errors(page)
        right.update(there & found)
        missed.update(there - found)
        false.update(found - there)

    recall = {r: right[r] / (right[r] + missed[r]) for r in right | missed}
    precision = {r: right[r] / (right[r] + false[r]) for r in right | false}

    assert {rule: share for rule, share in recall.items() if share < 0.9} == {}
    assert {rule: share for rule, share in precision.items() if share < 0.9} == {}


def test_most_rules_are_tried_on_pages_without_annotations() -> None:
    tried = {
        rule
        for page in PAGES.values()
        if "data-ck-root" not in page
        for rule in expected(page)
    }

    assert len(tried) >= 25
