"""One question about many people: the rule for one, asked about each of them.

Whoever is like somebody before, in all that ``decide`` looks at, is answered alike: a
million people have said a handful of different things. Where more counts than the row,
such as a birthday or a browser's signal, each is decided alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING
from typing import Any

from consentkit.core.decision import Reason
from consentkit.core.decision import ShareRequest
from consentkit.core.decision import Standing
from consentkit.core.decision import decide
from consentkit.core.registry import CROSS_BORDER
from consentkit.service.ages import mind_age
from consentkit.service.failing import log_failed_check
from consentkit.service.honouring import heed
from consentkit.store.batch_standings import STANDING
from consentkit.store.batch_standings import Asked
from consentkit.store.rows import STATUS_COLUMNS
from consentkit.store.rows import standing_from

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

    from consentkit.core.act import Assurance
    from consentkit.core.act import Millis
    from consentkit.core.decision import Decision
    from consentkit.service.installation import Installation

__all__ = ["Judge", "Wanted"]

_STATE, _DATA, _UNTIL, _SCOPE, _ASSURANCE, _, _SINCE, _ = range(
    STANDING, STANDING + len(STATUS_COLUMNS)
)
_SUSPENDED = STANDING + len(STATUS_COLUMNS)
_OF_AGE = _SUSPENDED + 1
_SAID = itemgetter(_STATE, _DATA, _SCOPE, _ASSURANCE, _SUSPENDED)
_KEPT = 4_096  # different things that people have said
_Answer = tuple[Reason, int]
_Alike = dict[tuple[Any, ...], Reason]


def _nobody(_subject: str) -> bool:
    return False


@dataclass(frozen=True)
class Wanted:
    """What is to be shared, whoever it is about; see ``ShareRequest``.

    ``signals`` says of a subject whether the request at hand opts out for them; None
    where no request does.
    """

    purpose: str
    recipient: str
    data: frozenset[str] | None
    min_assurance: Assurance
    signals: Callable[[str], bool] | None = None

    def of(self, subject: str) -> ShareRequest:
        """The request about one person."""
        return ShareRequest(
            subject,
            self.purpose,
            self.recipient,
            self.data,
            self.min_assurance,
            (self.signals or _nobody)(subject),
        )


class Judge:
    """Decides at one instant; ``turn_to`` the next one before rows are read anew."""

    def __init__(self, installation: Installation, wanted: Wanted, now: Millis) -> None:
        registry = installation.registry
        self._installation = installation
        self._wanted = wanted
        self._now = now
        self.question = registry.question(wanted.purpose, wanted.recipient)
        abroad = self.question is not None and self.question.cross_border
        self.asked = Asked(
            wanted.purpose,
            wanted.recipient,
            wanted.purpose + CROSS_BORDER if abroad else "",
        )
        # Of those whose answer is over, and of those whose answer is not.
        self._alike: tuple[_Alike, _Alike] = ({}, {})
        self._all_in_row = (
            not abroad
            and wanted.signals is None
            and installation.ages.prohibition is None
        )

    def turn_to(self, now: Millis) -> None:
        """Decide at another instant from here on."""
        self._now = now

    def lasts(self, row: Sequence[Any]) -> bool:
        """Whether what is said of them stays so until its end, or a leaf of theirs."""
        return self._all_in_row and row[_OF_AGE] is None

    def on_all(self, *, suspended: bool) -> Decision:
        """What would be said of somebody who had never answered."""
        return self._decide(self._wanted.of(""), Standing(suspended=suspended))

    def on(self, row: Sequence[Any]) -> _Answer:
        """Why this person is released or withheld, and the end of what they agreed to.

        ``row`` begins with their id and has the columns of a standing from ``STANDING``
        on. Total: what cannot be read is a no.
        """
        until = row[_UNTIL]
        if not self._all_in_row or row[_OF_AGE] is not None:
            return self._alone(row)
        if row[_STATE] is None:
            until = 0
        elif type(until) is not int or type(row[_SINCE]) is not int:
            return self._alone(row)
        alike, said = self._alike[self._now < until], _SAID(row)
        reason = alike.get(said)
        if reason is None:
            reason, _ = self._alone(row)
            if len(alike) >= _KEPT:
                alike.clear()
            alike[said] = reason
        return reason, until

    def _alone(self, row: Sequence[Any]) -> _Answer:
        try:
            wanted = self._wanted.of(row[0])
            decision = self._decide(wanted, standing_from(row[STANDING:]))
        except Exception as error:  # noqa: BLE001  logged, and denied
            # A corrupt row, or the app's own function: it makes nobody else a no.
            log_failed_check(error)
            return Reason.STORE_UNAVAILABLE, 0
        return decision.reason, decision.until_ms or 0

    def _decide(self, request: ShareRequest, standing: Standing) -> Decision:
        installation, question = self._installation, self.question
        standing = heed(installation, request, question, standing)
        standing = mind_age(installation, request, question, standing)
        return decide(
            request,
            question,
            standing,
            now=self._now,
            purpose_known=request.purpose in installation.registry.purposes,
        )
