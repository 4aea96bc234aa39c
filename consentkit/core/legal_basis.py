"""What data may be released on without consent, and how a leaf says so."""

from __future__ import annotations

from enum import StrEnum

from consentkit.core.decision import Reason

__all__ = ["RELEASE_ACTIONS", "RELEASE_PREFIX", "LegalBasis", "has_left", "outcome_of"]


class LegalBasis(StrEnum):
    """What a release rests on instead of consent. Closed list, stable spelling."""

    LEGAL_OBLIGATION = "legal-obligation"  # GDPR Art. 6(1)(c); PIPL Art. 13(1)(3)
    VITAL_INTEREST = "vital-interest"  # GDPR Art. 6(1)(d); PIPL Art. 13(1)(4)


def outcome_of(word: str) -> Reason | LegalBasis:
    """What the list of a person's disclosures says of one: a reason, or a basis.

    Raises:
        ValueError: it is neither.
    """
    return LegalBasis(word) if word in _BASES else Reason(word)


def has_left(word: str) -> bool:
    """Whether data left, by what that list says: on a consent or on a basis in law."""
    return word == Reason.GRANTED or word in _BASES


_BASES = frozenset(each.value for each in LegalBasis)

RELEASE_PREFIX = "release-without-consent:"
"""What the action of an ``admin`` leaf begins with that releases data by law."""

RELEASE_ACTIONS = {RELEASE_PREFIX + each.value: each for each in LegalBasis}
"""The whole actions, with the basis that each names."""
