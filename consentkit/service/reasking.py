"""When a question may be put again to somebody who did not come for it.

A no is kept as durably as a yes: it stops unasked questions for the cool-down (NDSMR
Art. 22(5); Garante 10 June 2021 §6.2; EDPB 03/2022, "continuous prompting"). What opens
the question again is a change in what it asks. The person can always open it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.core.act import Assurance
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.period import Period
from consentkit.core.profile import cooldown_of
from consentkit.errors import ConfigurationError
from consentkit.errors import DeclarationError

if TYPE_CHECKING:
    from consentkit.core.notice import Offer
    from consentkit.core.registry import Question
    from consentkit.core.status import Status

__all__ = ["DEFAULT_COOLDOWN", "LATER", "Cooldown"]

DEFAULT_COOLDOWN = "P6M"
"""What Italy and France ask for, and a reading of China's "not frequently"."""

LATER = Period(days=7)
"""How long "Ask me later" holds. It asks to be asked, so it does not wait for months;
a week lets one ordinary round of days pass, and is well above the 48 hours below which
asking counts as frequent (GB/T 35273-2020, annex C)."""

_NO = frozenset({State.REFUSED, State.WITHDRAWN, State.REVOKED})
_NOT_YET = frozenset({State.DEFERRED, State.REQUESTED})


@dataclass(frozen=True, slots=True)
class Cooldown:
    """For how long nobody is asked again who said no, or stopped it.

    ``period`` left empty is what the profile asks for, else ``DEFAULT_COOLDOWN``.

    Raises:
        ConfigurationError: the period is none, the profile is unknown, or the period
            is shorter than the profile's, or than that of "later".
    """

    period: str = ""
    profile: str = ""

    def __post_init__(self) -> None:
        """See ``Raises``."""
        try:
            rule = cooldown_of(self.profile)
        except DeclarationError as error:
            raise ConfigurationError(f"CONSENTKIT_PROFILE: {error}") from error
        if not self.period:
            object.__setattr__(self, "period", rule.value if rule else DEFAULT_COOLDOWN)
        try:
            period = Period.parse(self.period)
        except DeclarationError as error:
            raise ConfigurationError(f"CONSENTKIT_REASK_AFTER: {error}") from error
        if rule and not period.covers(Period.parse(rule.value)):
            raise ConfigurationError(
                f"CONSENTKIT_REASK_AFTER is {self.period}, which is shorter than the "
                f"cool-down of CONSENTKIT_PROFILE ({rule})"
            )
        if not period.covers(LATER):
            raise ConfigurationError(
                f"CONSENTKIT_REASK_AFTER is {self.period}, which is shorter than the "
                f"{LATER.days} days after which 'Ask me later' is over: a no cannot "
                "hold for less"
            )

    def ends(self, status: Status) -> Millis | None:
        """When somebody with this answer may be asked again; None if it is no answer.

        A yes that ended by itself, or was set invalid, holds nobody back.
        """
        if status.state in _NO:
            return Period.parse(self.period).after(status.since)
        if status.state in _NOT_YET:
            return LATER.after(status.since)
        return None

    def reopens(
        self,
        question: Question,
        status: Status | None,
        offer: Offer | None,
        *,
        now: Millis,
    ) -> bool:
        """Whether the question may be put to somebody who did not come for it.

        ``offer`` is what the notice of their last answer offered, None if unknown.
        """
        if status is None or _is_changed(question, status, offer):
            return True
        if status.authorises(now):
            # What somebody else claims for them is no answer of theirs.
            return status.assurance is Assurance.ASSERTED
        end = self.ends(status)
        return end is None or now >= end


def _is_changed(question: Question, status: Status, offer: Offer | None) -> bool:
    """Whether it asks for something else: another scope, or data that is now needed."""
    if status.scope != question.scope:
        return True
    if offer is None:
        return False
    needed = question.categories.difference(question.optional)
    return not needed <= set(offer.data) - set(offer.optional)
