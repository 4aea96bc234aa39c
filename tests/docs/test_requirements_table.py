from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def load_generator() -> ModuleType:
    """The generator beside this file, which is a script and in no package."""
    path = Path(__file__).with_name("requirements_table.py")
    spec = importlib.util.spec_from_file_location("requirements_table", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks its own module up
    spec.loader.exec_module(module)
    return module


table = load_generator()

CATALOGUE = [
    table.Requirement("R1", "Notice", "MUST", "It is complete."),
    table.Requirement("R2", "Notice", "MUST", "It is in view."),
]


def marks_of(tmp_path: Path, source: str) -> list[str]:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_sample.py").write_text(source, "utf-8")
    return [f"{mark.requirement} {mark}" for mark in table.collect_marks(tests)]


def test_the_catalogue_lists_every_requirement_and_every_rule() -> None:
    ids = [requirement.id for requirement in table.read_requirements()]

    assert ids == [
        *(f"R{number}" for number in range(1, 121)),
        *(f"D{number:02}" for number in range(1, 47)),
    ]


def test_every_requirement_has_a_test_or_says_why_not() -> None:
    wrong = table.check(
        table.read_requirements(), table.collect_marks(), table.read_uncovered()
    )

    assert wrong == []


def test_the_page_of_requirements_is_up_to_date() -> None:
    page = table.format_page(
        table.read_requirements(), table.collect_marks(), table.read_uncovered()
    )

    assert table.PAGE.read_text("utf-8") == page, "run: make requirements"


def test_a_mark_is_found_on_a_function_a_class_a_file_and_a_case(
    tmp_path: Path,
) -> None:
    source = """
pytestmark = pytest.mark.requirement("R1")

@pytest.mark.requirement("R2", "R3")
def test_one_thing(): ...

@pytest.mark.requirement("R4")
class TestManyThings:
    @pytest.mark.requirement("R5")
    async def test_another(self): ...

@pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.requirement("R6"))])
def test_a_case(n): ...
"""

    assert marks_of(tmp_path, source) == [
        "R1 `tests/test_sample.py`",
        "R2 `tests/test_sample.py`: one thing",
        "R3 `tests/test_sample.py`: one thing",
        "R4 `tests/test_sample.py`: TestManyThings",
        "R5 `tests/test_sample.py`: another",
        "R6 `tests/test_sample.py`: a case",
    ]


def test_an_id_that_is_computed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"test_sample.py:1: write the id as it is"):
        marks_of(tmp_path, "pytestmark = pytest.mark.requirement(name)\n")


@pytest.mark.parametrize(
    ("marked", "reasons", "expected"),
    [
        (["R1", "R2"], {}, []),
        (["R1"], {"R2": "not built"}, []),
        (["R1"], {}, ["R2: no test shows it, and uncovered.json does not say why"]),
        (
            ["R1", "R2"],
            {"R2": "not built"},
            ["R2: a test shows it; `make requirements` drops its reason"],
        ),
        (["R1", "R2", "R3"], {}, ["R3: marked on a test, but no such id"]),
        (["R1", "R2"], {"R3": "x"}, ["R3: in uncovered.json, but no such id"]),
    ],
)
def test_what_is_missing_stale_or_unknown_is_named(
    marked: list[str], reasons: dict[str, str], expected: list[str]
) -> None:
    marks = [table.Mark(id_, "tests/test_a.py", "test_it") for id_ in marked]

    assert table.check(CATALOGUE, marks, reasons) == expected


def test_what_is_still_missing_stands_before_the_tests() -> None:
    marks = [table.Mark("R1", "tests/core/test_notice.py", "test_it_is_complete")]
    reasons = {"R1": "partly: in English only", "R2": "not built yet"}

    page = table.format_page(CATALOGUE, marks, reasons)

    assert "1 of these partly." in page
    assert "- partly: in English only\n- `tests/core/test_notice.py`" in page
    assert table.check(CATALOGUE, marks, reasons) == []


def test_the_page_shows_the_tests_or_the_reason() -> None:
    marks = [table.Mark("R1", "tests/core/test_notice.py", "test_it_is_complete")]

    page = table.format_page(CATALOGUE, marks, {"R2": "not built yet"})

    assert "1 of 2 are shown by at least one test, 0 of these partly.\n" in page
    assert page.endswith(
        """## Notice

**R1** (MUST) It is complete.

- `tests/core/test_notice.py`: it is complete

**R2** (MUST) It is in view.

- not covered yet: not built yet
"""
    )
