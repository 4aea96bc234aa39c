"""May this be shared? One indexed read and the rule; nothing is written or cached."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.core.decision import decide
from consentkit.core.registry import CROSS_BORDER
from consentkit.service.ages import mind_age
from consentkit.service.failing import log_failed_check
from consentkit.service.honouring import heed
from consentkit.service.observing import Event
from consentkit.service.observing import tell_decision
from consentkit.service.pending import mind_pending
from consentkit.service.reaching import tell_reached
from consentkit.service.staleness import reader_within
from consentkit.store.joining import any_block

if TYPE_CHECKING:
    from consentkit.core.act import Millis
    from consentkit.core.decision import ShareRequest
    from consentkit.service.installation import Installation
    from consentkit.service.installation import StandingReader

__all__ = ["check"]

_DECIDED = Event.DECIDED  # looked up once: in Python 3.11 that takes 0.1 µs


def check(
    installation: Installation, request: ShareRequest, *, bound: Millis | None = None
) -> Decision:
    """The decision at this instant. Total: whatever fails, the answer is no.

    With a ``bound`` it may rest on what was so that long ago, at most.
    """
    reader = installation.reader
    if bound is not None:
        reader = reader_within(installation, bound)
    if not installation.observer.hears(_DECIDED):
        return _check(installation, request, reader)
    begun = time.perf_counter()
    decision = _check(installation, request, reader)
    return tell_decision(installation, "check", decision, begun=begun)


def _check(
    installation: Installation, request: ShareRequest, reader: StandingReader
) -> Decision:
    registry = installation.registry
    tell_reached(registry, request.purpose, request.recipient)
    try:
        question = registry.question(request.purpose, request.recipient)
        if question is None or not question.recipient.active:
            standing = None
        else:
            standing = reader.standing(
                request.subject,
                request.purpose,
                request.recipient,
                request.purpose + CROSS_BORDER if question.cross_border else "",
            )
            # Asked here, though both ask too: most apps have neither, at every check.
            if request.signal:
                standing = heed(installation, request, question, standing)
            if installation.ages.prohibition is not None:
                standing = mind_age(installation, request, question, standing)
        decision = decide(
            request,
            question,
            standing,
            now=installation.clock(),
            purpose_known=question is not None or request.purpose in registry.purposes,
        )
        if any_block() is None:
            return decision
        return mind_pending(installation, request, question, decision)
    except Exception as error:  # noqa: BLE001  logged, and denied
        # Whatever broke, store, clock or a corrupt row: nothing may leave on it.
        log_failed_check(error)
        return Decision(Reason.STORE_UNAVAILABLE, request.purpose, request.recipient)
