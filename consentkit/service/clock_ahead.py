"""Before anything goes for good: is it as late as the clock of this machine says?

A clock that is ahead makes things old that are not. Compared is what goes by other
clocks: the server of the database, and the witnesses. Where there is neither, nothing
but the log itself can tell, whose times are mostly those of the same clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.record import rfc3339
from consentkit.errors import InvalidRequestError
from consentkit.store.inspecting import Inspection
from consentkit.store.periods import Periods

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.core.act import Millis
    from consentkit.service.installation import Installation

__all__ = ["check_clock"]

_DAY = 86_400_000  # milliseconds: what is purged goes by the day


def check_clock(installation: Installation, *, before: Millis | None) -> None:
    """Refuse to purge by a clock that is ahead: holds, minimum and cut-off go by it.

    Only where ``before`` is None, so that a clock alone sets the cut-off, it is refused
    as well if nothing was written for a whole claim period: such an app is nearly
    always one whose clock is wrong. A shorter silence is nothing unusual.

    Raises:
        InvalidRequestError: the clock is more than a day ahead, or the newest entry is
            older than the cut-off (code ``clock-ahead``).
        LogUnavailableError: the database cannot be reached.
    """
    now = installation.clock()
    _check_with_database(installation, now)
    _check_with_witnesses(installation)
    if before is not None:
        return
    newest = Periods(installation.database).newest_entry()
    if newest is not None and newest < installation.retention.cutoff(now):
        raise InvalidRequestError(
            f"it is {rfc3339(now)} by the clock of this machine, and the newest entry "
            f"is of {rfc3339(newest)}: if the clock is right say --before; nothing "
            "was purged",
            code="clock-ahead",
        )


def _check_with_database(installation: Installation, now: Millis) -> None:
    inspection = Inspection(installation.database)
    if inspection.kind() == "sqlite":  # by the clock of this machine
        return
    theirs = inspection.clock()
    if now > theirs + _DAY:
        raise InvalidRequestError(
            f"it is {rfc3339(now)} by the clock of this machine, and {rfc3339(theirs)} "
            "by that of the database: set right the one that is wrong; nothing was "
            "purged",
            code="clock-ahead",
        )


def _check_with_witnesses(installation: Installation) -> None:
    """Refuse where every witness saw the log's newest checkpoints before their time."""
    seen = list(_seen_ahead(installation))
    if seen and min(seen) > _DAY:
        raise InvalidRequestError(
            f"the newest checkpoint that witnesses saw is {min(seen) // _DAY} days "
            "later by the clock that it was signed by than by theirs: set the clock "
            "right, and let them cosign a newer one; nothing was purged",
            code="clock-ahead",
        )


def _seen_ahead(installation: Installation) -> Iterator[int]:
    """By how much each witness saw its newest checkpoint earlier than it was signed."""
    for each in installation.cosigners:
        seen = installation.witnesses.newest(each.key)
        if seen is None:
            continue
        signed = installation.timestamps.waiting_since(seen.size - 1)
        if signed is not None:
            yield signed - seen.time
