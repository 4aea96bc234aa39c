"""Many checks at once: the answers of single ones, for one visit to the database."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from typing import TypeAlias

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
    from collections.abc import Iterable
    from collections.abc import Sequence

    from consentkit.core.act import Millis
    from consentkit.core.decision import ShareRequest
    from consentkit.core.decision import Standing
    from consentkit.core.registry import Question
    from consentkit.service.installation import Installation
    from consentkit.service.installation import StandingReader

__all__ = ["check_many"]

_Asked: TypeAlias = "tuple[ShareRequest, Question | None]"


def check_many(
    installation: Installation,
    requests: Iterable[ShareRequest],
    *,
    bound: Millis | None = None,
) -> list[Decision]:
    """The decisions at this instant, in the order of the requests.

    Total, and row by row: what is wrong with one makes no other one a no. With a
    ``bound`` they may rest on what was so that long ago, at most.
    """
    begun = time.perf_counter()
    reader = reader_within(installation, bound)
    decisions = _check_all(installation, requests, reader)
    if installation.observer.hears(Event.DECIDED):
        for each in decisions:
            tell_decision(installation, "check-many", each, begun=begun)
    return decisions


def _check_all(
    installation: Installation,
    requests: Iterable[ShareRequest],
    reader: StandingReader,
) -> list[Decision]:
    asked = [(request, _question(installation, request)) for request in requests]
    for key in {(each.purpose, each.recipient) for each, question in asked if question}:
        tell_reached(installation.registry, *key)
    try:
        standings = _standings(reader, asked)
        now = installation.clock()
    except Exception as error:  # noqa: BLE001  logged, and denied
        # Whatever broke, store or clock: nothing may leave on it.
        log_failed_check(error)
        return [_unavailable(request) for request, _ in asked]
    return [
        _decided(installation, request, question, standing, now)
        for (request, question), standing in zip(asked, standings, strict=True)
    ]


def _question(installation: Installation, request: ShareRequest) -> Question | None:
    try:
        return installation.registry.question(request.purpose, request.recipient)
    except TypeError:  # an id that cannot even be looked up
        return None


def _standings(
    reader: StandingReader, asked: Sequence[_Asked]
) -> list[Standing | None]:
    """What is on record for each request; None where it is not asked for, or corrupt.

    Raises:
        LogUnavailableError: the database cannot be read.
    """
    places: list[int] = []
    keys: list[tuple[str, str, str, str]] = []
    for number, (request, question) in enumerate(asked):
        if question and question.recipient.active and _is_text(request.subject):
            purpose = request.purpose
            transfer = purpose + CROSS_BORDER if question.cross_border else ""
            places.append(number)
            keys.append((request.subject, purpose, request.recipient, transfer))
    standings: list[Standing | None] = [None] * len(asked)
    if keys:
        found = reader.standings(keys)
        for number, standing in zip(places, found, strict=True):
            standings[number] = standing
    return standings


def _is_text(subject: object) -> bool:
    """Whether every database can hold it: one that cannot would spoil all the rest."""
    if not isinstance(subject, str) or "\0" in subject:
        return False
    if subject.isascii():
        return True
    try:
        subject.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decided(
    installation: Installation,
    request: ShareRequest,
    question: Question | None,
    standing: Standing | None,
    now: Millis,
) -> Decision:
    try:
        if standing is not None:
            if request.signal:
                standing = heed(installation, request, question, standing)
            if installation.ages.prohibition is not None:
                standing = mind_age(installation, request, question, standing)
        decision = decide(
            request,
            question,
            standing,
            now=now,
            purpose_known=question is not None
            or request.purpose in installation.registry.purposes,
        )
        if any_block() is None:
            return decision
        return mind_pending(installation, request, question, decision)
    except Exception as error:  # noqa: BLE001  logged, and denied
        log_failed_check(error)
        return _unavailable(request)


def _unavailable(request: ShareRequest) -> Decision:
    return Decision(Reason.STORE_UNAVAILABLE, request.purpose, request.recipient)
