"""Write docs/requirements.md: every requirement and rule, and the tests that show it.

A test says what it shows by ``@pytest.mark.requirement("R55")``. The marks are read
from the source, not from a run, so the page does not depend on what is installed.

    python tests/docs/requirements_table.py            # print the page
    python tests/docs/requirements_table.py --write    # write it

``uncovered.json`` says, by id, why nothing shows a requirement yet, or what is still
missing of it ("partly: …"); ``--write`` drops the reasons that a test has made untrue.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PAGE = TESTS.parent / "docs" / "requirements.md"
REQUIREMENTS = TESTS / "vectors" / "requirements.json"
LINT_RULES = TESTS / "vectors" / "lint_rules.json"
UNCOVERED = TESTS / "docs" / "uncovered.json"

PARTLY = "partly: "

HEAD = """\
# Requirements

What consentkit promises, and the tests that show it.
R1 to R120 are drawn from the law, the standards and the story that consentkit answers; D01 to D46 are the dark patterns that `consentkit lint` looks for.
The source of each is in `tests/vectors/requirements.json` and `tests/vectors/lint_rules.json`.

This page is written from the marks on the tests by `make requirements`, and a test fails when it is out of date.
"""  # noqa: E501 - one sentence a line, as in all of docs/


@dataclass(frozen=True, order=True)
class Mark:
    """One test, class of tests or file that shows a requirement."""

    requirement: str
    path: str
    name: str

    def __str__(self) -> str:
        sentence = self.name.removeprefix("test_").replace("_", " ")
        return f"`{self.path}`: {sentence}" if sentence else f"`{self.path}`"


@dataclass(frozen=True)
class Requirement:
    """One line of the catalogue: an id, the group it belongs to and its text."""

    id: str
    group: str
    level: str
    text: str


def read_requirements() -> list[Requirement]:
    """R1 to R120, then D01 to D46, in the order of their sources."""
    rows = json.loads(REQUIREMENTS.read_text("utf-8"))["requirements"]
    rules = json.loads(LINT_RULES.read_text("utf-8"))["rules"]
    return [
        Requirement(row["id"], row["group"], row["level"], row["requirement"])
        for row in rows
    ] + [
        Requirement(
            rule["id"],
            "Dark patterns",
            f"{rule['slug']}, {rule['severity']}",
            rule["wrong"],
        )
        for rule in rules
    ]


def collect_marks(tests: Path = TESTS) -> list[Mark]:
    """Every requirement mark below `tests`, by id and place."""
    found: list[Mark] = []
    for path in sorted(tests.rglob("*.py")):
        name = path.relative_to(tests.parent).as_posix()
        tree = ast.parse(path.read_text("utf-8"), filename=name)
        found += _marks_below(tree, name, "")
    return sorted(set(found))


def _marks_below(node: ast.AST, path: str, owner: str) -> Iterator[Mark]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and _is_mark(child.func):
            for argument in child.args:
                yield Mark(_literal(argument, path), path, owner)
        named = owner
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            named = child.name
        yield from _marks_below(child, path, named)


def _is_mark(function: ast.expr) -> bool:
    return ast.unparse(function).endswith("mark.requirement")


def _literal(argument: ast.expr, path: str) -> str:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    message = f"{path}:{argument.lineno}: write the id as it is: requirement('R55')"
    raise ValueError(message)


def check(
    requirements: Iterable[Requirement],
    marks: Iterable[Mark],
    uncovered: Mapping[str, str],
) -> list[str]:
    """What is wrong with marks and reasons; nothing, when the page can be believed."""
    known = {requirement.id for requirement in requirements}
    shown = {mark.requirement for mark in marks}
    return [
        *(f"{id_}: marked on a test, but no such id" for id_ in sorted(shown - known)),
        *(
            f"{id_}: in uncovered.json, but no such id"
            for id_ in sorted(uncovered.keys() - known)
        ),
        *(
            f"{id_}: a test shows it; `make requirements` drops its reason"
            for id_ in sorted(uncovered.keys() & shown)
            if not uncovered[id_].startswith(PARTLY)
        ),
        *(
            f"{id_}: no test shows it, and uncovered.json does not say why"
            for id_ in sorted(known - shown - uncovered.keys())
        ),
    ]


def format_page(
    requirements: Iterable[Requirement],
    marks: Iterable[Mark],
    uncovered: Mapping[str, str],
) -> str:
    """The page, as Markdown."""
    rows = list(requirements)
    by_id = {
        id_: sorted({str(mark) for mark in shown})
        for id_, shown in groupby(sorted(marks), key=lambda mark: mark.requirement)
    }
    shown = sum(row.id in by_id for row in rows)
    partly = sum(row.id in by_id and row.id in uncovered for row in rows)
    count = f"{shown} of {len(rows)} are shown by at least one test, {partly} of these"
    parts = [HEAD, f"{count} partly.\n"]
    for group, members in groupby(rows, key=lambda row: row.group):
        parts.append(f"## {group}\n")
        parts += [
            _format_entry(row, by_id.get(row.id, []), uncovered) for row in members
        ]
    return "\n".join(parts)


def _format_entry(
    row: Requirement, tests: list[str], uncovered: Mapping[str, str]
) -> str:
    reason = uncovered.get(row.id, "no reason given")
    shown = tests or [f"not covered yet: {reason}"]
    if tests and row.id in uncovered:
        shown = [reason, *tests]
    lines = "\n".join(f"- {line}" for line in shown)
    return f"**{row.id}** ({row.level}) {row.text}\n\n{lines}\n"


def read_uncovered() -> dict[str, str]:
    """The reason why nothing shows a requirement, by id."""
    reasons: dict[str, str] = json.loads(UNCOVERED.read_text("utf-8"))
    return reasons


def write(
    requirements: list[Requirement], marks: list[Mark], uncovered: dict[str, str]
) -> None:
    """Write the page, and drop the reasons that a test has made untrue."""
    shown = {mark.requirement for mark in marks}
    kept = {
        id_: why
        for id_, why in uncovered.items()
        if id_ not in shown or why.startswith(PARTLY)
    }
    UNCOVERED.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(format_page(requirements, marks, kept), "utf-8")


def main() -> int:
    """Print the page or, with `--write`, write it; 1 when it cannot be believed."""
    parser = argparse.ArgumentParser(description="List what the tests show.")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    options = parser.parse_args()
    requirements, marks, uncovered = (
        read_requirements(),
        collect_marks(),
        read_uncovered(),
    )
    if options.write:
        write(requirements, marks, uncovered)
    else:
        sys.stdout.write(format_page(requirements, marks, uncovered))
    wrong = check(requirements, marks, read_uncovered())
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
