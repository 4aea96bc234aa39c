"""Acts and choices: what one person did at one moment, and the closed lists behind it.

Every list here is closed. A word that is not on it is refused wherever it turns up,
so that no reader has to guess what an unknown word would have meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING
from typing import Any
from typing import NewType

from consentkit.core.canonical import MAX_INTEGER
from consentkit.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AUTHORISING",
    "SPEAKS_FOR_THE_PERSON",
    "STATES_OF",
    "Act",
    "Actor",
    "Assurance",
    "Channel",
    "Choice",
    "Kind",
    "Millis",
    "State",
    "SubjectHandle",
    "can_end",
]

SubjectHandle = NewType("SubjectHandle", str)
"""32 hex digits, random; says nothing about the person without the subject map."""

Millis = NewType("Millis", int)
"""Milliseconds since the Unix epoch, UTC."""


class Kind(StrEnum):
    """What a leaf of the log records. Unknown kinds are refused."""

    GENESIS = "genesis"
    KEY = "key"
    NOTICE = "notice"
    CHOICE = "choice"
    REVOCATION = "revocation"
    DISCLOSURE = "disclosure"
    DISCLOSURE_BATCH = "disclosure-batch"
    DENIAL = "denial"
    SUSPENSION = "suspension"
    ERASURE = "erasure"
    DELIVERY = "delivery"
    IMPORT = "import"
    CLOSURE = "closure"
    ADMIN = "admin"


class State(StrEnum):
    """The state of one (subject, purpose, recipient), after W3C DPV ConsentStatus."""

    REQUESTED = "requested"
    DEFERRED = "deferred"
    REFUSED = "refused"
    GIVEN = "given"
    RENEWED = "renewed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    REVOKED = "revoked"
    INVALIDATED = "invalidated"


AUTHORISING = frozenset({State.GIVEN, State.RENEWED})
"""The only states that authorise anything (DPV ConsentStatusValidForProcessing)."""

STATES_OF: Mapping[Kind, tuple[State, ...]] = MappingProxyType(
    {
        Kind.CHOICE: (
            *(State.REQUESTED, State.DEFERRED, State.REFUSED),
            *(State.GIVEN, State.RENEWED),
        ),
        Kind.REVOCATION: (
            *(State.WITHDRAWN, State.REVOKED, State.INVALIDATED, State.EXPIRED),
        ),
        Kind.IMPORT: tuple(State),
    }
)
"""The kinds that are acts, and the states that the choices of each may have."""


class Assurance(StrEnum):
    """How far the person's own part in an act is proven, weakest first."""

    ASSERTED = "asserted"
    SESSION = "session"
    CONFIRMED = "confirmed"
    SIGNED = "signed"

    @property
    def rank(self) -> int:
        """Position in the order, 0 for the weakest."""
        return _RANKS[self]

    def covers(self, minimum: Assurance) -> bool:
        """Whether this is at least as strong as ``minimum``."""
        return _RANKS[self] >= _RANKS[minimum]


_RANKS = {level: rank for rank, level in enumerate(Assurance)}


class Channel(StrEnum):
    """How an act reached us."""

    WEB = "web"
    API = "api"
    SERVER = "server"
    IMPORT = "import"
    OPERATOR = "operator"


class Actor(StrEnum):
    """Who acted (ISO/IEC TS 27560 6.3.7.3)."""

    SUBJECT = "subject"
    PARENT = "parent"
    GUARDIAN = "guardian"
    DELEGATE = "delegate"
    CONTROLLER = "controller"
    AUTHORITY = "authority"
    SYSTEM = "system"


SPEAKS_FOR_THE_PERSON = frozenset(
    {Actor.SUBJECT, Actor.PARENT, Actor.GUARDIAN, Actor.DELEGATE}
)
"""The actors whose word is the person's own; the others act on their own account."""


def can_end(actor: Actor | str, state: State | str) -> bool:
    """Whether ``actor`` can end an answer in that way: withdrawing is the person's.

    Whoever else ends it revokes or invalidates it, so that a record never says of a
    person what they did not do (ISO/IEC TS 27560 6.3.7.6).

    >>> can_end(Actor.SUBJECT, State.WITHDRAWN)
    True
    >>> can_end(Actor.CONTROLLER, State.WITHDRAWN)
    False
    """
    return (actor in SPEAKS_FOR_THE_PERSON) == (state == State.WITHDRAWN)


_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z")
_PURPOSE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}(?:\.cross-border)?\Z")
_HEX_128 = re.compile(r"[0-9a-f]{32}\Z")
_HEX_256 = re.compile(r"[0-9a-f]{64}\Z")
_HEX_256_OR_NONE = re.compile(r"(?:[0-9a-f]{64})?\Z")
_FIELDS = frozenset({"data", "purpose", "recipient", "scope", "state", "until"})


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_INTEGER


