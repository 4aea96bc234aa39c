"""The page of threats names every adversary, and tests that are really there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "threats.md"
STORY = ROOT / "tests" / "story"

ADVERSARIES = (
    "The operator edits a row with SQL",
    "Somebody adds rows past the app, as the role of a web process",
    "The operator signs everything anew, with all keys",
    "The operator deletes the newest records",
    "The operator deletes or reorders records in the middle",
    "The operator backdates a record",
    "The operator shows different logs to different people",
    "Somebody puts back a backup, or two publishers run",
    "A process crashes at any point",
    "Many workers write at the same time",
    "A thief of the database",
    "A thief of the log's key",
    "A thief of a collector's key",
    "A developer who invents consent",
    "A developer whose code forgets the gate",
    "A form that is sent again",
    "A notice that is pre-ticked or swapped",
    "A partner who claims to have had consent",
    "A record moved to another log",
    "An erasure that is undone or only claimed",
    "Two readers that read one file differently",
    "An input without end",
)
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)(?:\[(\w+)\])?`")


class Threat(NamedTuple):
    """One row of the table; ``tests`` are file, function and the case, if one is."""

    who: str
    stopped_by: str
    tests: tuple[tuple[str, str, str], ...]
    remains: str


def read_rows(page: str) -> list[Threat]:
    """The rows below the head of the one table."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    rows = [line.strip("|").split("|") for line in lines[2:]]
    found = []
    for who, stopped_by, tests, remains in rows:
        names = [each.strip() for each in tests.split("<br>")]
        named = [_TEST.fullmatch(each) for each in names]
        assert all(named), names
        found.append(
            Threat(
                who.strip(),
                stopped_by.strip(),
                tuple((each[1], each[2], each[3] or "") for each in named if each),
                remains.strip(),
            )
        )
    return found


ROWS = read_rows(PAGE.read_text("utf-8"))


@cache
def functions(path: str) -> frozenset[str]:
    """The functions and methods that a file defines, without running it."""
    file = ROOT / path
    assert file.is_file(), f"{path} is not there"
    tree = ast.parse(file.read_text("utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    )


@pytest.mark.requirement("R95", "R98")
def test_every_adversary_has_a_row() -> None:
    assert tuple(row.who for row in ROWS) == ADVERSARIES


@pytest.mark.parametrize("row", ROWS, ids=[row.who for row in ROWS])
def test_every_row_says_what_stops_them_what_remains_and_tests_that_exist(
    row: Threat,
) -> None:
    assert row.stopped_by.endswith(".")
    assert row.remains.endswith(".")
    assert row.tests
    assert len(set(row.tests)) == len(row.tests)
    for path, name, case in row.tests:
        assert name in functions(path), f"{path} has no {name}"
        assert not case or case in functions(path), f"{path} has no case {case}"


def test_every_test_written_for_this_page_is_on_it() -> None:
    written = {
        (file.relative_to(ROOT).as_posix(), name)
        for file in STORY.glob("test_threats_*.py")
        for name in functions(file.relative_to(ROOT).as_posix())
        if name.startswith("test_")
    }
    assert len(written) > len(ADVERSARIES) // 2
    assert written <= {(path, name) for row in ROWS for path, name, _ in row.tests}


def test_a_row_that_names_something_else_than_a_test_is_not_read() -> None:
    table = "| who | what | tried by | remains |\n| - | - | - | - |\n"
    with pytest.raises(AssertionError):
        read_rows(table + "| A thief | Locks. | `tests/locks.py` | Hope. |\n")
