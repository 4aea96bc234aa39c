"""A length of time by the calendar, as ISO 8601 writes it.

Years and months are counted as a calendar counts them: three years before 29 February
is 28 February, so that nothing is called old a day too early.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from datetime import timedelta

from consentkit.core.act import Millis
from consentkit.errors import DeclarationError
from consentkit.errors import InvalidRequestError

__all__ = ["Period", "millis_of"]

_PERIOD = re.compile(r"P(?=\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?\Z", re.ASCII)
_LONGEST_YEARS = 100  # what is kept for longer is kept for ever
_LONGEST_TEXT = 20  # no number in it is then too large to count with
_REFERENCE = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """Years, months and days, as ISO 8601 writes them: ``P6Y``, ``P18M``, ``P90D``.

    Raises:
        DeclarationError: it has no length, or more than a hundred years.
    """

    years: int = 0
    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        total = self.years + self.months / 12 + self.days / 365
        if not 0 < total <= _LONGEST_YEARS:
            raise DeclarationError(
                f"a period must be longer than nothing and at most {_LONGEST_YEARS} "
                "years"
            )

    @classmethod
    def parse(cls, text: str) -> Period:
        """Read an ISO 8601 duration of years, months, weeks or days.

        Raises:
            DeclarationError: it is none, or as the constructor.
        """
        found = _PERIOD.match(text) if len(text) <= _LONGEST_TEXT else None
        if found is None:
            raise DeclarationError(
                "a period must be an ISO 8601 duration of years, months, weeks or "
                f"days, such as 'P6Y' or 'P90D'; got {text!r:.40}"
            )
        years, months, weeks, days = (int(each or 0) for each in found.groups())
        return cls(years, months, weeks * 7 + days)

    def before(self, moment: Millis) -> Millis:
        """The instant that lies this long before ``moment``."""
        at = datetime.fromtimestamp(moment / 1000, UTC)
        return Millis(max(0, int(self._back_from(at).timestamp() * 1000)))

    def after(self, moment: Millis) -> Millis:
        """The instant that lies this long after ``moment``."""
        at = datetime.fromtimestamp(moment / 1000, UTC)
        forth = _moved(at, self.years * 12 + self.months) + timedelta(days=self.days)
        return Millis(round(forth.timestamp() * 1000))

    def shortest(self) -> timedelta:
        """How long it is at least: a year can have a day more, a month three."""
        starts = (datetime(2001, month, 1, tzinfo=UTC) for month in range(1, 13))
        months = self.years * 12 + self.months
        return min(_moved(at, months) - at for at in starts) + timedelta(days=self.days)

    def covers(self, other: Period) -> bool:
        """Whether this is at least as long as ``other``."""
        return self._back_from(_REFERENCE) <= other._back_from(_REFERENCE)

    def _back_from(self, at: datetime) -> datetime:
        return _moved(at, -self.years * 12 - self.months) - timedelta(days=self.days)


def _moved(at: datetime, months: int) -> datetime:
    """That many months on; the last day of a month that has fewer days."""
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    month += 1
    day = min(at.day, calendar.monthrange(year, month)[1])
    return at.replace(year=year, month=month, day=day)


def millis_of(moment: datetime) -> Millis:
    """An instant as everything here keeps it.

    Raises:
        InvalidRequestError: it is no ``datetime``, or says no time zone, so that nobody
            knows when it is (code ``naive-time``).
    """
    is_instant = isinstance(moment, datetime)
    if not is_instant or moment.tzinfo is None:
        raise InvalidRequestError(
            "expected an instant with a time zone, such as "
            "datetime(2032, 1, 1, tzinfo=UTC); got "
            + ("one without" if is_instant else type(moment).__name__),
            code="naive-time",
        )
    return Millis(round(moment.timestamp() * 1000))