@dataclass(frozen=True, slots=True)
class Choice:
    """The answer for one (purpose, recipient).

    ``data`` names the categories covered, sorted; ``until`` is the first instant at
    which a grant no longer holds, 0 for states that grant nothing.

    Raises:
        MalformedError: a field does not fit the others or its form.
    """

    purpose: str
    recipient: str
    data: tuple[str, ...]
    scope: str
    state: State
    until: Millis

    def __post_init__(self) -> None:
        named = _PURPOSE.match(self.purpose)
        if not named or not all(map(_ID.match, (self.recipient, *self.data))):
            raise MalformedError(
                "a choice must name ids of a-z, 0-9 and '-', 64 at most"
            )
        if list(self.data) != sorted(set(self.data)):
            raise MalformedError("the data of a choice must be sorted, each id once")
        if not _HEX_256.match(self.scope):
            raise MalformedError("the scope of a choice must be 64 hex digits")
        if not _is_count(self.until):
            raise MalformedError(
                "the end of a choice must be 0 or milliseconds, below 2^53"
            )
        grants = self.state in AUTHORISING
        if grants != bool(self.until) or grants != bool(self.data):
            raise MalformedError(
                f"a choice that is {self.state.value!r} must "
                + ("name data and an end" if grants else "name no data and no end")
            )

    @property
    def key(self) -> tuple[str, str]:
        """(purpose, recipient)."""
        return self.purpose, self.recipient

    @property
    def grants(self) -> bool:
        """Whether the person agreed."""
        return self.state in AUTHORISING

    def to_dict(self) -> dict[str, Any]:
        """The form that stands in a leaf."""
        return {
            "data": list(self.data),
            "purpose": self.purpose,
            "recipient": self.recipient,
            "scope": self.scope,
            "state": self.state.value,
            "until": int(self.until),
        }

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Choice:
        """Read what ``to_dict`` wrote, strictly.

        Raises:
            MalformedError: a field is missing, unknown or of the wrong type.
        """
        if set(value) != _FIELDS:
            raise MalformedError(f"a choice must have the fields {sorted(_FIELDS)}")
        data = value["data"]
        texts = [value["purpose"], value["recipient"], value["scope"], value["state"]]
        if not isinstance(data, list) or any(
            not isinstance(text, str) for text in [*texts, *data]
        ):
            raise MalformedError("a choice must hold text in every field but its end")
        try:
            state = State(value["state"])
        except ValueError as error:
            raise MalformedError(
                "the state of a choice must be on the closed list"
            ) from error
        return cls(
            purpose=value["purpose"],
            recipient=value["recipient"],
            data=tuple(data),
            scope=value["scope"],
            state=state,
            until=value["until"],
        )


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was done about one subject at one moment: one leaf of the log.

    ``id`` is 32 hex digits and the idempotency key; ``notice`` is the digest of what
    was shown, empty where nothing was; ``seq`` orders the acts of one subject.

    Raises:
        MalformedError: a field is not of its form; there is no choice, or they are
            not sorted, or one is double; a state does not fit the kind, or the actor
            cannot end an answer that way.
    """

    id: str
    kind: Kind
    time: Millis
    choices: tuple[Choice, ...]
    assurance: Assurance
    actor: Actor = Actor.SUBJECT
    channel: Channel = Channel.WEB
    notice: str = ""
    seq: int = 0

    def __post_init__(self) -> None:
        if not _HEX_128.match(self.id):
            raise MalformedError("the id of an act must be 32 hex digits")
        if not _HEX_256_OR_NONE.match(self.notice):
            raise MalformedError("the notice of an act must be 64 hex digits or empty")
        if not _is_count(self.time) or not _is_count(self.seq):
            raise MalformedError(
                "the time of an act must be milliseconds and its seq a count, from 0 "
                "and below 2^53"
            )
        keys = [choice.key for choice in self.choices]
        if not keys or keys != sorted(set(keys)):
            raise MalformedError(
                "an act must hold choices sorted by (purpose, recipient), each once"
            )
        for choice in self.choices:
            self._check_state(choice.state)

    def _check_state(self, state: State) -> None:
        allowed = STATES_OF.get(self.kind, ())
        if state not in allowed:
            raise MalformedError(
                f"an act of the kind {self.kind.value!r} must hold choices that are "
                f"{', '.join(allowed) or 'none, as it is no act'}; got {state.value!r}"
            )
        if self.kind is Kind.REVOCATION and not can_end(self.actor, state):
            raise MalformedError(
                f"an answer that is {state.value!r} must be ended by "
                + (
                    "the person or who speaks for them"
                    if state is State.WITHDRAWN
                    else "somebody else than the person"
                )
                + f"; got the actor {self.actor.value!r}"
            )
