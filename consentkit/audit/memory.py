"""What the rules know of earlier entries, and a log that follows still needs of it.

A log that continues another begins with the answers, the grants, the suspensions and
the erased persons that the other one ends with; its notices, its keys and everybody's
chain begin anew.
"""

from __future__ import annotations

from consentkit.audit.rules import Chains
from consentkit.audit.rules import Times
from consentkit.audit.rules import Uniqueness
from consentkit.audit.sharing import Sharing
from consentkit.audit.standing import People
from consentkit.audit.standing import StandingAnswers

__all__ = ["Memory"]


class Memory:
    """The rules that remember beyond one log.

    With ``unknown_past`` the log continues one that is not at hand: what may rest on
    that one is not judged.
    """

    def __init__(self, *, unknown_past: bool = False) -> None:
        people = People()
        self.answers = StandingAnswers(people, unknown_past=unknown_past)
        self.unique = Uniqueness()
        self.chains = Chains(people)
        self.times = Times()
        self.sharing = Sharing(self.answers)

    def succeed(self, size: int) -> None:
        """Go on to the log that follows one of ``size`` entries."""
        self.answers.succeed(size)
        self.chains.succeed()
        self.sharing.succeed()
