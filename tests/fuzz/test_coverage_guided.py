"""The fuzzer that `make fuzz` runs for minutes finds nothing in a moment, either."""

from __future__ import annotations

import platform
import sys

import pytest

from . import coverage_guided
from .coverage_guided import fuzz
from .coverage_guided import has_atheris
from .targets import TARGETS

SECONDS = 1
HAS_WHEEL = (sys.platform, platform.machine()) == ("linux", "x86_64")


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_guided_search_finds_no_input_that_a_reader_cannot_take(
    name: str,
) -> None:
    """Elsewhere than on Linux x86-64 there may be no fuzzer: Hypothesis searches."""
    if not HAS_WHEEL and not has_atheris():
        return

    outcome = fuzz(name, SECONDS)

    assert outcome.log == ""
    assert outcome.runs > 100


def test_without_the_fuzzer_it_is_said_where_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(coverage_guided, "has_atheris", lambda: False)
    monkeypatch.setattr(sys, "argv", ["coverage_guided"])

    assert coverage_guided.main() == 2
    assert "pip install atheris" in capsys.readouterr().err
