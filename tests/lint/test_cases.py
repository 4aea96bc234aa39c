"""The 26 cases of the standard: what has to be found, and nothing worse beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from consentkit.lint import lint

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
CASES: dict[str, dict[str, Any]] = {
    case["id"]: case
    for case in json.loads((VECTORS / "lint_cases.json").read_text("utf-8"))["cases"]
}
# Faults that a page has besides the one it was made for.
ALSO_BROKEN = {
    "bad-umbrella": {"D11"},
    "alipay-2018-reconstruction": {"D03", "D07", "D42", "D46"},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_case_has_the_faults_it_was_made_for(case: dict[str, Any]) -> None:
    found = set(lint(case["html"], lang=case["lang"]).rules_broken)

    assert set(case["expect"]) <= found


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_case_has_no_error_besides_those_known(case: dict[str, Any]) -> None:
    findings = lint(case["html"], lang=case["lang"])

    errors = {finding.rule for finding in findings.errors}
    assert errors - set(case["expect"]) == ALSO_BROKEN.get(case["id"], set())


def test_the_good_case_has_no_finding_at_all() -> None:
    findings = lint(CASES["good-baseline"]["html"], lang="en")

    assert list(findings) == []
    assert findings.questions == 1


@pytest.mark.requirement("D01")
@pytest.mark.requirement("D08")
@pytest.mark.requirement("D12")
@pytest.mark.requirement("D13")
def test_the_page_of_2018_is_found_without_any_annotation() -> None:
    page = CASES["alipay-2018-reconstruction"]
    assert "data-ck" not in page["html"]

    found = {finding.rule: finding for finding in lint(page["html"], lang="zh-CN")}

    assert {"D01", "D08", "D12", "D13"} <= set(found)
    assert "9.0 px" in found["D08"].why
    assert "立即查看" in found["D12"].why
    assert found["D01"].where.endswith('input[name="zm"]')
