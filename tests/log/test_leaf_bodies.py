"""What a leaf may say: exactly the fields of its kind, in their only forms."""

from __future__ import annotations

from typing import Any

import pytest

from consentkit.core.act import Kind
from consentkit.errors import MalformedError
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Ed25519Signer
from consentkit.log.leaf import read_leaf
from consentkit.log.leaf import sign_leaf
from consentkit.log.leaf_grammar import FORMS
from tests.log.leaves import BODIES
from tests.log.leaves import COLLECTOR
from tests.log.leaves import MALFORMED_BODIES
from tests.log.leaves import OFFER
from tests.log.leaves import OPTIONAL
from tests.log.leaves import changed
from tests.log.leaves import choice
from tests.log.leaves import ended
from tests.log.leaves import signed


def test_every_kind_on_the_closed_list_has_its_form() -> None:
    assert set(FORMS) == set(Kind)
    assert set(BODIES) == {kind.value for kind in Kind}


@pytest.mark.parametrize("kind", BODIES)
def test_no_field_may_be_missing_but_the_optional_ones(kind: str) -> None:
    for name in BODIES[kind]:
        body = {key: value for key, value in BODIES[kind].items() if key != name}
        if name in OPTIONAL.get(kind, set()):
            sign_leaf(body, COLLECTOR)
            continue
        with pytest.raises(MalformedError):
            sign_leaf(body, COLLECTOR)
        with pytest.raises(MalformedError):
            read_leaf(signed(body))


@pytest.mark.requirement("R45")
@pytest.mark.parametrize("kind", BODIES)
def test_no_leaf_has_room_for_a_field_that_is_not_foreseen(kind: str) -> None:
    for name in ("email", "ip", "user", "", "Id"):
        with pytest.raises(MalformedError, match="1 that it does not have"):
            read_leaf(signed({**BODIES[kind], name: "x"}))


WRONG_FOR_EVERY_FIELD: dict[str, Any] = {
    "text with spaces": "Anne Smith",
    "text that is not ASCII": "Ännchen",
    "a quote": 'a"b',
    "a backslash": "a\\b",
    "a newline": "a\n",
    "a longer text": "a" * 8193,
    "a negative number": -1,
    "a truth value": True,
    "an array of numbers": [1],
    "an array of arrays": [[]],
    "an object": {"a": 1},
}


@pytest.mark.requirement("R45")
@pytest.mark.parametrize("name", WRONG_FOR_EVERY_FIELD)
@pytest.mark.parametrize("kind", BODIES)
def test_no_field_takes_free_text_or_another_type(kind: str, name: str) -> None:
    for field in BODIES[kind]:
        body = {**BODIES[kind], field: WRONG_FOR_EVERY_FIELD[name]}
        with pytest.raises(MalformedError):
            sign_leaf(body, COLLECTOR)
        with pytest.raises(MalformedError):
            read_leaf(signed(body))


@pytest.mark.requirement("R60")
@pytest.mark.parametrize("name", MALFORMED_BODIES)
def test_a_body_that_says_something_else_is_refused_by_both_sides(name: str) -> None:
    with pytest.raises(MalformedError):
        sign_leaf(MALFORMED_BODIES[name], COLLECTOR)
    with pytest.raises(MalformedError):
        read_leaf(signed(MALFORMED_BODIES[name]))


ACCEPTED_BODIES = {
    "first leaf of a subject": changed("choice", seq=0, prev=""),
    "withdrawal without a form": changed("revocation", challenge=""),
    "withdrawal by a parent": ended("withdrawn", actor="parent"),
    "revocation by the controller": ended("revoked", actor="controller"),
    "invalidation by an authority": ended("invalidated", actor="authority"),
    "expiry by the system": ended("expired", actor="system"),
    "reason of 512 characters": changed("closure", reason="a" * 512),
    "empty reason": changed("closure", reason=""),
    "all data optional": changed(
        "notice", offers=[{**OFFER, "optional": ["income", "spending"]}]
    ),
    "everything suspended": changed("suspension", purpose="", recipient=""),
    "own use": choice(recipient="controller"),
    "witness": changed(
        "key",
        role="witness",
        vkey=Ed25519Signer.generate("w", algorithm=Algorithm.COSIGNATURE_V1).vkey,
    ),
}


@pytest.mark.parametrize("name", ACCEPTED_BODIES)
def test_what_the_form_foresees_is_accepted(name: str) -> None:
    body = ACCEPTED_BODIES[name]

    assert read_leaf(sign_leaf(body, COLLECTOR)).body == body


def test_a_refusal_names_kind_and_field_and_never_quotes_the_value() -> None:
    with pytest.raises(MalformedError) as caught:
        sign_leaf(changed("closure", reason="Anne Smith moved away"), COLLECTOR)

    assert str(caught.value) == (
        "closure leaf: expected 'reason' to be a token of up to 512 printable ASCII "
        "characters; got something else of type str"
    )
    assert caught.value.step == "leaf"
