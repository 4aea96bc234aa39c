"""An act as a consent record with the field names of ISO/IEC TS 27560:2023.

The record is a *view*: it is made of a signed act and the notice that the act names,
and carries no fact that is in neither. What is signed is the leaf.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import TYPE_CHECKING
from typing import Any

from consentkit.core.act import Act
from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.act import Choice
from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SCHEMA", "ConsentRecord", "rfc3339"]

SCHEMA = "https://w3id.org/dpv/schema/dpv-27560#record"
"""The schema version that records name (ISO/IEC TS 27560 6.3.3.1)."""

_HANDLE = re.compile(r"[0-9a-f]{32}\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS = frozenset(
    {
        *("schema_version", "record_id", "pii_principal_id", "privacy_notice"),
        *("pii_processing", "events"),
    }
)


def rfc3339(time: Millis) -> str:
    """A time as RFC 3339 UTC with milliseconds, or empty for 0.

    >>> rfc3339(Millis(1_767_225_600_123))
    '2026-01-01T00:00:00.123Z'

    Raises:
        MalformedError: it lies beyond the year 9999, where RFC 3339 ends.
    """
    if not time:
        return ""
    try:
        # not from a float of seconds: that is no longer exact in far-off years
        moment = _EPOCH + timedelta(milliseconds=time)
    except OverflowError as error:
        raise MalformedError(
            "a record's times must lie before the year 10000"
        ) from error
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _millis(text: str) -> Millis:
    if not text:
        return Millis(0)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedError("a record's times must be RFC 3339 in UTC") from error
    if moment.tzinfo is None:
        raise MalformedError("a record's times must be RFC 3339 in UTC")
    return Millis((moment - _EPOCH) // timedelta(milliseconds=1))


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """One act about one subject, with the notice it answered.

    ``subject`` is the random handle. ``definitions`` are the questions as the notice's
    manifest defined them, by (purpose, recipient); empty where nothing was shown.

    Raises:
        MalformedError: the subject is no handle.
    """

    subject: str
    act: Act
    locale: str = ""
    version: str = ""
    definitions: Mapping[tuple[str, str], Mapping[str, Any]] | None = None

    def __post_init__(self) -> None:
        if not _HANDLE.match(self.subject):
            raise MalformedError("the subject of a record must be 32 hex digits")

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON-able values."""
        return {
            "schema_version": SCHEMA,
            "record_id": self.act.id,
            "pii_principal_id": self.subject,
            "privacy_notice": {
                "sha256": self.act.notice,
                "version": self.version,
                "language": self.locale,
            },
            "pii_processing": [self._processing(each) for each in self.act.choices],
            "events": [self._event(each) for each in self.act.choices],
        }

    def _processing(self, choice: Choice) -> dict[str, Any]:
        known = (self.definitions or {}).get(choice.key, {})
        return {
            "purpose": choice.purpose,
            "purpose_type": known.get("purpose_iri", ""),
            "lawful_basis": "eu-gdpr:A6-1-a",
            "recipient_third_parties": [choice.recipient],
            "recipient": known.get("recipient", {}),
            "pii_information": known.get("data", []),
            "processing_methods": known.get("operations", []),
            "retention_period": known.get("retention", ""),
            "scope": choice.scope,
        }

    def _event(self, choice: Choice) -> dict[str, Any]:
        act = self.act
        return {
            "event_state": choice.state.value,
            "event_type": act.kind.value,
            "event_time": rfc3339(act.time),
            "validity_duration": rfc3339(choice.until),
            "entity_id": act.actor.value,
            "assurance": act.assurance.value,
            "method": act.channel.value,
            "purpose": choice.purpose,
            "recipient": choice.recipient,
            "pii_covered": list(choice.data),
            "scope": choice.scope,
            "sequence": act.seq,
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> ConsentRecord:
        """Read what ``to_dict`` wrote, strictly: in that form and in no other.

        Raises:
            MalformedError: a field is missing, unknown or not of its form, or two
                events contradict each other on the act they belong to.
        """
        if set(value) != _FIELDS or value["schema_version"] != SCHEMA:
            raise MalformedError(
                f"a consent record must have the fields {sorted(_FIELDS)} and the "
                f"schema version {SCHEMA}"
            )
        try:
            record = cls._read(value)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise MalformedError(
                "a consent record's field is not of its form"
            ) from error
        if record.to_dict() != value:
            raise MalformedError(
                "a consent record must say the same in each of its parts, and no more"
            )
        return record

    @classmethod
    def _read(cls, value: Mapping[str, Any]) -> ConsentRecord:
        notice, events = value["privacy_notice"], value["events"]
        choices, first = tuple(map(_choice_of, events)), events[0]
        act = Act(
            id=value["record_id"],
            kind=Kind(first["event_type"]),
            time=_millis(first["event_time"]),
            choices=choices,
            assurance=Assurance(first["assurance"]),
            actor=Actor(first["entity_id"]),
            channel=Channel(first["method"]),
            notice=notice["sha256"],
            seq=first["sequence"],
        )
        processed = map(_definition_of, value["pii_processing"])
        keys = (choice.key for choice in choices)
        return cls(
            subject=value["pii_principal_id"],
            act=act,
            locale=notice["language"],
            version=notice["version"],
            definitions=dict(zip(keys, processed, strict=True)),
        )


def _choice_of(event: Mapping[str, Any]) -> Choice:
    return Choice.from_dict(
        {
            "data": event["pii_covered"],
            "purpose": event["purpose"],
            "recipient": event["recipient"],
            "scope": event["scope"],
            "state": event["event_state"],
            "until": _millis(event["validity_duration"]),
        }
    )


def _definition_of(processing: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "purpose_iri": processing["purpose_type"],
        "recipient": processing["recipient"],
        "data": processing["pii_information"],
        "operations": processing["processing_methods"],
        "retention": processing["retention_period"],
    }
