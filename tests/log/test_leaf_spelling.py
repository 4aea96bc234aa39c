"""The quick way to read a leaf never says anything else than the long way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from consentkit.core import canonical
from consentkit.core.act import Kind
from consentkit.errors import MalformedError
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import LEAF_HEADER
from consentkit.log.leaf import split_leaf
from consentkit.log.leaf_grammar import FORMS
from consentkit.log.leaf_grammar import check_body
from consentkit.log.leaf_spelling import read_usual
from consentkit.log.note import UnverifiedNote
from consentkit.log.note import sign_note
from consentkit.log.note import split_note

ORIGIN = "wallet.example/consent/2026"
COLLECTOR = Ed25519Signer.from_seed(f"{ORIGIN}/collector/a1", bytes([1]) * 32)
OTHER = Ed25519Signer.from_seed(f"{ORIGIN}/collector/b2", bytes([2]) * 32)

HEX_128, HEX_256 = "0123456789abcdef" * 2, "0123456789abcdef" * 4
PLACE = {"purpose": "credit-score", "recipient": "acme-credit", "scope": HEX_256}
GIVEN = {"data": ["income", "spending"], "state": "given", "until": 9, **PLACE}
ENDED = {"data": [], "state": "withdrawn", "until": 0, **PLACE}
LATER = {**ENDED, "purpose": "offers.cross-border"}
OFFER = {"data": ["income", "spending"], "optional": ["income"], **PLACE}
COMMON = {"id": HEX_128, "log": ORIGIN, "time": 1_767_225_600_123}
PERSON = {"subject": HEX_128, "seq": 3, "prev": HEX_256}
ACTED = {"actor": "subject", "channel": "web", "evidence": HEX_256} | PERSON
SHARE = {
    "amount": 12,
    "caller": "statements.send",
    "channel": "server",
    "data": ["spending"],
    "purpose": "credit-score",
    "recipient": "acme-credit",
}
CHOSEN = {"assurance": "session", "challenge": HEX_256}
FIELDS: dict[Kind, dict[str, Any]] = {
    Kind.GENESIS: {"controller": "wallet"},
    Kind.KEY: {"from": 0, "role": "collector", "vkey": COLLECTOR.vkey},
    Kind.NOTICE: {
        "html": HEX_256,
        "locale": "zh-Hans-CN",
        "notice": HEX_256,
        "offers": [OFFER, {**OFFER, "purpose": "offers"}],
    },
    Kind.CHOICE: {
        **ACTED,
        **CHOSEN,
        "choices": [GIVEN, {**LATER, "state": "refused"}],
        "notice": HEX_256,
    },
    Kind.REVOCATION: {**ACTED, **CHOSEN, "choices": [ENDED, LATER]},
    Kind.DISCLOSURE: {
        **PERSON,
        **SHARE,
        "grant": HEX_256,
        "record": HEX_128,
        "scope": HEX_256,
    },
    Kind.DISCLOSURE_BATCH: {**SHARE, "count": 2, "root": HEX_256, "withheld": 1},
    Kind.DENIAL: {**PERSON, **SHARE, "reason": "not_asked"},
    Kind.SUSPENSION: {
        "action": "suspend",
        "evidence": HEX_256,
        "purpose": "credit-score",
        "recipient": "",
    },
    Kind.ERASURE: {**PERSON, "reason": "request"},
    Kind.DELIVERY: {
        **PERSON,
        "attempts": 3,
        "recipient": "acme-credit",
        "record": HEX_128,
        "status": "failed",
    },
    Kind.IMPORT: {
        **ACTED,
        "assurance": "asserted",
        "choices": [GIVEN],
        "source": "crm-2025",
    },
    Kind.CLOSURE: {"reason": "end-of-period"},
    Kind.ADMIN: {"action": "publish", "evidence": HEX_256, "target": "credit-score"},
}
BODIES = {
    kind: {**COMMON, "kind": kind.value, **fields} for kind, fields in FIELDS.items()
}

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.sampled_from(
            [0, -1, 7, 10**14, 10**15, 2**53 - 1, 2**53 - 2, True, False, "", "0"]
        ),
        st.sampled_from([HEX_128, HEX_256, HEX_256.upper(), HEX_256 + "\n", "a" * 65]),
        st.sampled_from(["given", "expired", "signed", "parent", "a b", 'a"b', "a\\b"]),
        st.sampled_from(["x.cross-border", "é", "\x7f", "a\u2028", "-a", "en-", "a+b"]),
        st.sampled_from([ORIGIN, COLLECTOR.vkey, COLLECTOR.vkey[:-1], GIVEN, OFFER]),
        st.sampled_from(sorted(word for kind in Kind for word in (kind.value,))),
        st.text(max_size=3),
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(GIVEN)), inner, max_size=3)
    ),
    max_leaves=4,
)


def leaf_of(body: Mapping[str, Any], *signers: Ed25519Signer) -> bytes:
    text = LEAF_HEADER + b"\n" + canonical.encode(body) + b"\n"
    return sign_note(text, *(signers or [COLLECTOR]))


def the_long_way(data: bytes) -> tuple[UnverifiedNote, Any] | None:
    try:
        note = split_note(data)
        header, _, line = note.text.partition(b"\n")
        body = canonical.decode(line.removesuffix(b"\n"))
        assert isinstance(body, dict)
        check_body(body)
    except (MalformedError, AssertionError):
        return None
    return (note, body) if header == LEAF_HEADER else None


def compare(data: bytes) -> None:
    expected = the_long_way(data)
    quick = read_usual(data)
    assert quick is None or quick == expected
    if quick is not None:  # 1 and True are equal, and two spellings
        assert canonical.encode(quick[1]) == data.split(b"\n")[1]
    try:
        leaf, note = split_leaf(data)
    except MalformedError:
        assert expected is None
    else:
        assert (note, dict(leaf.body)) == expected


def test_every_kind_is_read_the_quick_way() -> None:
    assert BODIES.keys() == FORMS.keys()
    for body in BODIES.values():
        quick = read_usual(leaf_of(body))
        assert quick is not None
        assert quick == the_long_way(leaf_of(body))


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        (Kind.KEY, {"until": 9}),
        (Kind.ERASURE, {"evidence": HEX_256}),
        (Kind.CLOSURE, {"successor": "wallet.example/consent/2027"}),
        (Kind.DENIAL, {"amount": 2**53 - 1}),
    ],
)
def test_what_is_rare_is_read_the_long_way(kind: Kind, more: dict[str, Any]) -> None:
    data = leaf_of({**BODIES[kind], **more})

    assert read_usual(data) is None
    assert dict(split_leaf(data)[0].body) == {**BODIES[kind], **more}


def test_two_signatures_are_read_the_long_way() -> None:
    data = leaf_of(BODIES[Kind.CHOICE], COLLECTOR, OTHER)

    assert read_usual(data) is None
    assert split_leaf(data)[0].claimed == (COLLECTOR.name, OTHER.name)


@settings(max_examples=300)
@given(st.sampled_from(list(Kind)), st.data())
def test_a_changed_field_is_judged_the_same_both_ways(
    kind: Kind, data: st.DataObject
) -> None:
    body = dict(BODIES[kind])
    name = data.draw(st.sampled_from(sorted(body)))
    if name in {"choices", "offers"} and data.draw(st.booleans()):
        item = dict(body[name][0])
        item[data.draw(st.sampled_from(sorted(item)))] = data.draw(VALUES)
        body[name] = data.draw(st.permutations([item, *body[name][1:]]))
    else:
        body[name] = data.draw(VALUES)
    try:
        leaf = leaf_of(body)
    except MalformedError:
        return  # not even JSON of ours
    compare(leaf)


@settings(max_examples=300)
@given(st.sampled_from(list(Kind)), st.data())
def test_changed_bytes_are_judged_the_same_both_ways(
    kind: Kind, data: st.DataObject
) -> None:
    leaf = bytearray(leaf_of(BODIES[kind]))
    for _ in range(data.draw(st.integers(1, 2))):
        begin = data.draw(st.integers(0, len(leaf) - 1))
        end = begin + data.draw(st.integers(0, 2))
        leaf[begin:end] = data.draw(
            st.binary(max_size=2)
            | st.sampled_from([b" ", b"0", b"\n", b"\\", b'"', b"=", b"-", b"e", b","])
        )
    compare(bytes(leaf))


@given(st.sampled_from(list(Kind)), st.integers(0, 2**32))
@example(Kind.CHOICE, 0)
def test_stray_bits_of_the_last_character_are_refused(kind: Kind, bits: int) -> None:
    leaf = leaf_of(BODIES[kind])
    assert leaf.endswith(b"=\n")
    compare(leaf[:-3] + bytes([33 + bits % 94]) + leaf[-2:])
