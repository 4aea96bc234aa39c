"""A yes that counts only once it was confirmed, and where it waits until then.

For a purpose of two stages the first act says *requested*: the gate stays shut. What
the person said yes to is a sealed fact of that act. A yes that stood before goes on
standing, for nobody took it back: then no act is written, and what was said is in the
link alone (EDPB guidelines 05/2020 §98).
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from consentkit.core.act import AUTHORISING
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.errors import ConfigurationError
from consentkit.errors import MalformedError
from consentkit.errors import VerificationError
from consentkit.log import sealing
from consentkit.log.leaf import read_leaf
from consentkit.service.corrected import disclosures_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from collections.abc import Sequence

    from consentkit.core.act import Choice
    from consentkit.core.canonical import JSON
    from consentkit.core.notice import Notice
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.store.subjects import Person

__all__ = [
    "AWAITS",
    "LIFETIME",
    "Awaited",
    "awaited_in",
    "awaited_of",
    "awaiting",
    "hold_back",
]

AWAITS = "awaits_confirmation"
"""The private fact of a first act: what it said yes to."""

LIFETIME = 7 * 86_400_000
"""How long a link is good, in milliseconds: a week of ordinary days, after which the
question may be asked again (``reasking.LATER``)."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Awaited:
    """One yes that waits for its confirmation.

    ``rests_on`` is the id of the act that said it first, or of the yes that stands
    until then. ``renews`` says that there was a yes before.

    Raises:
        MalformedError: a field is not of its form.
    """

    purpose: str
    recipient: str
    data: tuple[str, ...]
    rests_on: str
    renews: bool = False

    def __post_init__(self) -> None:
        texts = (self.purpose, self.recipient, self.rests_on, *self.data)
        if not all(isinstance(each, str) for each in texts) or not self.data:
            raise MalformedError("an awaited yes must name its question and its data")
        if not isinstance(self.renews, bool):
            raise MalformedError("an awaited yes must say whether it renews another")

    @property
    def key(self) -> Key:
        """(purpose, recipient)."""
        return self.purpose, self.recipient

    def resting_on(self, record: str) -> Awaited:
        """The same, resting on the act that says it if it rests on nothing yet."""
        return self if self.rests_on else replace(self, rests_on=record)

    def to_dict(self) -> dict[str, JSON]:
        """The form that is sealed, in evidence and in links."""
        return {
            "data": list(self.data),
            "purpose": self.purpose,
            "recipient": self.recipient,
            "renews": self.renews,
            "rests_on": self.rests_on,
        }

    @classmethod
    def from_dict(cls, value: object) -> Awaited:
        """Read what ``to_dict`` wrote.

        Raises:
            MalformedError: it is of another form.
        """
        match value:
            case {
                "data": [*data],
                "purpose": purpose,
                "recipient": recipient,
                "renews": renews,
                "rests_on": rests_on,
            }:
                return cls(purpose, recipient, tuple(data), rests_on, renews)
        raise MalformedError("an awaited yes must name its question and its data")


def hold_back(
    choices: Iterable[Choice],
    notice: Notice,
    standing: Mapping[Key, Status],
    now: Millis,
) -> tuple[tuple[Choice, ...], tuple[Awaited, ...]]:
    """What is written at once, and each yes that the notice said has two stages.

    A yes that rests on the act to be written, whose id nobody knows yet, rests on
    nothing here; ``awaited_in`` reads it back with that id.
    """
    kept: list[Choice] = []
    awaited: list[Awaited] = []
    for choice in choices:
        if not choice.grants or not notice.is_two_stage(choice.key):
            kept.append(choice)
            continue
        before = standing.get(choice.key)
        stands = (
            before is not None
            and before.authorises(now)
            and before.scope == choice.scope
        )
        awaited.append(
            Awaited(
                choice.purpose,
                choice.recipient,
                choice.data,
                rests_on=before.record if before and stands else "",
                renews=before is not None and before.state in AUTHORISING,
            )
        )
        if not stands:
            kept.append(
                replace(choice, state=State.REQUESTED, data=(), until=Millis(0))
            )
    return tuple(kept), tuple(awaited)


def awaited_in(
    installation: Installation, person: Person, leaf: Leaf
) -> tuple[Awaited, ...]:
    """What the person said yes to in a first act; none where its facts do not open.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    try:
        told = disclosures_of(installation, person, leaf)
        facts = {each.name: each.value for each in map(sealing.parse_disclosure, told)}
        return awaited_of(facts, leaf.id)
    except (VerificationError, ConfigurationError):
        return ()


def awaited_of(facts: Mapping[str, JSON], act: str) -> tuple[Awaited, ...]:
    """What the person said yes to in the act with these private facts.

    Raises:
        MalformedError: it is told in another form.
    """
    listed = facts.get(AWAITS)
    found = map(Awaited.from_dict, listed if isinstance(listed, list) else ())
    return tuple(each.resting_on(act) for each in found)


def awaiting(
    installation: Installation, subject: str, standing: Mapping[Key, Status]
) -> dict[Key, Awaited]:
    """Each yes of the person that waits for its confirmation now, by its question.

    A yes that stands until then is not among them: it is what counts.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    asked = {
        key: status
        for key, status in standing.items()
        if status.state is State.REQUESTED
    }
    person = installation.history.person(subject) if asked else None
    if person is None:
        return {}
    said = {
        record: _said_in(installation, person, record)
        for record in {status.record for status in asked.values()}
    }
    return {
        each.key: each
        for key, status in asked.items()
        for each in said[status.record]
        if each.key == key
    }


def _said_in(
    installation: Installation, person: Person, record: str
) -> Sequence[Awaited]:
    stored = installation.history.leaf(record, person.handle)
    if stored is None:
        return ()
    return awaited_in(installation, person, read_leaf(stored.data))
