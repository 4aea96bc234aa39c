"""Choices and acts: closed lists, one spelling, and nobody speaks for the person."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.core.act import AUTHORISING
from consentkit.core.act import SPEAKS_FOR_THE_PERSON
from consentkit.core.act import STATES_OF
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import Choice
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.act import can_end
from consentkit.errors import MalformedError

from .acts import NOTICE
from .acts import NOW
from .acts import SCOPE
from .acts import YEAR
from .acts import act
from .acts import choice
from .acts import ending

IDS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,63}", fullmatch=True)
CHOICES = st.builds(
    lambda state, data, until, **fields: Choice(
        state=state,
        data=tuple(sorted(data)) if state in AUTHORISING else (),
        until=Millis(until if state in AUTHORISING else 0),
        **fields,
    ),
    purpose=IDS | IDS.map("{}.cross-border".format),
    recipient=IDS,
    data=st.sets(IDS, min_size=1, max_size=3),
    scope=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    state=st.sampled_from(State),
    until=st.integers(1, 2**53 - 1),
)


@pytest.mark.requirement("R35")
def test_only_given_and_renewed_authorise() -> None:
    assert {state for state in State if choice(state).grants} == {
        State.GIVEN,
        State.RENEWED,
    }
    assert {str(state) for state in State} == {
        *("requested", "deferred", "refused", "given", "renewed"),
        *("withdrawn", "expired", "revoked", "invalidated"),
    }


@given(CHOICES)
def test_a_choice_reads_back_from_its_dict(each: Choice) -> None:
    assert Choice.from_dict(each.to_dict()) == each


def test_a_choice_is_spelled_with_the_fields_of_a_leaf() -> None:
    assert choice(data=("city", "spending")).to_dict() == {
        "data": ["city", "spending"],
        "purpose": "credit-score",
        "recipient": "acme-credit",
        "scope": SCOPE,
        "state": "given",
        "until": NOW + YEAR,
    }


GIVEN = choice().to_dict()
MALFORMED_CHOICES: dict[str, Any] = {
    "purpose with a capital": GIVEN | {"purpose": "Score"},
    "purpose too long": GIVEN | {"purpose": "a" * 65},
    "purpose with another suffix": GIVEN | {"purpose": "score.other"},
    "purpose that is empty": GIVEN | {"purpose": ""},
    "purpose that is a wildcard": GIVEN | {"purpose": "*"},
    "purpose that is a number": GIVEN | {"purpose": 5},
    "recipient with the suffix": GIVEN | {"recipient": "acme.cross-border"},
    "recipient with a newline": GIVEN | {"recipient": "acme\n"},
    "recipient that is nothing": GIVEN | {"recipient": None},
    "data with the suffix": GIVEN | {"data": ["spending.cross-border"]},
    "data unsorted": GIVEN | {"data": ["spending", "city"]},
    "data twice": GIVEN | {"data": ["city", "city"]},
    "data that is one text": GIVEN | {"data": "spending"},
    "data of numbers": GIVEN | {"data": [5]},
    "scope cut short": GIVEN | {"scope": SCOPE[1:]},
    "scope in capitals": GIVEN | {"scope": "A" * 64},
    "scope too long": GIVEN | {"scope": SCOPE + "5"},
    "state not on the list": GIVEN | {"state": "agreed"},
    "state in capitals": GIVEN | {"state": "GIVEN"},
    "state that is nothing": GIVEN | {"state": None},
    "grant without data": GIVEN | {"data": []},
    "grant without an end": GIVEN | {"until": 0},
    "grant that ends before 1970": GIVEN | {"until": -1},
    "grant that ends beyond 2^53-1": GIVEN | {"until": 2**53},
    "end that is a truth value": GIVEN | {"until": True},
    "end that is a float": GIVEN | {"until": 1.5},
    "end that is a text": GIVEN | {"until": "1"},
    "refusal with data": GIVEN | {"state": "refused", "until": 0},
    "refusal with an end": GIVEN | {"state": "refused", "data": []},
    "withdrawal with data": GIVEN | {"state": "withdrawn", "until": 0},
    "field missing": {key: GIVEN[key] for key in GIVEN if key != "until"},
    "field too many": GIVEN | {"checked": True},
    "nothing": {},
}


@pytest.mark.requirement("R35", "R41")
@pytest.mark.parametrize("name", MALFORMED_CHOICES)
def test_a_choice_that_is_not_of_its_form_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        Choice.from_dict(MALFORMED_CHOICES[name])


def test_an_act_takes_choices_in_order_and_each_question_once() -> None:
    score, offers = choice(), choice(purpose="shop-offers")

    assert act(score, offers).choices == (score, offers)
    for wrong in ((offers, score), (score, score), ()):
        with pytest.raises(MalformedError, match="sorted by"):
            act(choices=wrong)


MALFORMED_ACTS: dict[str, dict[str, Any]] = {
    "id too short": {"id": "0" * 31},
    "id in capitals": {"id": "A" * 32},
    "id with dashes": {"id": "01234567-89ab-cdef-0123-456789abcdef"},
    "id with a newline": {"id": "0" * 32 + "\n"},
    "notice by name": {"notice": "score-v1"},
    "notice cut short": {"notice": NOTICE[1:]},
    "time before 1970": {"time": -1},
    "time beyond 2^53-1": {"time": 2**53},
    "seq below zero": {"seq": -1},
    "seq beyond 2^53-1": {"seq": 2**53},
}


@pytest.mark.parametrize("name", MALFORMED_ACTS)
def test_an_act_that_is_not_of_its_form_is_refused(name: str) -> None:
    with pytest.raises(MalformedError, match=r"^the \w+ of an act must be"):
        act(**MALFORMED_ACTS[name])


@pytest.mark.requirement("R35")
@pytest.mark.parametrize("kind", Kind)
def test_each_kind_of_act_has_its_states_and_no_other_kind_is_one(kind: Kind) -> None:
    allowed = {
        Kind.CHOICE: {"requested", "deferred", "refused", "given", "renewed"},
        Kind.REVOCATION: {"withdrawn", "revoked", "invalidated", "expired"},
        Kind.IMPORT: {str(state) for state in State},
    }.get(kind, set())

    assert set(STATES_OF.get(kind, ())) == allowed
    for state in State:
        by = Actor.SUBJECT if state is State.WITHDRAWN else Actor.CONTROLLER
        if state in allowed:
            assert act(choice(state), kind=kind, actor=by).choices[0].state is state
        else:
            with pytest.raises(MalformedError, match=f"got '{state}'"):
                act(choice(state), kind=kind, actor=by)


PERSONS = {"subject", "parent", "guardian", "delegate"}
ENDINGS = STATES_OF[Kind.REVOCATION]


@pytest.mark.requirement("R60")
@pytest.mark.parametrize("actor", Actor)
@pytest.mark.parametrize("state", ENDINGS)
def test_withdrawing_is_the_persons_and_ending_otherwise_is_for_others(
    state: State, actor: Actor
) -> None:
    allowed = (actor in PERSONS) == (state is State.WITHDRAWN)

    assert can_end(actor, state) is allowed
    assert can_end(actor.value, state.value) is allowed
    if allowed:
        assert ending(state, actor).actor is actor
    else:
        with pytest.raises(MalformedError, match=f"'{state}' must be ended by"):
            ending(state, actor)


def test_a_refusal_to_end_says_who_could_and_who_tried() -> None:
    with pytest.raises(MalformedError) as withdrawn:
        ending(State.WITHDRAWN, Actor.CONTROLLER)
    with pytest.raises(MalformedError) as revoked:
        ending(State.REVOKED, Actor.SUBJECT)

    assert str(withdrawn.value) == (
        "an answer that is 'withdrawn' must be ended by the person or who speaks for "
        "them; got the actor 'controller'"
    )
    assert str(revoked.value) == (
        "an answer that is 'revoked' must be ended by somebody else than the person; "
        "got the actor 'subject'"
    )


@pytest.mark.requirement("R60")
def test_one_revocation_cannot_hold_endings_of_two_sides() -> None:
    both = (
        choice(State.REVOKED),
        choice(State.WITHDRAWN, purpose="shop-offers"),
    )

    for actor in Actor:
        with pytest.raises(MalformedError, match="must be ended by"):
            act(*both, kind=Kind.REVOCATION, actor=actor)


def test_an_import_repeats_what_was_said_whoever_brings_it() -> None:
    for actor in Actor:
        brought = act(choice(State.WITHDRAWN), kind=Kind.IMPORT, actor=actor)
        assert brought.choices[0].state is State.WITHDRAWN


@pytest.mark.requirement("R40")
def test_every_actor_either_speaks_for_the_person_or_does_not() -> None:
    assert SPEAKS_FOR_THE_PERSON == PERSONS
    assert set(Actor) - SPEAKS_FOR_THE_PERSON == {"controller", "authority", "system"}


def test_assurance_grows_from_asserted_to_signed() -> None:
    order = ["asserted", "session", "confirmed", "signed"]

    assert [level.rank for level in map(Assurance, order)] == [0, 1, 2, 3]
    for (weak, lower), (strong, higher) in itertools.product(
        enumerate(order), repeat=2
    ):
        assert Assurance(higher).covers(Assurance(lower)) is (strong >= weak)


def test_the_largest_number_that_every_reader_keeps_is_a_time_and_a_place() -> None:
    last = act(time=Millis(2**53 - 1), seq=2**53 - 1)

    assert (last.time, last.seq) == (2**53 - 1, 2**53 - 1)
    assert choice(until=Millis(2**53 - 1)).until == 2**53 - 1


SAID_OF_A_CHOICE: dict[str, tuple[dict[str, Any], str]] = {
    "fields": (
        {"checked": True},
        (
            "a choice must have the fields ['data', 'purpose', 'recipient', 'scope', "
            "'state', 'until']"
        ),
    ),
    "texts": (
        {"purpose": 5},
        "a choice must hold text in every field but its end",
    ),
    "state": (
        {"state": "agreed"},
        "the state of a choice must be on the closed list",
    ),
    "id": (
        {"purpose": "Score"},
        "a choice must name ids of a-z, 0-9 and '-', 64 at most",
    ),
    "data": (
        {"data": ["city", "city"]},
        "the data of a choice must be sorted, each id once",
    ),
    "scope": (
        {"scope": SCOPE[1:]},
        "the scope of a choice must be 64 hex digits",
    ),
    "end": (
        {"until": -1},
        "the end of a choice must be 0 or milliseconds, below 2^53",
    ),
    "grant of nothing": (
        {"data": []},
        "a choice that is 'given' must name data and an end",
    ),
    "refusal of something": (
        {"state": "refused"},
        "a choice that is 'refused' must name no data and no end",
    ),
}


@pytest.mark.parametrize("name", SAID_OF_A_CHOICE)
def test_a_refused_choice_is_told_what_a_choice_holds(name: str) -> None:
    fields, message = SAID_OF_A_CHOICE[name]

    with pytest.raises(MalformedError) as caught:
        Choice.from_dict({**GIVEN, **fields})

    assert str(caught.value) == message


SAID: dict[str, tuple[dict[str, Any], str]] = {
    "time": (
        {"time": -1},
        (
            "the time of an act must be milliseconds and its seq a count, from 0 "
            "and below 2^53"
        ),
    ),
    "order": (
        {"choices": (choice(purpose="shop-offers"), choice())},
        "an act must hold choices sorted by (purpose, recipient), each once",
    ),
    "kind that has other states": (
        {"kind": Kind.REVOCATION},
        (
            "an act of the kind 'revocation' must hold choices that are withdrawn, "
            "revoked, invalidated, expired; got 'given'"
        ),
    ),
    "kind that is no act": (
        {"kind": Kind.GENESIS},
        (
            "an act of the kind 'genesis' must hold choices that are none, as it is no "
            "act; got 'given'"
        ),
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_refused_act_is_told_what_an_act_holds(name: str) -> None:
    fields, message = SAID[name]

    with pytest.raises(MalformedError) as caught:
        act(**fields)

    assert str(caught.value) == message
