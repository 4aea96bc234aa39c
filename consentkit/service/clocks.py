"""A clock that says nothing rather than nonsense."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.act import Millis
from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless

if TYPE_CHECKING:
    from collections.abc import Callable

    from consentkit.core.decision import Standing

__all__ = ["check_not_before", "checked"]

_LAST = 2**53 - 1  # what a leaf can hold (RFC 8785 §3.2.2.3)
_SKEW = 600_000
"""Milliseconds by which the clocks of an app's machines may differ.

No more than an auditor lets the times of a log run back.
"""


def checked(clock: Callable[[], Millis]) -> Callable[[], Millis]:
    """The same clock, whose every failure is one of the installation.

    Raises, when it is asked:
        LogUnavailableError: it cannot be read, or what it says is no time.
    """

    def read() -> Millis:
        try:
            now = clock()
        except Exception as error:  # noqa: BLE001  of the app: it may say anything
            raise LogUnavailableError(
                f"the clock cannot be read ({type(error).__name__})"
            ) from wordless(error)
        if type(now) is not int or not 0 <= now <= _LAST:
            raise LogUnavailableError(
                "expected the clock to say milliseconds since 1970 as a whole number; "
                f"got {now!r:.40}"
            )
        return now

    return read


def check_not_before(standing: Standing, now: Millis) -> None:
    """Refuse to act on an answer from the future: by which clock would it end?

    Raises:
        LogUnavailableError: this clock is slow, or another was fast when the person
            answered.
    """
    for status in (standing.status, standing.transfer):
        if status is not None and status.since > now + _SKEW:
            raise LogUnavailableError(
                "an answer is on record that was given after what the clock says now: "
                "set the clock right"
            )
