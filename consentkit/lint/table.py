"""The table of rules: every rule that a parsed page can be judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.lint import answer_rules
from consentkit.lint import choice_rules
from consentkit.lint import declared_rules
from consentkit.lint import structure_rules
from consentkit.lint import text_rules
from consentkit.lint import unasked_rules
from consentkit.lint import withdrawal_rules
from consentkit.lint.finding import Findings

if TYPE_CHECKING:
    from consentkit.lint.page import Page

__all__ = ["RULES", "judge"]

_BESIDE_A_BROWSER = (
    *answer_rules.RULES,
    *choice_rules.RULES,
    *structure_rules.RULES,
    *text_rules.RULES,
    *unasked_rules.RULES,
    *withdrawal_rules.RULES,
)
RULES = tuple(
    sorted((*_BESIDE_A_BROWSER, *declared_rules.RULES), key=lambda rule: rule.id)
)


def judge(page: Page, *, measured: bool = False) -> Findings:
    """Apply every rule to every question of a page, each fault told once.

    With ``measured`` a browser tells the looks; what the page declares is left out.
    """
    rules = sorted(_BESIDE_A_BROWSER, key=lambda rule: rule.id) if measured else RULES
    found = (
        finding
        for rule in rules
        for question in page.questions
        for finding in rule.judge(question)
    )
    return Findings(
        tuple(dict.fromkeys(found)),
        questions=len(page.questions),
        rules_checked=tuple(rule.id for rule in rules),
    )
