"""What the linter says: one finding for each fault, and the list of them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import replace
from enum import StrEnum
from typing import overload

__all__ = ["Finding", "Findings", "Severity"]


class Severity(StrEnum):
    """How much a finding weighs: an error breaks a duty, a warning weakens the ask."""

    ERROR = "error"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule broken at one place; ``why`` is the fault, ``do`` the remedy."""

    rule: str
    severity: Severity
    where: str
    why: str
    do: str
    source: str

    def to_dict(self) -> dict[str, str]:
        """Return the finding as JSON-able values."""
        return {name: str(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Findings(Sequence[Finding]):
    """All findings on one page, in rule order; empty, hence falsy, when it holds.

    ``questions`` counts the places where the page asks for consent: with none of
    them no finding means nothing. A rule missing from ``rules_checked`` was not
    judged: it needs a layout or a walk through the app.
    """

    findings: tuple[Finding, ...]
    questions: int
    rules_checked: tuple[str, ...]

    @overload
    def __getitem__(self, index: int) -> Finding: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Finding, ...]: ...

    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        return self.findings[index]

    def __len__(self) -> int:
        return len(self.findings)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that break a duty."""
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that weaken the question without breaking a duty."""
        return tuple(f for f in self.findings if f.severity is Severity.WARN)

    @property
    def rules_broken(self) -> tuple[str, ...]:
        """The ids of the broken rules, each once, in order."""
        return tuple(dict.fromkeys(f.rule for f in self.findings))

    def at(self, page: str) -> Findings:
        """Return the same report with the page's name before each place."""
        told = (replace(f, where=f"{page}: {f.where}") for f in self.findings)
        return replace(self, findings=tuple(told))

    def joined(self, other: Findings) -> Findings:
        """Return both reports as one, each fault told once, in rule order.

        The questions of both are counted: of different pages, or in different ways.
        """
        both = dict.fromkeys((*self.findings, *other.findings))
        return Findings(
            tuple(sorted(both, key=lambda finding: finding.rule)),
            questions=self.questions + other.questions,
            rules_checked=tuple(sorted({*self.rules_checked, *other.rules_checked})),
        )

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON-able values."""
        return {
            "findings": [finding.to_dict() for finding in self.findings],
            "questions": self.questions,
            "rules_checked": list(self.rules_checked),
        }
