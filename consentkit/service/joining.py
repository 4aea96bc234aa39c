"""A joint consent: the child's yes and that of who answers for them, or no yes.

The first yes is written as *requested*, which opens no gate; what it agreed to is a
sealed fact of its act. The other one's yes makes the grant, of the data that both
agreed to. As the state says that a yes waits, whatever else is answered ends the wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from consentkit.core.act import Actor
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.representative import GUARDIANS
from consentkit.errors import ConfigurationError
from consentkit.errors import MalformedError
from consentkit.errors import VerificationError
from consentkit.log import sealing
from consentkit.log.leaf import read_leaf
from consentkit.service.corrected import disclosures_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping

    from consentkit.core.act import Choice
    from consentkit.core.canonical import JSON
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.store.subjects import Person

__all__ = ["Half", "halves_in", "join", "waiting_halves"]

_SAID = "joint"
"""The private fact of an act that is one of two: what it agreed to."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Half:
    """One yes of the two that a joint consent needs.

    ``of_guardian`` says whose it is; ``until`` is when it would end, and when it no
    longer waits.

    Raises:
        MalformedError: a field is not of its form.
    """

    purpose: str
    recipient: str
    data: tuple[str, ...]
    until: Millis
    of_guardian: bool

    def __post_init__(self) -> None:
        """See ``Raises``."""
        texts = (self.purpose, self.recipient, *self.data)
        if not all(isinstance(each, str) for each in texts) or not self.data:
            raise MalformedError("half a consent must name its question and its data")
        if type(self.until) is not int:
            raise MalformedError("half a consent must say until when it holds")

    @property
    def key(self) -> Key:
        """(purpose, recipient)."""
        return self.purpose, self.recipient


def join(
    choices: Iterable[Choice],
    waiting: Mapping[Key, Half],
    standing: Mapping[Key, Status],
    now: Millis,
    *,
    of_guardian: bool,
) -> tuple[tuple[Choice, ...], Mapping[str, JSON]]:
    """What is written, and the private fact of what was agreed to.

    A yes is a grant where the other one's yes to the same scope waits for it; else it
    is the one that waits.
    """
    written: list[Choice] = []
    said: list[JSON] = []
    for choice in choices:
        if not choice.grants:
            written.append(choice)
            continue
        said.append(
            {
                "data": list(choice.data),
                "purpose": choice.purpose,
                "recipient": choice.recipient,
                "until": int(choice.until),
            }
        )
        other = waiting.get(choice.key)
        common: set[str] = set()
        if (
            other is not None
            and other.of_guardian is not of_guardian
            and now < other.until
            and standing[choice.key].scope == choice.scope
        ):
            common = set(choice.data) & set(other.data)
        written.append(
            replace(choice, data=tuple(sorted(common)))
            if common
            else replace(choice, state=State.REQUESTED, data=(), until=Millis(0))
        )
    return tuple(written), {_SAID: said} if said else {}


def halves_in(
    installation: Installation, person: Person, leaf: Leaf
) -> dict[Key, Half]:
    """What an act that is one of two agreed to; nothing where its facts do not open.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    try:
        told = disclosures_of(installation, person, leaf)
        facts = {each.name: each.value for each in map(sealing.parse_disclosure, told)}
        listed = facts.get(_SAID)
        by_guardian = Actor(leaf.body["actor"]) in GUARDIANS
        found = [
            _half(each, of_guardian=by_guardian)
            for each in (listed if isinstance(listed, list) else ())
        ]
    except (VerificationError, ConfigurationError):
        return {}
    return {each.key: each for each in found}


def waiting_halves(
    installation: Installation,
    person: Person | None,
    standing: Mapping[Key, Status],
) -> dict[Key, Half]:
    """Each yes that waits for the other one, by its question.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    asked = {
        key: status.record
        for key, status in standing.items()
        if status.state is State.REQUESTED
    }
    found: dict[Key, Half] = {}
    for record in set(asked.values()) if person else ():
        stored = installation.history.leaf(record, person.handle) if person else None
        if stored and person:
            said = halves_in(installation, person, read_leaf(stored.data))
            found |= {key: said[key] for key in said if asked.get(key) == record}
    return found


def _half(value: object, *, of_guardian: bool) -> Half:
    match value:
        case {
            "data": [*data],
            "purpose": purpose,
            "recipient": recipient,
            "until": until,
        }:
            return Half(purpose, recipient, tuple(data), until, of_guardian)
    raise MalformedError("half a consent must name its question and its data")
