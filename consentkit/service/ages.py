"""How old somebody is, as far as the app knows; and what may be asked of them then.

A birthday is asked of the app when it is needed, and gets no further than here: into
no table, leaf, message or evidence. What is kept, for those only for whom somebody
else answered, is the moment at which they come of age.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from datetime import datetime
from typing import TYPE_CHECKING
from typing import Literal

from consentkit.core.age import CHILDHOOD
from consentkit.core.age import of_age_from
from consentkit.errors import ConfigurationError

if TYPE_CHECKING:
    from consentkit.core.act import Millis
    from consentkit.core.age import AgeRule
    from consentkit.core.age import Prohibition
    from consentkit.core.decision import ShareRequest
    from consentkit.core.decision import Standing
    from consentkit.core.purpose import Purpose
    from consentkit.core.registry import Question
    from consentkit.service.installation import Installation

__all__ = ["Ages", "Birthdays", "mind_age"]

Birthdays = Callable[[str], date | None]
"""The app's own function: the birthday of a subject, None where it is not known."""

_LAST_YEAR = 9_000  # of birth; whoever is born later is a fault in the app's data


def _nobody() -> Birthdays | None:
    return None


@dataclass(frozen=True)
class Ages:
    """The rules on age of one app, and its way to know birthdays.

    ``unknown`` says whether somebody of unknown age is taken for an adult or a minor;
    left empty, for a minor where the app tells birthdays and does not know this one,
    and for an adult where it tells none. ``birthdays`` gives the app's function, which
    may be registered late, or None.
    """

    rule: AgeRule = CHILDHOOD
    prohibition: Prohibition | None = None
    unknown: Literal["", "adult", "minor"] = ""
    birthdays: Callable[[], Birthdays | None] = _nobody

    def of_age(self, subject: str) -> Millis | None:
        """When they are old enough to agree alone; None where nobody knows.

        Raises:
            ConfigurationError: the app's function returned something else than a date.
        """
        return self._at(subject, self.rule.below)

    def is_child(self, subject: str, now: Millis, noted: Millis | None) -> bool:
        """Whether they are too young to agree alone.

        ``noted`` is what was kept when somebody answered for them, which counts where
        the app does not know.
        """
        known = self.of_age(subject)
        return self._is_below(noted if known is None else known, now)

    def is_unknown(self, subject: str, noted: Millis | None) -> bool:
        """Whether nobody knows how old they are; ``noted`` is as in ``is_child``."""
        return noted is None and self.of_age(subject) is None

    def is_adult(self, subject: str, now: Millis) -> bool:
        """Whether the app knows that they are of full age."""
        known = self._at(subject, CHILDHOOD.below)
        return known is not None and now >= known

    def concern(self, purpose: Purpose) -> bool:
        """Whether the law forbids the purpose towards children."""
        rule = self.prohibition
        return rule is not None and bool(rule.practices.intersection(purpose.practices))

    def forbids(
        self, purpose: Purpose, subject: str, now: Millis, noted: Millis | None
    ) -> bool:
        """Whether the law lets nobody do this to them, whoever agrees."""
        rule = self.prohibition
        if rule is None or not self.concern(purpose):
            return False
        known = self._at(subject, rule.below)
        return self._is_below(noted if known is None else known, now)

    def _is_below(self, limit: Millis | None, now: Millis) -> bool:
        if limit is not None:
            return now < limit
        if self.unknown:
            return self.unknown == "minor"
        return self.birthdays() is not None

    def _at(self, subject: str, age: int) -> Millis | None:
        load = self.birthdays()
        birthday = load(subject) if load else None
        if birthday is None:
            return None
        # A datetime is a date to Python, and its day depends on a zone.
        if type(birthday) is not date or birthday.year > _LAST_YEAR:
            raise ConfigurationError(
                "the birthday_loader must return a datetime.date in the past, or None "
                f"where the birthday is not known; got {_kind(birthday)}"
            )
        return of_age_from(birthday, age)


def _kind(value: object) -> str:
    """What came instead; never the day itself."""
    if type(value) is date:
        return "a date in the far future"
    return "a datetime" if isinstance(value, datetime) else type(value).__name__


def mind_age(
    installation: Installation,
    request: ShareRequest,
    question: Question | None,
    standing: Standing,
) -> Standing:
    """The standing answers, and whether the law forbids this towards the person."""
    ages = installation.ages
    if question is None or ages.prohibition is None:
        return standing
    now = installation.clock()
    forbidden = ages.forbids(question.purpose, request.subject, now, standing.of_age)
    return standing._replace(prohibited=forbidden)
