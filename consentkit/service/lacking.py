"""What somebody left out of their yes, where that alone keeps a share from going on.

A person who says yes, and leaves an optional box empty, has decided both. To send them
to the same question again without a word about the box would be to wear them down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.decision import Reason
from consentkit.core.registry import CROSS_BORDER
from consentkit.service.checking import check

if TYPE_CHECKING:
    from consentkit.core.decision import ShareRequest
    from consentkit.service.installation import Installation

__all__ = ["lacking"]

_LEFT_OUT = (Reason.DATA_NOT_COVERED, Reason.CROSS_BORDER_CONSENT_MISSING)


def lacking(installation: Installation, wanted: ShareRequest) -> frozenset[str]:
    """The optional categories that a standing yes leaves out of what is wanted.

    Empty where something else stands in the way, too: no yes, or a no.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    question = installation.registry.question(wanted.purpose, wanted.recipient)
    decision = check(installation, wanted)
    if question is None or decision.reason not in _LEFT_OUT:
        return frozenset()
    missing = decision.missing
    if question.cross_border:
        # The separate yes to the other country has boxes of its own.
        key = wanted.purpose + CROSS_BORDER, wanted.recipient
        abroad = installation.history.statuses(wanted.subject).get(key)
        if abroad is None or not abroad.authorises(installation.clock()):
            return frozenset()
        needed = question.categories if wanted.data is None else wanted.data
        missing |= needed - abroad.data
    return missing & frozenset(question.optional)
