"""May this be shared? One indexed read and the rule; nothing is written or cached."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.core.decision import decide
from consentkit.core.registry import CROSS_BORDER
from consentkit.service.ages import mind_age
from consentkit.service.honouring import heed

if TYPE_CHECKING:
    from consentkit.core.decision import ShareRequest
    from consentkit.service.installation import Installation

__all__ = ["check"]

_LOGGER = logging.getLogger("consentkit")


def check(installation: Installation, request: ShareRequest) -> Decision:
    """The decision at this instant. Total: whatever fails, the answer is no."""
    registry = installation.registry
    try:
        question = registry.question(request.purpose, request.recipient)
        if question is None or not question.recipient.active:
            standing = None
        else:
            standing = installation.reader.standing(
                request.subject,
                request.purpose,
                request.recipient,
                request.purpose + CROSS_BORDER if question.cross_border else "",
            )
            standing = heed(installation, request, question, standing)
            standing = mind_age(installation, request, question, standing)
        return decide(
            request,
            question,
            standing,
            now=installation.clock(),
            purpose_known=request.purpose in registry.purposes,
        )
    except Exception as error:
        # Whatever broke, store, clock or a corrupt row: nothing may leave on it.
        _LOGGER.exception("consentkit: a check failed (%s)", type(error).__name__)
        return Decision(Reason.STORE_UNAVAILABLE, request.purpose, request.recipient)
