"""Decimal and base64: one spelling each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.errors import MalformedError
from consentkit.log import encoding

BAD_DECIMALS = {
    "nothing": b"",
    "plus sign": b"+5",
    "minus sign": b"-5",
    "leading zero": b"05",
    "two zeroes": b"00",
    "underscore": b"7_00",
    "space before": b" 5",
    "space after": b"5 ",
    "newline after": b"5\n",
    "Arabic digit": "\u0665".encode(),
    "superscript": "²".encode(),
    "hexadecimal": b"0x5",
    "fraction": b"5.0",
    "2^63": b"9223372036854775808",
    "20 digits": b"10000000000000000000",
}

BAD_BASE64 = {
    "stray last bits": b"AB==",
    "no padding": b"AAA",
    "too much padding": b"AAAA====",
    "newline inside": b"AA\nAA",
    "newline after": b"AAAA\n",
    "space inside": b"AA AA",
    "foreign character": b"AA!AAA==",
    "URL alphabet": b"-_-_",
    "padding inside": b"AA==AAAA",
    "full-width letter": "\uff21".encode() * 4,
}

BAD_BASE64URL = {
    "stray last bits": "AB",
    "padding": "AA==",
    "one character": "A",
    "standard alphabet": "+/+/",
    "newline after": "AAAA\n",
    "foreign character": "AA!A",
    "full-width letter": "\uff21" * 4,
}


@given(st.integers(0, 2**63 - 1))
def test_every_number_below_2_63_is_read_from_its_digits(number: int) -> None:
    assert encoding.parse_decimal(b"%d" % number) == number


@pytest.mark.parametrize("name", BAD_DECIMALS)
def test_any_other_decimal_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        encoding.parse_decimal(BAD_DECIMALS[name])


@given(st.binary())
def test_bytes_survive_both_alphabets(data: bytes) -> None:
    assert encoding.decode_base64(encoding.encode_base64(data)) == data
    assert encoding.decode_base64url(encoding.encode_base64url(data)) == data


@pytest.mark.parametrize("name", BAD_BASE64)
def test_base64_in_another_spelling_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        encoding.decode_base64(BAD_BASE64[name])


@pytest.mark.parametrize("name", BAD_BASE64URL)
def test_base64url_in_another_spelling_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        encoding.decode_base64url(BAD_BASE64URL[name])


SAID: dict[str, tuple[Callable[[], object], str]] = {
    "decimal": (
        lambda: encoding.parse_decimal(b"05"),
        "expected a decimal number below 2^63, no leading zero",
    ),
    "base64": (
        lambda: encoding.decode_base64(b"AA=A"),
        "expected base64 (RFC 4648 §4) with padding",
    ),
    "base64, foreign character": (
        lambda: encoding.decode_base64(b"AAAA!"),
        "expected base64 (RFC 4648 §4) with padding",
    ),
    "base64, last bits": (
        lambda: encoding.decode_base64(b"AB=="),
        "expected base64 whose unused last bits are zero",
    ),
    "base64url": (
        lambda: encoding.decode_base64url("A"),
        "expected base64url (RFC 4648 §5) unpadded",
    ),
    "base64url, last bits": (
        lambda: encoding.decode_base64url("AB"),
        "expected base64url in its only spelling, unpadded",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_refusal_says_what_was_expected(name: str) -> None:
    read, message = SAID[name]

    with pytest.raises(MalformedError) as caught:
        read()

    assert str(caught.value) == message
