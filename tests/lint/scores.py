"""Recall and precision by rule; ``python -m tests.lint.scores`` prints them."""

from __future__ import annotations

import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path

from consentkit.lint import lint

__all__ = ["PAGES", "Score", "expected", "reported", "scores", "table"]

_FOLDER = Path(__file__).parent
_EXPECTED = re.compile(r"<!-- errors: ([D\d ]+|none)(?: warnings: ([D\d ]+))? -->\n")
PAGES = {
    f"{path.parent.name}/{path.stem}": path.read_text("utf-8")
    for path in sorted(_FOLDER.glob("*/*.html"))
}


class Score:
    """How often a rule was right, missed a fault, and found one that is none."""

    def __init__(self) -> None:
        self.right = self.missed = self.false = 0

    @property
    def recall(self) -> float:
        """Of the faults that are there, the share that is found."""
        there = self.right + self.missed
        return self.right / there if there else 1.0

    @property
    def precision(self) -> float:
        """Of the faults that are found, the share that is there."""
        found = self.right + self.false
        return self.right / found if found else 1.0


def expected(page: str) -> set[str]:
    """The rules that a page's first line says it breaks, warnings included."""
    match = _EXPECTED.match(page)
    assert match is not None, "a page begins with the list of its faults"
    return {*match[1].split(), *(match[2] or "").split()} - {"none"}


@cache
def reported(page: str) -> frozenset[str]:
    """The rules that the linter says it breaks; of warnings, those on the list."""
    findings = lint(page)
    warned = {finding.rule for finding in findings.warnings}
    return frozenset({f.rule for f in findings.errors} | (warned & expected(page)))


def scores(*, folder: str = "", language: str = "") -> dict[str, Score]:
    """Judge the pages of a folder and a language, or all; ``all`` sums the rules up."""
    right, missed, false = Counter[str](), Counter[str](), Counter[str]()
    for name, page in PAGES.items():
        if name.startswith(folder) and name.endswith(language):
            there, found = expected(page), reported(page)
            right.update([*(there & found), *(["all"] * len(there & found))])
            missed.update([*(there - found), *(["all"] * len(there - found))])
            false.update([*(found - there), *(["all"] * len(found - there))])
    told: dict[str, Score] = {}
    for rule in sorted(right | missed | false):
        told[rule] = Score()
        told[rule].right = right[rule]
        told[rule].missed = missed[rule]
        told[rule].false = false[rule]
    return told


def table(told: dict[str, Score]) -> str:
    """One line for each rule."""
    lines = [
        f"{rule:4} recall {s.recall:.2f} precision {s.precision:.2f} "
        f"({s.right} right, {s.missed} missed, {s.false} false)"
        for rule, s in told.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(f"{table(scores(folder=''.join(sys.argv[1:2])))}\n")
