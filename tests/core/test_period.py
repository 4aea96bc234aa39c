"""Lengths of time by the calendar, and the minimum that a profile sets."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from datetime import timezone

import pytest

from consentkit.core.period import Period
from consentkit.core.period import millis_of
from consentkit.core.profile import COOLDOWNS
from consentkit.core.profile import MINIMUMS
from consentkit.core.profile import VALIDITY_CAPS
from consentkit.core.profile import cooldown_of
from consentkit.core.profile import minimum_of
from consentkit.core.profile import validity_cap_of
from consentkit.errors import DeclarationError
from consentkit.errors import InvalidRequestError


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


BEFORE = {
    "years": ("P6Y", "2026-11-22T10:00", "2020-11-22T10:00"),
    "a leap day": ("P3Y", "2024-02-29T00:00", "2021-02-28T00:00"),
    "months over the year": ("P18M", "2026-03-31T00:00", "2024-09-30T00:00"),
    "weeks and days": ("P1W2D", "2026-01-05T00:00", "2025-12-27T00:00"),
    "all of it": ("P1Y2M3D", "2026-03-10T00:00", "2025-01-07T00:00"),
}


@pytest.mark.parametrize(("text", "now", "then"), BEFORE.values(), ids=BEFORE)
def test_a_period_goes_back_by_the_calendar(text: str, now: str, then: str) -> None:
    assert Period.parse(text).before(millis_of(at(now))) == millis_of(at(then))


AFTER = {
    "years": ("P6Y", "2020-11-22T10:00", "2026-11-22T10:00"),
    "into a shorter month": ("P6M", "2025-08-31T00:00", "2026-02-28T00:00"),
    "months over the year": ("P18M", "2024-09-30T00:00", "2026-03-30T00:00"),
    "weeks and days": ("P1W2D", "2025-12-27T00:00", "2026-01-05T00:00"),
    "a leap day": ("P1Y", "2024-02-29T00:00", "2025-02-28T00:00"),
}


@pytest.mark.parametrize(("text", "now", "then"), AFTER.values(), ids=AFTER)
def test_a_period_goes_forth_by_the_calendar(text: str, now: str, then: str) -> None:
    assert Period.parse(text).after(millis_of(at(now))) == millis_of(at(then))


BAD = ["", "P", "P0D", "6Y", "P6", "PT6H", "P-6Y", "P6Y ", "p6y", "P1.5Y", "P101Y"]


@pytest.mark.parametrize("text", [*BAD, "P\u0666Y", "P1D1Y", "P" + "9" * 40 + "D"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError):
        Period.parse(text)


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [
        ("P3Y", "P3Y"),
        ("P3Y", "P36M"),
        ("P36M", "P3Y"),
        ("P366D", "P1Y"),
        ("P7Y", "P6Y"),
    ],
)
def test_periods_are_compared_by_length(longer: str, shorter: str) -> None:
    assert Period.parse(longer).covers(Period.parse(shorter))


@pytest.mark.parametrize(("short", "long"), [("P2Y", "P3Y"), ("P11M", "P1Y")])
def test_a_shorter_one_does_not_cover_a_longer(short: str, long: str) -> None:
    assert not Period.parse(short).covers(Period.parse(long))


def test_an_instant_needs_a_zone() -> None:
    east = timezone(timedelta(hours=8))
    assert millis_of(datetime(1970, 1, 1, 8, tzinfo=east)) == 0
    with pytest.raises(InvalidRequestError, match="time zone"):
        millis_of(datetime(2032, 1, 1))  # noqa: DTZ001  that is the fault


def test_every_rule_has_a_period_a_source_and_a_confidence() -> None:
    for each in (*MINIMUMS, *COOLDOWNS):
        assert Period.parse(each.value)
        assert each.source
        assert each.confidence in {"text", "secondary", "recalled"}
    assert all(minimum_of(each.profile) == each for each in MINIMUMS)
    assert all(cooldown_of(each.profile) == each for each in COOLDOWNS)
    assert minimum_of("") is cooldown_of("") is None
    assert minimum_of("IT") is cooldown_of("IN") is None


def test_an_unknown_profile_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(DeclarationError, match=r"'CN', .*'FR', .*got 'XX'"):
        minimum_of("XX")


@pytest.mark.parametrize(
    ("text", "days"),
    [("P12M", 365), ("P1Y", 365), ("P1M", 28), ("P4Y", 1_461), ("P1M3D", 31)],
)
def test_a_period_by_the_calendar_is_at_least_so_long(text: str, days: int) -> None:
    assert Period.parse(text).shortest() == timedelta(days=days)


@pytest.mark.requirement("R90")
def test_a_cap_allows_what_never_lasts_longer() -> None:
    cap = validity_cap_of("AU (CDR)")
    assert cap
    assert cap.allows(timedelta(days=365))
    assert not cap.allows(timedelta(days=365, seconds=1))
    assert all(each.source and each.confidence for each in VALIDITY_CAPS)
    assert all(validity_cap_of(each.profile) == each for each in VALIDITY_CAPS)
    assert validity_cap_of("") is validity_cap_of("IT") is None
