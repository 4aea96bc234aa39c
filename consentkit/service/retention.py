"""How long evidence is kept: while it counts, then for the claim period, then no more.

An act counts until each of its choices has ended: a grant when it is replaced or runs
out, any other answer at once, since nothing is processed on the strength of a no (EDPB
guidelines 05/2020, 107: proof as long as the processing lasts, afterwards no longer
than claims require). Both the purge and whoever checks it ask here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.audit.replay import act_of
from consentkit.core.period import Period
from consentkit.core.profile import minimum_of
from consentkit.errors import ConfigurationError
from consentkit.errors import DeclarationError
from consentkit.errors import InvalidRequestError

if TYPE_CHECKING:
    from consentkit.core.act import Choice
    from consentkit.core.act import Millis
    from consentkit.core.profile import Minimum
    from consentkit.log.leaf import Leaf

__all__ = ["DEFAULT_PERIOD", "Lifetimes", "Retention"]

DEFAULT_PERIOD = "P6Y"
"""The longest of the general rules in ``core.profile``, so that it meets them all but
the seven years of an Indian consent manager, who has to say so anyway."""


@dataclass(frozen=True, slots=True)
class Retention:
    """The claim period of one app, and the law that sets a minimum.

    Raises:
        ConfigurationError: the period is none, the profile is unknown, or the period
            is shorter than the profile's minimum.
    """

    period: str = DEFAULT_PERIOD
    profile: str = ""

    def __post_init__(self) -> None:
        """See ``Raises``."""
        try:
            period = Period.parse(self.period)
        except DeclarationError as error:
            raise ConfigurationError(f"CONSENTKIT_RETENTION: {error}") from error
        try:
            minimum = minimum_of(self.profile)
        except DeclarationError as error:
            raise ConfigurationError(f"CONSENTKIT_PROFILE: {error}") from error
        if minimum and not period.covers(Period.parse(minimum.value)):
            raise ConfigurationError(
                f"CONSENTKIT_RETENTION is {self.period}, which is shorter than the "
                f"minimum of CONSENTKIT_PROFILE ({minimum})"
            )

    @property
    def minimum(self) -> Minimum | None:
        """The rule that says how long records have to be kept at least."""
        return minimum_of(self.profile)

    def cutoff(self, now: Millis, *, before: Millis | None = None) -> Millis:
        """What is older than this may go: as configured, or as asked for.

        Raises:
            InvalidRequestError: ``before`` lies in the future (code
                ``purge-in-future``) or within the profile's minimum (code
                ``purge-too-early``); the message names the rule (R78).
        """
        if before is None:
            return Period.parse(self.period).before(now)
        if not 0 < before <= now:
            raise InvalidRequestError(
                "expected a day in the past, after 1970, to purge before",
                code="purge-in-future",
            )
        minimum = self.minimum
        if minimum and before > Period.parse(minimum.value).before(now):
            raise InvalidRequestError(
                f"records have to be kept for longer than that ({minimum}); nothing "
                "was purged",
                code="purge-too-early",
            )
        return before


class Lifetimes:
    """Until when each act counted. Apply each person's acts in their order."""

    def __init__(self) -> None:
        self._standing: dict[str, dict[tuple[str, str], tuple[str, Choice]]] = {}
        self._ends: dict[str, dict[str, int]] = {}

    def apply(self, leaf: Leaf) -> None:
        """Take in an act: it begins to count, and what it replaces ends.

        Raises:
            MalformedError: its choices contradict themselves.
        """
        act, handle = act_of(leaf), str(leaf.subject)
        standing = self._standing.setdefault(handle, {})
        ends = self._ends.setdefault(handle, {})
        ends[act.id] = act.time
        for choice in act.choices:
            if choice.key in standing:
                before, replaced = standing[choice.key]
                ends[before] = max(ends[before], min(replaced.until, act.time))
            standing[choice.key] = act.id, choice

    def forget(self, handle: str) -> None:
        """An erased person has nothing that could count."""
        self._standing.pop(handle, None)
        self._ends.pop(handle, None)

    def ended_before(self, cutoff: Millis) -> set[str]:
        """The acts that had stopped to count before ``cutoff``."""
        return {
            act
            for handle, ends in self._ends.items()
            for act in ends.keys() - self._counting(handle, cutoff)
            if ends[act] < cutoff
        }

    def _counting(self, handle: str, cutoff: Millis) -> set[str]:
        """The acts of one person of which a grant stood at ``cutoff`` or later."""
        return {
            act
            for act, choice in self._standing[handle].values()
            if choice.until >= cutoff
        }
