"""What a database, its driver or the app said never becomes the cause of an error.

It may repeat a row or its parameters, a person's id among them, and whoever prints the
traceback of ours would print that as well.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple

import pytest

from consentkit import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "consentkit"
OF_THE_SYSTEM = {"OSError", "FileNotFoundError", "ImportError", "ModuleNotFoundError"}
SAY_NOTHING_OF_A_PERSON = {*errors.__all__, *OF_THE_SYSTEM}
# Elsewhere it is mostly a parser's error, of bytes that are in no database.
ROOM_OF_DRIVERS = "store"
BLIND = {"Exception", "BaseException"}
DRIVERS = ("sqlite3", "psycopg", "sqlalchemy", "sa.", "_driver", "_failures")


class Chained(NamedTuple):
    """A ``raise … from`` in a handler: what it caught, and what it names as cause."""

    place: str
    caught: frozenset[str]
    cause: str


def chained(text: str, place: str) -> Iterator[Chained]:
    """Every raised error that names the one that is handled, as it is or otherwise."""
    for handler in ast.walk(ast.parse(text)):
        if not isinstance(handler, ast.ExceptHandler) or handler.name is None:
            continue
        for each in ast.walk(handler):
            if isinstance(each, ast.Raise) and each.cause is not None:
                where = f"{place}:{each.lineno}"
                yield Chained(where, _caught(handler.type), ast.unparse(each.cause))


def _caught(kind: ast.expr | None) -> frozenset[str]:
    if isinstance(kind, ast.Tuple):
        return frozenset(map(ast.unparse, kind.elts))
    return frozenset() if kind is None else frozenset({ast.unparse(kind)})


def may_name_somebody(found: Chained) -> bool:
    """Whether what was caught is not to be shown as it is."""
    if f"consentkit/{ROOM_OF_DRIVERS}/" in found.place:
        return not found.caught <= SAY_NOTHING_OF_A_PERSON
    return bool(found.caught & BLIND) or any(
        part in each for each in found.caught for part in DRIVERS
    )


def unshortened(text: str, place: str) -> list[str]:
    """Where such an error is the cause as it is."""
    return [
        found.place
        for found in chained(text, place)
        if may_name_somebody(found)
        and not found.cause.startswith(("wordless(", "cause_of("))
    ]


@pytest.mark.requirement("R45")
def test_no_error_of_ours_has_one_of_a_driver_as_its_cause() -> None:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text("utf-8")
        found += unshortened(text, path.relative_to(ROOT).as_posix())

    assert found == [], "raise it from wordless(error)"


HANDLERS = {
    "sqlite3.Error": True,
    "(OSError, sqlite3.Error)": True,
    "self._driver.Error": True,
    "failures": True,
    "ValueError": True,
    "Exception": True,
    "LogConflictError": False,
    "(MalformedError, FileNotFoundError)": False,
}


@pytest.mark.parametrize(("caught", "counts"), HANDLERS.items(), ids=HANDLERS)
def test_what_counts_as_one(caught: str, *, counts: bool) -> None:
    """Else the test above would find nothing whatever there is."""
    handler = f"try:\n    pass\nexcept {caught} as error:\n    raise Ours() from "

    assert bool(unshortened(f"{handler}error", "consentkit/store/x.py")) is counts
    assert unshortened(f"{handler}wordless(error)", "consentkit/store/x.py") == []
