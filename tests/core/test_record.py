"""The consent record: a view of one act, in the words of ISO/IEC TS 27560."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consentkit.core.act import STATES_OF
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.act import can_end
from consentkit.core.record import SCHEMA
from consentkit.core.record import ConsentRecord
from consentkit.core.record import rfc3339
from consentkit.errors import MalformedError
from tests.declared import registry

from .acts import NOTICE
from .acts import NOW
from .acts import RECORD
from .acts import SCOPE
from .acts import act
from .acts import choice

HANDLE = "a11ce" + "0" * 27
DEFINITIONS = {each.key: each.definition() for each in registry().all_questions()}


def record(*choices: Any, **fields: Any) -> ConsentRecord:
    """A record of an act in the browser, with the notice that it answered."""
    return ConsentRecord(
        subject=HANDLE,
        act=act(*choices, **{"seq": 3, **fields}),
        locale="en",
        version="0123456789ab",
        definitions=DEFINITIONS,
    )


@pytest.mark.requirement("R37", "R38", "R40", "R42")
def test_a_record_has_the_fields_of_the_standard() -> None:
    written = record(choice(data=("city", "spending"))).to_dict()

    assert written == {
        "schema_version": SCHEMA,
        "record_id": RECORD,
        "pii_principal_id": HANDLE,
        "privacy_notice": {
            "sha256": NOTICE,
            "version": "0123456789ab",
            "language": "en",
        },
        "pii_processing": [
            {
                "purpose": "credit-score",
                "purpose_type": "sector-finance:CreditScoreEvaluation",
                "lawful_basis": "eu-gdpr:A6-1-a",
                "recipient_third_parties": ["acme-credit"],
                "recipient": {
                    "country": "GB",
                    "id": "acme-credit",
                    "name": "Acme Credit Scoring Ltd",
                    "relation": "affiliate",
                    "role": "controller",
                },
                "pii_information": [
                    {
                        "id": "spending",
                        "iri": "pd:PurchasesAndSpendingHabit",
                        "optional": False,
                        "sensitive": True,
                        "special": False,
                    },
                    {
                        "id": "city",
                        "iri": "pd:City",
                        "optional": True,
                        "sensitive": False,
                        "special": False,
                    },
                ],
                "processing_methods": ["share"],
                "retention_period": "P1Y",
                "scope": SCOPE,
            }
        ],
        "events": [
            {
                "event_state": "given",
                "event_type": "choice",
                "event_time": "2026-01-01T00:00:00.000Z",
                "validity_duration": "2027-01-01T00:00:00.000Z",
                "entity_id": "subject",
                "assurance": "session",
                "method": "web",
                "purpose": "credit-score",
                "recipient": "acme-credit",
                "pii_covered": ["city", "spending"],
                "scope": SCOPE,
                "sequence": 3,
            }
        ],
    }
    assert json.loads(json.dumps(written)) == written


@pytest.mark.requirement("R36")
@pytest.mark.parametrize("state", [State.REFUSED, State.DEFERRED, State.REQUESTED])
def test_a_no_is_recorded_with_the_same_fields_as_a_yes(state: State) -> None:
    yes, no = record(choice()).to_dict(), record(choice(state)).to_dict()

    assert no["events"][0]["event_state"] == state
    assert no["events"][0]["validity_duration"] == ""
    assert no["events"][0].keys() == yes["events"][0].keys()
    assert no["privacy_notice"] == yes["privacy_notice"]
    assert no["pii_processing"] == yes["pii_processing"]


KINDS = sorted(STATES_OF)
TIMES = st.integers(1, 253_402_300_799_999)


@st.composite
def records(draw: Callable[[st.SearchStrategy[Any]], Any]) -> ConsentRecord:
    """Any record of any act there can be."""
    kind, actor = draw(st.sampled_from(KINDS)), draw(st.sampled_from(Actor))
    states = [
        each
        for each in STATES_OF[kind]
        if kind is not Kind.REVOCATION or can_end(actor, each)
    ]
    keys = draw(st.sets(st.sampled_from(sorted(DEFINITIONS)), min_size=1, max_size=3))
    choices = [
        choice(state, purpose=purpose, recipient=recipient)
        for purpose, recipient in sorted(keys)
        for state in [draw(st.sampled_from(states))]
    ]
    return record(
        *choices,
        kind=kind,
        actor=actor,
        time=Millis(draw(TIMES)),
        assurance=draw(st.sampled_from(Assurance)),
        channel=draw(st.sampled_from(Channel)),
        notice=draw(st.sampled_from(["", NOTICE])),
        seq=draw(st.integers(0, 2**53 - 1)),
    )


@given(records())
def test_a_record_reads_back_as_it_was_written(written: ConsentRecord) -> None:
    read = ConsentRecord.from_dict(written.to_dict())

    assert read.to_dict() == written.to_dict()
    assert read.act == written.act
    assert (read.subject, read.locale, read.version) == (HANDLE, "en", "0123456789ab")


def test_an_act_without_a_notice_has_a_record_all_the_same() -> None:
    bare = ConsentRecord(subject=HANDLE, act=act(choice(), notice=""))
    written = bare.to_dict()

    assert written["privacy_notice"] == {"sha256": "", "version": "", "language": ""}
    assert written["pii_processing"][0]["pii_information"] == []
    assert ConsentRecord.from_dict(written).to_dict() == written


TWO = record(choice(), choice(State.REFUSED, purpose="shop-offers")).to_dict()


def paths(value: Any, *above: Any) -> list[tuple[Any, ...]]:
    """The way to every value inside ``value``."""
    inside = list(
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    below = [paths(each, *above, key) for key, each in inside]
    return [(*above, key) for key, _ in inside] + list(
        itertools.chain.from_iterable(below)
    )


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


# What a record only repeats from the notice: any other value could stand there too.
REPEATED = {
    *("recipient", "pii_information", "processing_methods"),
    *("purpose_type", "retention_period", "language", "version"),
}
FIXED = [path for path in paths(TWO) if not REPEATED & set(path)]


@pytest.mark.parametrize("path", FIXED, ids=lambda path: ".".join(map(str, path)))
def test_a_record_without_one_of_its_fields_is_refused(path: tuple[Any, ...]) -> None:
    damaged = copy.deepcopy(TWO)
    del at(damaged, path[:-1])[path[-1]]

    with pytest.raises(MalformedError):
        ConsentRecord.from_dict(damaged)


@pytest.mark.parametrize("value", [None, 5, "?", True, [], {}, -1, 1.5], ids=repr)
def test_no_field_of_a_record_takes_a_value_of_another_form(value: Any) -> None:
    for path in FIXED:
        if at(TWO, path) == value:
            continue  # the refusal covers no data, and says so with an empty list
        damaged = copy.deepcopy(TWO)
        at(damaged, path[:-1])[path[-1]] = value
        with pytest.raises(MalformedError):
            ConsentRecord.from_dict(damaged)


FOREIGN_FIELDS: dict[str, tuple[Any, ...]] = {
    "in the record": (),
    "in the notice": ("privacy_notice",),
    "in the processing": ("pii_processing", 0),
    "in an event": ("events", 1),
}


@pytest.mark.parametrize("place", FOREIGN_FIELDS)
def test_a_record_has_no_room_for_a_field_of_somebody_elses(place: str) -> None:
    damaged = copy.deepcopy(TWO)
    at(damaged, FOREIGN_FIELDS[place])["checked"] = True

    with pytest.raises(MalformedError):
        ConsentRecord.from_dict(damaged)


OTHER_SPELLINGS = {
    "another schema": (("schema_version",), "https://example.org/record"),
    "another time zone": (("events", 0, "event_time"), "2026-01-01T01:00:00.000+01:00"),
    "no time zone": (("events", 0, "event_time"), "2026-01-01T00:00:00.000"),
    "no milliseconds": (("events", 0, "event_time"), "2026-01-01T00:00:00Z"),
    "a date": (("events", 0, "event_time"), "2026-01-01"),
    "words": (("events", 0, "event_time"), "New Year"),
    "a state not on the list": (("events", 0, "event_state"), "agreed"),
    "an actor not on the list": (("events", 0, "entity_id"), "robot"),
    "another lawful basis": (("pii_processing", 0, "lawful_basis"), "eu-gdpr:A6-1-f"),
    "another recipient in one half": (
        ("pii_processing", 0, "recipient_third_parties"),
        ["corner-shops"],
    ),
    "two events at two times": (("events", 1, "event_time"), rfc3339(Millis(NOW + 1))),
    "two events by two people": (("events", 1, "entity_id"), "parent"),
    "two events of two levels": (("events", 1, "assurance"), "signed"),
    "two events at two places": (("events", 1, "sequence"), 4),
}


@pytest.mark.requirement("R37")
@pytest.mark.parametrize("name", OTHER_SPELLINGS)
def test_a_record_in_another_spelling_is_refused(name: str) -> None:
    path, value = OTHER_SPELLINGS[name]
    damaged = copy.deepcopy(TWO)
    assert at(damaged, path) != value
    at(damaged, path[:-1])[path[-1]] = value

    with pytest.raises(MalformedError):
        ConsentRecord.from_dict(damaged)


@pytest.mark.requirement("R45")
def test_a_record_is_about_a_handle_and_never_about_a_name() -> None:
    for name in ("anna", "anna@wallet.example", HANDLE.upper(), HANDLE + "\n", ""):
        with pytest.raises(MalformedError, match="32 hex digits"):
            ConsentRecord(subject=name, act=act())


@pytest.mark.requirement("R37")
@pytest.mark.parametrize(
    ("millis", "text"),
    [
        (0, ""),
        (1, "1970-01-01T00:00:00.001Z"),
        (1_767_225_600_123, "2026-01-01T00:00:00.123Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_utc_to_the_millisecond_and_end_in_z(millis: int, text: str) -> None:
    assert rfc3339(Millis(millis)) == text


@pytest.mark.parametrize("millis", [253_402_300_800_000, 2**53 - 1])
def test_a_time_that_rfc_3339_cannot_write_is_refused(millis: int) -> None:
    with pytest.raises(MalformedError, match="before the year 10000"):
        rfc3339(Millis(millis))


def test_what_no_notice_defined_stays_empty_in_the_record() -> None:
    bare = ConsentRecord(subject=HANDLE, act=act(choice()))

    (processing,) = bare.to_dict()["pii_processing"]

    assert processing == {
        "purpose": "credit-score",
        "purpose_type": "",
        "lawful_basis": "eu-gdpr:A6-1-a",
        "recipient_third_parties": ["acme-credit"],
        "recipient": {},
        "pii_information": [],
        "processing_methods": [],
        "retention_period": "",
        "scope": SCOPE,
    }


SAID: dict[str, tuple[tuple[Any, ...], Any, str]] = {
    "schema": (
        ("schema_version",),
        "https://example.org/record",
        (
            "a consent record must have the fields ['events', 'pii_principal_id', "
            "'pii_processing', 'privacy_notice', 'record_id', 'schema_version'] and "
            f"the schema version {SCHEMA}"
        ),
    ),
    "form": (
        ("events", 0, "assurance"),
        "sworn",
        "a consent record's field is not of its form",
    ),
    "repetition": (
        ("events", 1, "assurance"),
        "signed",
        "a consent record must say the same in each of its parts, and no more",
    ),
    "time in words": (
        ("events", 0, "event_time"),
        "New Year",
        "a record's times must be RFC 3339 in UTC",
    ),
    "time of no zone": (
        ("events", 0, "event_time"),
        "2026-01-01T00:00:00.000",
        "a record's times must be RFC 3339 in UTC",
    ),
    "handle": (
        ("pii_principal_id",),
        "anna",
        "the subject of a record must be 32 hex digits",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_refused_record_is_told_what_a_record_holds(name: str) -> None:
    path, value, message = SAID[name]
    damaged = copy.deepcopy(TWO)
    at(damaged, path[:-1])[path[-1]] = value

    with pytest.raises(MalformedError) as caught:
        ConsentRecord.from_dict(damaged)

    assert str(caught.value) == message


def test_a_time_beyond_rfc_3339_is_refused_in_words() -> None:
    with pytest.raises(MalformedError) as caught:
        rfc3339(Millis(253_402_300_800_000))

    assert str(caught.value) == "a record's times must lie before the year 10000"
