"""From which age somebody can agree alone, and what nobody may ask of children.

Tables of what this version knows, each line with its source and with how sure we are
of it. They are no legal opinion. The clauses that were read say nothing of the hour or
of the 29th of February: a day begins at midnight UTC, and who was born on the 29th is
a year older on the 1st of March where there is no 29th, never a day too early.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime

from consentkit.core.act import Millis
from consentkit.core.period import millis_of
from consentkit.core.purpose import Practice

__all__ = [
    "AGES",
    "CHILDHOOD",
    "PROHIBITIONS",
    "AgeRule",
    "Prohibition",
    "age_rule_of",
    "of_age_from",
    "prohibition_of",
]


@dataclass(frozen=True, slots=True)
class AgeRule:
    """Below which age a yes needs somebody who answers for the child.

    With ``joint`` it needs the child's own yes as well. ``confidence`` is *text* where
    the clause was read, *secondary* where a summary was, and *recalled* where it has
    to be checked before anybody relies on it.
    """

    profile: str
    below: int
    source: str
    confidence: str
    joint: bool = False

    def __str__(self) -> str:
        return f"age of consent of {self.profile}: {self.below}, {self.source}"


@dataclass(frozen=True, slots=True)
class Prohibition:
    """What no yes makes lawful below an age: the guardian's no more than the child's.

    ``confidence`` is as in ``AgeRule``.
    """

    profile: str
    below: int
    practices: frozenset[Practice]
    source: str
    confidence: str


_TRACKER = "Bird & Bird tracker of GDPR Art. 8 ages"

CHILDHOOD = AgeRule("any", 18, "UN Convention on the Rights of the Child art 1", "text")
"""The rule where no profile names one: the highest age of the table."""

AGES = (
    AgeRule("CN", 14, "PIPL art 28, 31", "text"),
    AgeRule("IN", 18, "DPDP Act s.9; Rules 10-12", "recalled"),
    AgeRule("US", 13, "COPPA, 16 CFR 312.5", "recalled"),
    # From 13 to 15 it is their own opt-in, which every yes here is.
    AgeRule("US-CA", 13, "Cal. Civ. Code 1798.120(c)", "recalled"),
    AgeRule("EU", 16, "GDPR art 8(1)", "secondary"),
    AgeRule("BE", 13, _TRACKER, "secondary"),
    AgeRule("FI", 13, _TRACKER, "secondary"),
    AgeRule("SE", 13, _TRACKER, "secondary"),
    AgeRule("UK", 13, "Data Protection Act 2018 s.9 (Cullen 2018)", "secondary"),
    AgeRule("AT", 14, "DSG s.4(4)", "secondary"),
    AgeRule("IT", 14, _TRACKER, "secondary"),
    AgeRule("ES", 14, _TRACKER, "secondary"),
    AgeRule("FR", 15, f"{_TRACKER}; loi 78-17 art 45", "secondary", joint=True),
    AgeRule("CZ", 15, _TRACKER, "secondary"),
    AgeRule("DE", 16, _TRACKER, "secondary"),
    AgeRule("IE", 16, _TRACKER, "secondary"),
    AgeRule("NL", 16, _TRACKER, "secondary"),
    AgeRule("SK", 16, _TRACKER, "secondary"),
)
"""One rule a profile. European ages drift: checked in 2026."""

PROHIBITIONS = (
    Prohibition(
        profile="IN",
        below=18,
        # To share for marketing is where targeted advertising begins: our reading.
        practices=frozenset(Practice),
        source="DPDP Act s.9(3)",
        confidence="recalled",
    ),
)
"""At most one a profile."""


def age_rule_of(profile: str) -> AgeRule:
    """The rule of the profile; ``CHILDHOOD`` where it has none, or there is none.

    A note in brackets after a profile's name, as in "IN (consent manager)", is about
    other rules.
    """
    name = _plain(profile)
    return next((each for each in AGES if each.profile == name), CHILDHOOD)


def prohibition_of(profile: str) -> Prohibition | None:
    """What the profile forbids; None where it forbids nothing, or there is none."""
    name = _plain(profile)
    return next((each for each in PROHIBITIONS if each.profile == name), None)


def of_age_from(birthday: date, below: int) -> Millis:
    """The first moment at which somebody is ``below`` years old.

    >>> of_age_from(date(2008, 2, 29), 18) == of_age_from(date(2008, 3, 1), 18)
    True
    """
    year = birthday.year + below
    try:
        day = birthday.replace(year=year)
    except ValueError:  # the 29th of February in a common year
        day = date(year, 3, 1)
    return millis_of(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _plain(profile: str) -> str:
    return profile.partition(" (")[0]
