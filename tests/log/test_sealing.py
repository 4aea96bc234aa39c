"""Sealing: facts that can be shown one by one, and forgotten with their key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.core import canonical
from consentkit.errors import InvalidSignatureError
from consentkit.errors import MalformedError
from consentkit.log import sealing
from consentkit.log.encoding import decode_base64url
from consentkit.log.encoding import encode_base64url
from consentkit.log.sealing import Disclosure

SALT = bytes(range(32))
LOCALE = Disclosure.make("locale", "en-GB", SALT)
AGENT = Disclosure.make("agent", {"mobile": True, "major": 121}, SALT)
ADDRESS = Disclosure.make("address", "192.0.2.0/24")

VALUES = st.recursive(
    st.booleans() | st.integers(0, 2**53 - 1) | st.text("aé€\U0001f600\n", max_size=9),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


def test_a_disclosure_is_base64url_of_salt_name_and_value() -> None:
    text = decode_base64url(LOCALE.encoded).decode()

    assert json.loads(text) == [encode_base64url(SALT), "locale", "en-GB"]
    assert LOCALE.digest == encode_base64url(
        hashlib.sha256(LOCALE.encoded.encode()).digest()
    )


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), VALUES)
def test_every_disclosure_reads_back(name: str, value: Any) -> None:
    disclosure = Disclosure.make(name, value)

    assert sealing.parse_disclosure(disclosure.encoded) == disclosure


@pytest.mark.requirement("R45")
def test_the_same_fact_has_another_digest_each_time() -> None:
    digests = {Disclosure.make("locale", "en-GB").digest for _ in range(20)}

    assert len(digests) == 20


def spelled(text: str) -> str:
    return encode_base64url(text.encode())


S = encode_base64url(SALT)
BAD_DISCLOSURES = {
    "nothing": "",
    "no base64url": "[]",
    "padded": LOCALE.encoded + "==",
    "two parts": spelled(f'["{S}","name"]'),
    "four parts": spelled(f'["{S}","name","value","more"]'),
    "object": spelled(f'{{"salt":"{S}"}}'),
    "salt that is a number": spelled('[1,"name","value"]'),
    "name that is a number": spelled(f'["{S}",1,"value"]'),
    "empty name": spelled(f'["{S}","","value"]'),
    "salt of 15 bytes": spelled(f'["{S[:20]}","name","value"]'),
    "salt that is no base64url": spelled('["!!!!!!!!!!!!!!!!!!!!!!!!","name",1]'),
    "null value": spelled(f'["{S}","name",null]'),
    "float value": spelled(f'["{S}","name",1.5]'),
    "spaces": spelled(f'["{S}", "name", "value"]'),
    "too long": "A" * 16_385,
}


@pytest.mark.parametrize("name", BAD_DISCLOSURES)
def test_a_disclosure_in_any_other_form_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        sealing.parse_disclosure(BAD_DISCLOSURES[name])


def test_a_document_is_not_a_disclosure() -> None:
    with pytest.raises(MalformedError, match="at most 16384"):
        Disclosure.make("page", "x" * 16_384)


def test_the_commitment_is_over_sorted_digests_one_a_line() -> None:
    lines = sorted([LOCALE.digest, AGENT.digest])
    expected = hashlib.sha256(
        b"consentkit/evidence@v1\n" + "".join(f"{line}\n" for line in lines).encode()
    ).hexdigest()

    assert sealing.commit([LOCALE, AGENT]) == expected
    assert sealing.commit([AGENT, LOCALE]) == expected


@pytest.mark.requirement("R48")
def test_one_fact_can_be_shown_while_the_others_stay_hidden() -> None:
    committed = sealing.commit([LOCALE, AGENT, ADDRESS])
    shown = sealing.parse_disclosure(LOCALE.encoded)

    assert sealing.commit([shown], withheld=[AGENT.digest, ADDRESS.digest]) == committed
    forged = Disclosure.make("locale", "fr-FR", SALT)
    assert (
        sealing.commit([forged], withheld=[AGENT.digest, ADDRESS.digest]) != committed
    )
    assert sealing.commit([shown], withheld=[AGENT.digest]) != committed


def test_an_act_without_evidence_has_a_commitment_too() -> None:
    expected = hashlib.sha256(b"consentkit/evidence@v1\n").hexdigest()

    assert sealing.commit([]) == expected


def test_one_act_commits_to_each_fact_once() -> None:
    other = Disclosure.make("locale", "fr-FR")

    for disclosures, withheld in (
        ([LOCALE, LOCALE], []),
        ([LOCALE, other], []),
        ([LOCALE], [LOCALE.digest]),
        ([], [AGENT.digest, AGENT.digest]),
    ):
        with pytest.raises(MalformedError, match="each fact once"):
            sealing.commit(disclosures, withheld=withheld)


def test_a_withheld_digest_is_a_digest() -> None:
    for digest in ("", "AAAA", AGENT.digest + "\n"):
        with pytest.raises(MalformedError):
            sealing.commit([LOCALE], withheld=[digest])


KEY = bytes(32)
CONTEXT = sealing.evidence_context("wallet.example/2026", "0" * 32)


@given(st.binary(max_size=100))
def test_what_is_sealed_opens_again(data: bytes) -> None:
    assert sealing.unseal(KEY, sealing.seal(KEY, data, CONTEXT), CONTEXT) == data


@pytest.mark.requirement("R92")
def test_without_its_key_sealed_evidence_is_gone() -> None:
    sealed = sealing.seal(sealing.new_data_key(), b"192.0.2.7", CONTEXT)

    assert b"192.0.2.7" not in sealed
    with pytest.raises(InvalidSignatureError):
        sealing.unseal(sealing.new_data_key(), sealed, CONTEXT)


def test_evidence_moved_to_another_leaf_or_log_does_not_open() -> None:
    sealed = sealing.seal(KEY, b"evidence", CONTEXT)

    for log, leaf_id in (
        ("wallet.example/2026", "1" * 32),
        ("wallet.example/2027", "0" * 32),
    ):
        with pytest.raises(InvalidSignatureError):
            sealing.unseal(KEY, sealed, sealing.evidence_context(log, leaf_id))


def test_sealed_bytes_with_one_bit_changed_do_not_open() -> None:
    sealed = sealing.seal(KEY, b"evidence", CONTEXT)

    for at in range(len(sealed)):
        tampered = bytearray(sealed)
        tampered[at] ^= 1
        with pytest.raises(InvalidSignatureError):
            sealing.unseal(KEY, bytes(tampered), CONTEXT)


def test_the_same_bytes_are_sealed_otherwise_each_time() -> None:
    assert len({sealing.seal(KEY, b"evidence", CONTEXT) for _ in range(20)}) == 20


def test_a_wrapped_key_opens_with_its_wrapping_key_and_context_alone() -> None:
    data_key, wrapping_key = sealing.new_data_key(), sealing.new_data_key()
    wrapped = sealing.wrap_key(data_key, wrapping_key, b"subject")

    assert sealing.unwrap_key(wrapped, wrapping_key, b"subject") == data_key
    with pytest.raises(InvalidSignatureError):
        sealing.unwrap_key(wrapped, wrapping_key, b"other")
    with pytest.raises(InvalidSignatureError):
        sealing.unwrap_key(wrapped, data_key, b"subject")


def test_sealed_evidence_is_never_taken_for_a_wrapped_key() -> None:
    sealed = sealing.seal(KEY, sealing.new_data_key(), b"subject")

    with pytest.raises(InvalidSignatureError):
        sealing.unwrap_key(sealed, KEY, b"subject")


def test_cut_short_bytes_and_short_keys_are_refused() -> None:
    with pytest.raises(MalformedError, match="28 sealed bytes or more, got 27"):
        sealing.unseal(KEY, bytes(27), b"")
    with pytest.raises(MalformedError, match="32 bytes, got 16"):
        sealing.seal(bytes(16), b"", b"")
    with pytest.raises(MalformedError, match="32 bytes, got 16"):
        sealing.unseal(bytes(16), bytes(28), b"")
    with pytest.raises(MalformedError, match="32 bytes, got 16"):
        sealing.wrap_key(bytes(16), KEY, b"")


def test_a_salt_is_kept_as_it_was_given_and_has_128_bits_or_more() -> None:
    shortest = Disclosure.make("locale", "en-GB", bytes(16))

    assert decode_base64url(shortest.salt) == bytes(16)
    with pytest.raises(MalformedError):
        Disclosure.make("locale", "en-GB", bytes(15))


def test_a_disclosure_of_exactly_the_limit_is_read() -> None:
    frame = len(canonical.encode([S, "page", ""]))
    largest = Disclosure.make("page", "x" * (12_288 - frame), SALT)

    assert len(largest.encoded) == 16_384
    assert sealing.parse_disclosure(largest.encoded) == largest


SAID: dict[str, tuple[Callable[[], object], str]] = {
    "length": (
        lambda: sealing.parse_disclosure("A" * 16_385),
        "a disclosure has at most 16384 characters",
    ),
    "form": (
        lambda: sealing.parse_disclosure(BAD_DISCLOSURES["two parts"]),
        "expected a disclosure: [salt, name, value]",
    ),
    "salt": (
        lambda: sealing.parse_disclosure(BAD_DISCLOSURES["salt of 15 bytes"]),
        "expected a salt of 16 bytes or more, and a name",
    ),
    "digest": (
        lambda: sealing.commit([], withheld=["AAAA"]),
        "expected digests of 32 bytes in base64url",
    ),
    "fact twice": (
        lambda: sealing.commit([LOCALE, LOCALE]),
        "one act commits to each fact once",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_refusal_says_what_was_expected(name: str) -> None:
    read, message = SAID[name]

    with pytest.raises(MalformedError) as caught:
        read()

    assert str(caught.value) == message


def test_what_does_not_open_says_so_and_at_which_step() -> None:
    with pytest.raises(InvalidSignatureError) as caught:
        sealing.unseal(KEY, bytes(28), CONTEXT)

    assert str(caught.value) == "expected data sealed under this key for this context"
    assert caught.value.step == "sealing"
