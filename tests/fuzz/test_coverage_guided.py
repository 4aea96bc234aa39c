"""The fuzzer that `make fuzz` runs for minutes finds nothing in a moment, either."""

from __future__ import annotations

import platform
import sys

import pytest

from . import coverage_guided
from .coverage_guided import fuzz
from .coverage_guided import has_atheris
from .targets import TARGETS

# For each reader; the seconds end the search of the few that are slow.
RUNS, SECONDS = 10_000, 2
HAS_WHEEL = (sys.platform, platform.machine()) == ("linux", "x86_64")


def test_a_short_guided_search_finds_no_input_that_a_reader_cannot_take() -> None:
    """Elsewhere than on Linux x86-64 there may be no fuzzer: Hypothesis searches."""
    if not HAS_WHEEL and not has_atheris():
        return

    outcomes = fuzz(list(TARGETS), SECONDS, runs=RUNS)

    assert [each.name for each in outcomes] == list(TARGETS)
    assert {each.name: each.log for each in outcomes if each.log} == {}
    assert {each.name: each.runs for each in outcomes if each.runs <= 100} == {}


def test_without_the_fuzzer_it_is_said_where_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(coverage_guided, "has_atheris", lambda: False)
    monkeypatch.setattr(sys, "argv", ["coverage_guided"])

    assert coverage_guided.main() == 2
    assert "pip install atheris" in capsys.readouterr().err
