"""Texts of others in a terminal: JSON in which nothing steers it."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.audit.plain_text import plain_json


def test_letters_of_every_script_stay_as_they_are() -> None:
    assert plain_json(["Zoë", "مرحبا", "你好", 1]) == '["Zoë", "مرحبا", "你好", 1]'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", r"a\u202eb"),
        ("\u2066\u2069", r"\u2066\u2069"),
        ("\x1b[2J\x9b\x7f", r"\u001b[2J\u009b\u007f"),
        ("\U000e0041", r"\udb40\udc41"),
        ("a\n\tb", r"a\n\tb"),
    ],
)
def test_what_would_steer_is_escaped_as_json_spells_it(text: str, shown: str) -> None:
    assert plain_json(text) == f'"{shown}"'


@given(st.text())
def test_it_is_the_same_value_and_holds_no_control_character(text: str) -> None:
    shown = plain_json({"said": text})

    assert json.loads(shown) == {"said": text}
    assert not [each for each in shown if unicodedata.category(each) == "Cc"]
    bidi = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not bidi & {unicodedata.bidirectional(each) for each in shown}
