"""Findings for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consentkit.lint.finding import Finding
    from consentkit.lint.finding import Findings

__all__ = ["format_json", "format_text"]


def format_text(findings: Findings) -> str:
    """Return a report to read: a paragraph for each finding, then one line of sums."""
    return "\n".join([*(_paragraph(finding) for finding in findings), _sums(findings)])


def format_json(findings: Findings) -> str:
    """Return ``{"findings": [{"rule", "severity", "where", "why", "do", …}], …}``."""
    return json.dumps(findings.to_dict(), ensure_ascii=False, indent=2)


def _paragraph(finding: Finding) -> str:
    return (
        f"{finding.rule} {finding.severity}  {finding.where}\n"
        f"    {finding.why}\n"
        f"    do: {finding.do}\n"
        f"    source: {finding.source}\n"
    )


def _sums(findings: Findings) -> str:
    rules = f"{len(findings.rules_checked)} rules checked"
    if not findings.questions:
        return f"no question about consent found, so nothing was judged; {rules}"
    return (
        f"{_number(findings.questions, 'question')}, "
        f"{_number(len(findings.errors), 'error')}, "
        f"{_number(len(findings.warnings), 'warning')}; {rules}"
    )


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
