"""What is owed: to recipients who were not told, to claims that are over, to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.record import rfc3339
from consentkit.service.finding import fine
from consentkit.service.finding import warning
from consentkit.store.deliveries import DeliveryStatus

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.service.finding import Finding
    from consentkit.service.finding import Looks
    from consentkit.service.installation import Installation

__all__ = ["DUTIES"]

_DAY_MS = 86_400_000
_MANY = 1_000


def _deliveries(installation: Installation) -> Iterable[Finding]:
    found = installation.deliveries.open(limit=_MANY)
    if not found:
        return [fine("every message was acknowledged")]
    old = installation.clock() - _DAY_MS
    given_up = [each for each in found if each.status is DeliveryStatus.FAILED]
    late = [each for each in found if each not in given_up and each.created < old]
    if not (given_up or late):
        return [fine(f"{len(found)} wait, none for a day")]
    return [
        warning(
            f"{len(given_up)} messages given up, {len(late)} wait for more than a day",
            expected="recipients, and the app, hear of what ended (GDPR Art. 19)",
            do="see 'flask consent deliver --list'",
        )
    ]


def _holds(installation: Installation) -> Iterable[Finding]:
    holds = installation.erasures.holds()
    over = [each for each in holds if each.until <= installation.clock()]
    if not over:
        return [fine(f"{len(holds)} legal holds, none is over")]
    return [
        warning(
            f"{len(over)} legal holds are over, the first since "
            f"{rfc3339(over[0].until)}",
            expected="evidence is shredded when nobody can claim any more",
            do="run 'flask consent purge' as the owner of the tables",
        )
    ]


def _suspended(installation: Installation) -> Iterable[Finding]:
    found = sorted(installation.oversight.suspensions())
    if not found:
        return [fine("nothing is suspended")]
    named = ", ".join(
        f"{purpose or '*'}/{recipient or '*'}" for purpose, recipient in found
    )
    return [
        warning(
            f"suspended: {named}",
            expected="what somebody meant to stop, and for as long as they mean it",
            do="see 'flask consent acts', then 'flask consent resume'",
        )
    ]


DUTIES: Looks = {
    "deliveries": _deliveries,
    "holds": _holds,
    "suspensions": _suspended,
}
"""How to look at what is owed."""
