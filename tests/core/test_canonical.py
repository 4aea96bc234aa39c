"""Canonical JSON: one value, one spelling, and nothing that reads two ways."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from consentkit.core import canonical
from consentkit.errors import MalformedError

JCS = Path(__file__).parents[1] / "vectors" / "jcs"

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = (
    TEXT
    | st.booleans()
    | st.integers(min_value=-canonical.MAX_INTEGER, max_value=canonical.MAX_INTEGER)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_the_spelling_is_that_of_rfc_8785(value: Any) -> None:
    assert canonical.encode(value) == rfc8785.dumps(value)


@given(VALUES)
def test_what_is_encoded_decodes_to_the_same_value(value: Any) -> None:
    assert canonical.decode(canonical.encode(value)) == value


@pytest.mark.parametrize("name", ["french", "unicode", "weird"])
def test_the_published_vectors_of_our_profile_hold(name: str) -> None:
    value = json.loads((JCS / "input" / f"{name}.json").read_text("utf-8"))
    expected = (JCS / "output" / f"{name}.json").read_bytes()

    assert canonical.encode(value) == expected


@pytest.mark.parametrize("name", ["arrays", "structures", "values"])
def test_published_vectors_with_null_or_floats_are_refused(name: str) -> None:
    value = json.loads((JCS / "input" / f"{name}.json").read_text("utf-8"))

    with pytest.raises(MalformedError, match=r"of type (NoneType|float)"):
        canonical.encode(value)


def test_keys_are_sorted_by_utf_16_code_units_and_not_by_code_points() -> None:
    # U+FB33 is the smaller code point, U+1F602 begins with the smaller code unit.
    value = {"\ufb33": 1, "\U0001f602": 2}

    assert canonical.encode(value) == '{"\U0001f602":2,"\ufb33":1}'.encode()


@pytest.mark.requirement("R96")
def test_the_digest_is_sha_256_of_the_spelling_whatever_the_order_of_keys() -> None:
    known = "cc6fd764215aaace774f5539e49158f38569b8b5ef4346d8e9295227169bbb73"

    assert canonical.digest({"b": [1, True], "a": "x"}) == known
    assert canonical.digest({"a": "x", "b": [1, True]}) == known


UNFIT_VALUES = {
    "float": 1.0,
    "not a number": float("nan"),
    "null": None,
    "bytes": b"a",
    "set": {1},
    "integer beyond 2^53-1": 2**53,
    "integer below -(2^53-1)": -(2**53),
    "key that is a number": {1: "a"},
    "lone surrogate": "\ud800",
    "lone surrogate in a key": {"\ud800": 1},
    "null far inside": {"a": [{"b": None}]},
}


@pytest.mark.parametrize("name", UNFIT_VALUES)
def test_a_value_outside_the_profile_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        canonical.encode(UNFIT_VALUES[name])


def test_the_refusal_says_where_and_never_what() -> None:
    with pytest.raises(MalformedError) as caught:
        canonical.encode({"a": [{"b": 6.25}]})

    assert str(caught.value) == (
        "canonical JSON takes strings, booleans, integers, arrays and objects; "
        "$.a[].b is of type float"
    )


OTHER_SPELLINGS = {
    "white space": b'{"a": 1}',
    "final newline": b'{"a":1}\n',
    "key given twice": b'{"a":1,"a":1}',
    "unsorted keys": b'{"b":1,"a":1}',
    "float": b'{"a":1.0}',
    "exponent": b'{"a":1e2}',
    "not a number": b'{"a":NaN}',
    "infinity": b"Infinity",
    "null": b'{"a":null}',
    "needless escape": rb'{"a":"\u0041"}',
    "escaped slash": rb'{"a":"\/"}',
    "escape in upper case": rb'{"a":"\u000F"}',
    "lone surrogate": rb'{"a":"\ud800"}',
    "minus zero": b"-0",
    "leading zero": b"01",
    "plus sign": b"+1",
    "large integer": b"9007199254740992",
    "integer of 5,000 digits": b"1" * 5000,
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "not UTF-8": b'"\xff"',
    "nothing": b"",
    "two values": b"1 2",
    "cut short": b'{"a":1',
    "nested 17 deep": b"[" * 17 + b"]" * 17,
    "nested 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
}


@pytest.mark.parametrize("name", OTHER_SPELLINGS)
def test_any_other_spelling_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        canonical.decode(OTHER_SPELLINGS[name])


def test_nesting_up_to_the_limit_is_read() -> None:
    data = b"[" * canonical.MAX_DEPTH + b"]" * canonical.MAX_DEPTH

    assert canonical.encode(canonical.decode(data)) == data


def test_objects_nest_as_deep_as_arrays_and_no_deeper() -> None:
    deepest = b'{"a":' * (canonical.MAX_DEPTH - 1) + b"{}" + b"}" * 15

    assert canonical.encode(canonical.decode(deepest)) == deepest
    with pytest.raises(MalformedError) as caught:
        canonical.decode(b'{"a":' + deepest + b"}")
    assert str(caught.value) == "canonical JSON nests at most 16 deep"


@pytest.mark.parametrize("sign", [1, -1])
def test_integers_are_taken_up_to_the_last_that_every_reader_keeps(sign: int) -> None:
    largest = sign * (2**53 - 1)

    assert canonical.encode({"n": largest}) == b'{"n":%d}' % largest
    with pytest.raises(MalformedError) as caught:
        canonical.encode({"n": [largest + sign]})
    assert str(caught.value) == (
        "canonical JSON takes integers up to 2^53-1 either way; $.n[] is beyond"
    )


SAID: dict[str, tuple[Callable[[], object], str]] = {
    "surrogate": (
        lambda: canonical.encode("\ud800"),
        "canonical JSON takes Unicode text; a string holds a lone surrogate",
    ),
    "no JSON": (
        lambda: canonical.decode(b"{"),
        "expected canonical JSON, got no JSON in UTF-8",
    ),
    "spelling": (
        lambda: canonical.decode(b"[ ]"),
        "expected canonical JSON, got JSON in another spelling",
    ),
    "key": (
        lambda: canonical.encode({"a": {5: "b"}}),
        "canonical JSON takes strings as keys; $.a has one of type int",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_refusal_says_what_was_expected(name: str) -> None:
    read, message = SAID[name]

    with pytest.raises(MalformedError) as caught:
        read()

    assert str(caught.value) == message
