"""The tables of rules are the project's list, each rule in one front end at least."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from consentkit.lint import Severity
from consentkit.lint import browsing
from consentkit.lint import flow_rules
from consentkit.lint import lint
from consentkit.lint.catalogue import slugs
from consentkit.lint.rule import Rule
from consentkit.lint.table import RULES

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
LISTED = {
    rule["id"]: rule
    for rule in json.loads((VECTORS / "lint_rules.json").read_text("utf-8"))["rules"]
}


def named(rules: Iterable[Rule[Any]]) -> dict[str, tuple[str, str]]:
    return {rule.id: (rule.slug, str(rule.severity)) for rule in rules}


@pytest.mark.parametrize("rules", [RULES, browsing.RULES, flow_rules.RULES])
def test_each_rule_has_the_name_and_weight_of_the_list(rules: Any) -> None:
    listed = {id_: (rule["slug"], rule["severity"]) for id_, rule in LISTED.items()}

    assert named(rules).items() <= listed.items()


def test_every_rule_of_the_list_is_built() -> None:
    assert set(slugs()) == set(LISTED)


@pytest.mark.parametrize("rules", [RULES, browsing.RULES, flow_rules.RULES])
def test_no_front_end_has_a_rule_twice(rules: Any) -> None:
    assert len(named(rules)) == len(rules)


@pytest.mark.parametrize("rules", [RULES, browsing.RULES, flow_rules.RULES])
def test_every_rule_cites_the_law_that_the_list_cites(rules: Any) -> None:
    """The list also names the story and the press; a finding names the law alone."""
    assert [rule.id for rule in rules if not rule.source] == []
    assert {
        rule.id: set(rule.source.split("; "))
        - set(LISTED[rule.id]["source"].split("; "))
        for rule in rules
    } == {rule.id: set() for rule in rules}


def test_findings_say_which_rules_were_checked() -> None:
    findings = lint("<p>Good morning.</p>")

    assert findings.rules_checked == tuple(rule.id for rule in RULES)
    assert list(findings.rules_checked) == sorted(findings.rules_checked)
    assert findings.questions == 0


def test_a_finding_says_what_where_why_and_what_to_do() -> None:
    page = '<form><label><input type="checkbox" checked> Share my data</label></form>'

    finding = lint(page, lang="en")[0]

    assert finding.rule == "D01"
    assert finding.severity is Severity.ERROR
    assert finding.where == 'form > label > input[type="checkbox"]'
    assert finding.why == "this checkbox is already on when the page is shown"
    assert finding.do == "Render it off; only the person turns it on."
    assert "Planet49" in finding.source


def test_errors_and_warnings_are_told_apart() -> None:
    findings = lint(
        '<section data-ck-root><img src="/a.png"><button data-ck-action="accept">'
        "Share</button></section>"
    )

    assert {f.rule for f in findings.warnings} == {"D34"}
    assert {f.rule for f in findings.errors} == {"D03", "D09", "D46"}
    assert findings.rules_broken == ("D03", "D09", "D34", "D46")
    assert findings[:2] == findings.findings[:2]
