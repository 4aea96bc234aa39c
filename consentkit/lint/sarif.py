"""Findings in the Static Analysis Results Interchange Format, SARIF 2.1.0 (OASIS).

Code hosts and editors show such a file beside the source. The place of a finding is a
path of elements, which the format calls a logical location.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from typing import Any

from consentkit.lint.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.lint.finding import Finding
    from consentkit.lint.finding import Findings

__all__ = ["format_sarif"]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARN: "warning"}


def format_sarif(findings: Findings, *, page: str, slugs: dict[str, str]) -> str:
    """Return one run of the tool over ``page``, a file's path or an address.

    ``slugs`` names each rule in words.
    """
    broken = list(findings.rules_broken)
    driver = {
        "name": "consentkit lint",
        "rules": [_rule(id_, slugs.get(id_, id_), findings) for id_ in broken],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(f, broken.index(f.rule), page) for f in findings],
    }
    whole = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(whole, ensure_ascii=False, indent=2)


def _rule(id_: str, slug: str, findings: Iterable[Finding]) -> dict[str, Any]:
    first = next(finding for finding in findings if finding.rule == id_)
    return {
        "id": id_,
        "name": slug,
        "shortDescription": {"text": f"{slug.replace('-', ' ')} ({first.source})"},
        "help": {"text": first.do},
        "defaultConfiguration": {"level": _LEVELS[first.severity]},
    }


def _result(finding: Finding, index: int, page: str) -> dict[str, Any]:
    location = {
        "physicalLocation": {"artifactLocation": {"uri": page}},
        "logicalLocations": [{"fullyQualifiedName": finding.where, "kind": "element"}],
    }
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.why}. {finding.do}"},
        "locations": [location],
    }
