"""The table of rules is the project's list, less what a parsed page cannot show."""

from __future__ import annotations

import json
from pathlib import Path

from consentkit.lint import Severity
from consentkit.lint import lint
from consentkit.lint.table import RULES

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
LISTED = {
    rule["id"]: rule
    for rule in json.loads((VECTORS / "lint_rules.json").read_text("utf-8"))["rules"]
}
# Colour, size and position on the screen, what a gesture does, how many steps it
# takes, what a second visit shows: a browser or a walk through the app tells these.
NEED_MORE_THAN_A_PAGE = {
    "D05",
    "D06",
    "D07",
    "D27",
    "D28",
    "D31",
    "D32",
    "D39",
    "D40",
    "D44",
}


def test_each_rule_has_the_name_and_weight_of_the_list() -> None:
    ours = {rule.id: (rule.slug, str(rule.severity)) for rule in RULES}

    assert ours == {
        id_: (rule["slug"], rule["severity"])
        for id_, rule in LISTED.items()
        if id_ not in NEED_MORE_THAN_A_PAGE
    }


def test_the_rules_left_out_are_those_that_need_a_browser_or_a_flow() -> None:
    assert set(LISTED) - {rule.id for rule in RULES} == NEED_MORE_THAN_A_PAGE


def test_every_rule_cites_the_law_that_the_list_cites() -> None:
    """The list also names the story and the press; a finding names the law alone."""
    assert [rule.id for rule in RULES if not rule.source] == []
    assert {
        rule.id: set(rule.source.split("; "))
        - set(LISTED[rule.id]["source"].split("; "))
        for rule in RULES
    } == {rule.id: set() for rule in RULES}


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
