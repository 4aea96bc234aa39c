"""A yes that is about to end: the person is asked again once, and silence ends it.

Nothing is renewed by itself (EDPB guidelines 05/2020 §111). No rule says how long
before the end somebody may be reminded; a month leaves time to decide, and of a short
yes the last quarter does.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from consentkit.core.act import Millis
from consentkit.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.core.status import Status
    from consentkit.service.installation import Installation

__all__ = ["WINDOW", "is_ending", "remind"]

WINDOW = 30 * 86_400_000
"""How long before its end somebody is reminded of a yes, in milliseconds."""

_SHARE = 4  # of a yes that holds for less than four months, its last quarter

_LOGGER = logging.getLogger("consentkit")


def is_ending(status: Status, now: Millis) -> bool:
    """Whether this is a yes that holds and is about to end."""
    window = min(WINDOW, (status.until - status.since) // _SHARE)
    return status.authorises(now) and now >= status.until - window


def remind(
    installation: Installation,
    subject: str,
    standing: Mapping[tuple[str, str], Status],
) -> frozenset[tuple[str, str]]:
    """Those of the answers that the person is reminded of now, and never again.

    Where that cannot be noted nobody is reminded: once too few is not too often.
    """
    now = installation.clock()
    ending = {key: each for key, each in standing.items() if is_ending(each, now)}
    if not ending:
        return frozenset()
    try:
        with installation.ledger.write() as transaction:
            return frozenset(
                key
                for key, status in sorted(ending.items())
                if transaction.note_reminder(subject, key, status.record)
            )
    except LogError as error:
        _LOGGER.warning(
            "consentkit: a reminder could not be noted (%s), none is shown",
            type(error).__name__,
            extra={"event": "reminder-not-noted", "error": type(error).__name__},
        )
        return frozenset()
