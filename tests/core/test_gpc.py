"""The header of Global Privacy Control, read as the draft says, and nothing else."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.core.gpc import opts_out
from consentkit.core.gpc import support_resource

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/sec_gpc.json").read_text())
HEADERS = {each["id"]: each for each in VECTORS["header_vectors"]}


def values(vector: dict[str, Any]) -> list[str]:
    """What a server hands over: the fields of that name, whatever its case."""
    return [value for name, value in vector["headers"] if name.lower() == "sec-gpc"]


@pytest.mark.requirement("R105")
@pytest.mark.parametrize("name", HEADERS)
def test_only_a_value_of_exactly_1_opts_out(name: str) -> None:
    vector = HEADERS[name]
    sent = values(vector)

    assert opts_out(sent) is vector["opt_out"]
    assert opts_out([", ".join(sent)] if sent else []) is vector["opt_out"]


@pytest.mark.requirement("R105")
@given(st.lists(st.text().filter(lambda text: "1" not in text)))
def test_nothing_without_a_1_in_it_opts_out(sent: list[str]) -> None:
    assert not opts_out(sent)
    assert opts_out([*sent, "1"])


OTHER_ONES = [
    "\N{ARABIC-INDIC DIGIT ONE}",
    "\N{FULLWIDTH DIGIT ONE}",
    "1.0",
    "+1",
    "11",
    "1 1",
    '"1"',
    "?1",
    "1\u00a0",
    "1\x0b",
]


@pytest.mark.requirement("R105")
@pytest.mark.parametrize("value", OTHER_ONES)
def test_another_spelling_of_one_is_none(value: str) -> None:
    assert not opts_out([value])


def test_the_support_resource_has_a_boolean_and_a_full_date() -> None:
    said = support_resource(supports=True, last_update=date(2026, 11, 21))

    assert said == {"gpc": True, "lastUpdate": "2026-11-21"}
