"""How long at least: records kept, and nobody asked again; by the app's own law.

A table of what this version knows, each line with its source and with how sure we are
of it. It is no legal opinion: whoever runs an app has to know the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from consentkit.core.age import AGES
from consentkit.core.period import Period
from consentkit.errors import DeclarationError

__all__ = [
    "COOLDOWNS",
    "MINIMUMS",
    "VALIDITY_CAPS",
    "Maximum",
    "Minimum",
    "Rule",
    "cooldown_of",
    "minimum_of",
    "validity_cap_of",
]

_R = TypeVar("_R", bound="Rule")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that says how long something has to last.

    ``confidence`` is *text* where the clause was read, *secondary* where a summary
    was, and *recalled* where it has to be checked before anybody relies on it.
    """

    profile: str
    rule: str
    value: str
    source: str
    confidence: str

    def __str__(self) -> str:
        return f"{self.rule} of {self.profile}: {self.value}, {self.source}"


class Minimum(Rule):
    """At least that long."""


class Maximum(Rule):
    """That long at most."""

    def allows(self, length: timedelta) -> bool:
        """Whether so long a time never lasts longer, whichever day it begins on."""
        return length <= Period.parse(self.value).shortest()


MINIMUMS = (
    Minimum(
        profile="CN",
        rule="sharing_record_retention_min",
        value="P3Y",
        source="Network Data Security Management Regulations art 12",
        confidence="text",
    ),
    Minimum(
        profile="IN",
        rule="processing_log_retention_min",
        value="P1Y",
        source="DPDP Rules 2025 rules 6(1)(e), 8(3)",
        confidence="text",
    ),
    Minimum(
        profile="IN (consent manager)",
        rule="consent_record_retention_min",
        value="P7Y",
        source="DPDP Rules 2025 First Schedule Part B item 4(c)",
        confidence="text",
    ),
    Minimum(
        profile="US (HIPAA, as a model)",
        rule="disclosure_accounting_lookback",
        value="P6Y",
        source="45 CFR 164.528",
        confidence="recalled",
    ),
)
"""How long records are kept: one rule a profile, the one that asks for the longest."""

COOLDOWNS = (
    Minimum(
        profile="CN",
        rule="reask_cooldown_after_refusal",
        value="P6M",  # our reading of "not frequently", the law has no number
        source="Network Data Security Management Regulations art 22(1)(5)",
        confidence="text",
    ),
    Minimum(
        profile="FR",
        rule="reask_cooldown_after_refusal",
        value="P6M",
        source="CNIL recommandation 2020-092 s.39",
        confidence="secondary",
    ),
    Minimum(
        profile="IT",
        rule="reask_cooldown_after_refusal",
        value="P6M",
        source="Garante provv. 231 of 10 June 2021 s.6.2",
        confidence="secondary",
    ),
    Minimum(
        profile="US-CA",
        rule="reask_cooldown_after_optout",
        value="P12M",
        source="Cal. Civ. Code 1798.135(c)(4)",
        confidence="recalled",
    ),
)
"""For how long nobody is asked again who said no: one rule a profile."""


VALIDITY_CAPS = (
    Maximum(
        profile="AU (CDR)",
        rule="consent_max_validity",
        value="P12M",
        source="OAIC CDR Privacy Safeguard Guidelines ch. C, C.4",
        confidence="text",
    ),
    Maximum(
        profile="FR (telephone marketing)",
        rule="consent_max_validity",
        value="P12M",
        source="loi 2025-594 art 13, decret 2026-662",
        confidence="secondary",
    ),
)
"""For how long a yes can hold: one rule a profile. The EU names no number (EDPB
guidelines 05/2020 §110-111)."""


def minimum_of(profile: str) -> Minimum | None:
    """The rule on keeping records; None where the profile has none, or there is none.

    Raises:
        DeclarationError: no profile of that name is known.
    """
    return _of(profile, MINIMUMS)


def cooldown_of(profile: str) -> Minimum | None:
    """The rule on asking again; None where the profile has none, or there is none.

    Raises:
        DeclarationError: no profile of that name is known.
    """
    return _of(profile, COOLDOWNS)


def validity_cap_of(profile: str) -> Maximum | None:
    """The rule on how long a yes holds; None where the profile has none.

    Raises:
        DeclarationError: no profile of that name is known.
    """
    return _of(profile, VALIDITY_CAPS)


def _of(profile: str, rules: tuple[_R, ...]) -> _R | None:
    known = sorted(
        {each.profile for each in (*MINIMUMS, *COOLDOWNS, *VALIDITY_CAPS, *AGES)}
    )
    if profile and profile not in known:
        names = ", ".join(map(repr, known))
        raise DeclarationError(f"a profile must be one of {names}; got {profile!r:.60}")
    return next((each for each in rules if each.profile == profile), None)
