"""Recall and precision, rule by rule, on pages that were written for it."""

from __future__ import annotations

import pytest

from consentkit.lint import lint

from .scores import PAGES
from .scores import expected
from .scores import scores
from .scores import table

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
    told = scores()

    print(table(told))  # noqa: T201  read with `pytest -rP`
    assert {rule: s.recall for rule, s in told.items() if s.recall < 0.9} == {}
    assert {rule: s.precision for rule, s in told.items() if s.precision < 0.9} == {}


@pytest.mark.parametrize("language", ["ar", "de", "en", "es", "fr", "hi", "zh"])
def test_no_language_is_judged_worse_than_another(language: str) -> None:
    told = scores(language=f"-{language}")["all"]

    assert told.recall >= 0.9
    assert told.precision >= 0.9


def test_most_rules_are_tried_on_pages_without_annotations() -> None:
    tried = {
        rule
        for page in PAGES.values()
        if "data-ck-root" not in page
        for rule in expected(page)
    }

    assert len(tried) >= 25
