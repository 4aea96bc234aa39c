"""A file of claimed consents, one a line: read strictly, or refused with its line.

Each line is a JSON object (RFC 8259) that names a person, a question and what they are
said to have answered somewhere else. No message quotes a line: it is about somebody.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from typing import Any

from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.period import millis_of
from consentkit.errors import ConsentKitError
from consentkit.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator

    from consentkit.core.registry import Question
    from consentkit.core.registry import Registry

__all__ = ["CLAIMABLE", "MAX_LINE", "Claim", "read_claims"]

CLAIMABLE = (State.GIVEN, State.REFUSED)
"""What somebody can be said to have answered. To have withdrawn is a no as well: only
the person themselves withdraws."""

MAX_LINE = 64 * 1024
"""Bytes of one line; that of a person, a question and some ids has about 300."""

_MAX_CLAIMS = 200  # of one person: more questions than any app asks
_REQUIRED = {"subject", "purpose", "recipient", "state", "time", "source"}
_OPTIONAL = {"data", "until"}
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][0-9]{2}:[0-9]{2})\Z"
)  # RFC 3339, with its zone
_SOURCE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody is said to have answered to one question, at ``time``.

    ``until`` is when a yes ends, by its own end or by that of the purpose; 0 for what
    is no yes. ``source`` is a word for where it comes from.
    """

    subject: str
    purpose: str
    recipient: str
    scope: str
    state: State
    data: tuple[str, ...]
    time: Millis
    until: Millis
    source: str

    @property
    def key(self) -> tuple[str, str]:
        """(purpose, recipient)."""
        return self.purpose, self.recipient


def read_claims(
    lines: Iterable[bytes],
    registry: Registry,
    *,
    now: Millis,
    subject_key: Callable[[object], str],
) -> Iterator[tuple[Claim, ...]]:
    """All claims about one person at a time; their lines stand one after the other.

    ``subject_key`` gives the app's id of a person as it is kept, or refuses it.

    Raises (on iterating):
        InvalidRequestError: a line is not of its form, or contradicts another (code
            ``claim``); it is named by its number.
    """
    seen: set[bytes] = set()
    group: list[Claim] = []
    for number, line in enumerate(lines, start=1):
        try:
            claim = _claim(line, registry, now, subject_key)
            if group and claim.subject != group[0].subject:
                yield tuple(group)
                group = []
            if not group:
                _check_together(claim.subject, seen)
            _check_beside(claim, group)
        except ConsentKitError as error:
            raise InvalidRequestError(
                f"line {number}: {error}", code="claim"
            ) from error
        group.append(claim)
    if group:
        yield tuple(group)


def _check_together(subject: str, seen: set[bytes]) -> None:
    # A file may name millions: of each 16 bytes are kept.
    mark = hashlib.blake2b(subject.encode(), digest_size=16).digest()
    if mark in seen:
        raise _wrong("all lines about one person one after the other: sort the file")
    seen.add(mark)


def _check_beside(claim: Claim, group: list[Claim]) -> None:
    if any(each.key == claim.key for each in group):
        raise _wrong("one line for a person and a question; another came before")
    if group and group[0].source != claim.source:
        raise _wrong("the same source on all lines about one person")
    if len(group) == _MAX_CLAIMS:
        raise _wrong(f"{_MAX_CLAIMS} lines at most about one person")


def _claim(
    line: bytes,
    registry: Registry,
    now: Millis,
    subject_key: Callable[[object], str],
) -> Claim:
    told = _object(line)
    purpose, recipient = told["purpose"], told["recipient"]
    texts = isinstance(purpose, str) and isinstance(recipient, str)
    question = registry.question(purpose, recipient) if texts else None
    if question is None:
        raise _wrong("a declared purpose with one of its recipients")
    if told["state"] not in set(CLAIMABLE):
        raise _wrong(f"as state one of {', '.join(CLAIMABLE)}")
    state, time = State(told["state"]), _moment(told["time"], "time")
    if time > now:
        raise _wrong("as time one that is over")
    if not isinstance(told["source"], str) or not _SOURCE.match(told["source"]):
        raise _wrong("as source a word of a-z, 0-9 and '-', such as old-crm")
    return Claim(
        subject=subject_key(told["subject"]),
        purpose=question.purpose_id,
        recipient=question.recipient_id,
        scope=question.scope,
        state=state,
        data=_data(told.get("data", []), question, state),
        time=time,
        until=_until(told, question, state, time),
        source=told["source"],
    )


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise _wrong(f"{MAX_LINE} bytes at most")
    try:
        told = json.loads(line.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _wrong("a JSON object in UTF-8, with each name once") from error
    if not isinstance(told, dict) or not (
        _REQUIRED <= told.keys() <= _REQUIRED | _OPTIONAL
    ):
        raise _wrong(
            f"a JSON object with {', '.join(sorted(_REQUIRED))}, and with "
            f"{', '.join(sorted(_OPTIONAL))} if there is any; nothing else"
        )
    return told


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _moment(value: object, name: str) -> Millis:
    try:
        if isinstance(value, str) and _MOMENT.match(value):
            return millis_of(datetime.fromisoformat(value))
    except ValueError:
        pass  # such as the 30th of February
    raise _wrong(f"as {name} a time with its zone, such as 2026-01-01T00:00:00Z")


def _data(value: object, question: Question, state: State) -> tuple[str, ...]:
    """The categories of a yes: some of those that the question asks about."""
    texts = isinstance(value, list) and all(isinstance(each, str) for each in value)
    data = frozenset(value) if texts and isinstance(value, list) else frozenset({""})
    if state is not State.GIVEN:
        if data:
            raise _wrong("no data with what is no yes")
        return ()
    if not data or not data <= question.categories:
        raise _wrong(
            "as data a list with some of what the question asks about "
            f"({', '.join(sorted(question.categories))})"
        )
    return tuple(sorted(data))


def _until(
    told: dict[str, Any], question: Question, state: State, time: Millis
) -> Millis:
    """When a yes ends: never later than one that was given here at that time."""
    named = _moment(told["until"], "until") if "until" in told else None
    if state is not State.GIVEN:
        if named is not None:
            raise _wrong("no until with what is no yes")
        return Millis(0)
    length = question.purpose.valid_for
    longest = Millis(time + int(length.total_seconds() * 1000) if length else time)
    return longest if named is None else min(named, longest)


def _wrong(expected: str) -> InvalidRequestError:
    return InvalidRequestError(f"expected {expected}", code="claim")
