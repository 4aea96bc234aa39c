"""Written down first, then shared.

Check and ledger line are one transaction, so a revocation that comes between them
wins. The line is durable when ``authorise`` returns, and only then does the caller's
code run; if the line cannot be written, nothing leaves.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.core.act import Channel
from consentkit.core.act import Kind
from consentkit.core.canonical import MAX_INTEGER
from consentkit.core.decision import Decision
from consentkit.core.decision import Reason
from consentkit.core.decision import decide
from consentkit.errors import ConsentDeniedError
from consentkit.errors import DeclarationError
from consentkit.service.ages import mind_age
from consentkit.service.checking import check
from consentkit.service.clocks import check_not_before
from consentkit.service.failing import cause_of
from consentkit.service.failing import log_failed_share
from consentkit.service.honouring import heed
from consentkit.service.observing import tell_decision
from consentkit.service.pending import standing_within
from consentkit.service.proving import prove_release
from consentkit.service.reaching import tell_reached
from consentkit.service.recording import PersonRecorder
from consentkit.service.release import Release
from consentkit.service.release import Terms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from consentkit.core.canonical import JSON
    from consentkit.core.decision import ShareRequest
    from consentkit.core.registry import Question
    from consentkit.core.registry import Registry
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation

__all__ = ["Circumstances", "authorise", "known_ids", "line_of"]

_TOKEN = re.compile(r"[!#-\[\]-~]{1,200}\Z")  # what the grammar of leaves takes
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z")
_UNKNOWN = "unknown"  # stands for an id that was never declared: it could be anything


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the line says besides who and what (R75).

    ``caller`` is the place in the app that asks, ``amount`` how many records it means
    to hand over, as far as it knows.

    Raises:
        DeclarationError: ``amount`` is no number that a line could hold.
    """

    caller: str
    amount: int = 1
    channel: Channel = Channel.SERVER

    def __post_init__(self) -> None:
        if type(self.amount) is not int or not 0 <= self.amount <= MAX_INTEGER:
            raise DeclarationError(
                "amount must be how many records are meant to be handed over, from 0 "
                f"to 2^53-1; got something else of type {type(self.amount).__name__}"
            )


@dataclass(frozen=True, slots=True)
class _Gate:
    """The gate as one share went through it; see ``consentkit.service.release.Gate``.

    ``request`` names the data that the decision was about, never "whatever is asked".
    """

    installation: Installation
    request: ShareRequest
    decision: Decision
    line: Leaf

    @property
    def registry(self) -> Registry:
        return self.installation.registry

    def ask_again(self) -> Decision:
        return check(self.installation, self.request)

    def held(self) -> AbstractContextManager[None]:
        return self.installation.sends.held(self.request.subject)

    def prove(self, body: bytes | None) -> str:
        return prove_release(self.installation, self.line, self.decision, body)


def authorise(
    installation: Installation,
    request: ShareRequest,
    circumstances: Circumstances,
    terms: Terms | None = None,
) -> Release:
    """A release, its disclosure leaf durable; or the refusal, on record as well.

    ``terms`` is how far it goes.

    Raises:
        ConsentDeniedError: the answer does not cover it, or it could not be written.
        ConfigurationError: it was asked for in a block of ``consent.joining``, whose
            commit is still to come.
    """
    installation.database.check_not_joined()
    tell_reached(installation.registry, request.purpose, request.recipient)
    begun = time.perf_counter()
    try:
        question = installation.registry.question(request.purpose, request.recipient)
        with installation.ledger.write() as transaction:
            recorder = PersonRecorder.lock(installation, transaction, request.subject)
            decision = _decide(installation, request, question, recorder)
            if decision and question is not None:
                leaf = _disclose(recorder, decision, question, circumstances)
            else:
                leaf = _deny(installation, recorder, decision, request, circumstances)
    except Exception as error:  # noqa: BLE001  logged, and denied
        log_failed_share(error)
        decision = Decision(
            Reason.STORE_UNAVAILABLE, request.purpose, request.recipient
        )
        tell_decision(installation, "share", decision, begun=begun)
        raise ConsentDeniedError(decision) from cause_of(error)
    tell_decision(installation, "share", decision, begun=begun)
    if not decision:
        raise ConsentDeniedError(decision)
    return Release(
        decision,
        disclosure=leaf.id,
        gate=_Gate(installation, request._replace(data=decision.data), decision, leaf),
        terms=terms,
    )


def _decide(
    installation: Installation,
    request: ShareRequest,
    question: Question | None,
    recorder: PersonRecorder,
) -> Decision:
    """The decision on what this very transaction sees."""
    standing = standing_within(recorder.transaction, request)
    check_not_before(standing, recorder.now)
    standing = heed(installation, request, question, standing)
    return decide(
        request,
        question,
        mind_age(installation, request, question, standing),
        now=recorder.now,
        purpose_known=request.purpose in installation.registry.purposes,
    )


def _disclose(
    recorder: PersonRecorder,
    decision: Decision,
    question: Question,
    circumstances: Circumstances,
) -> Leaf:
    grant = recorder.transaction.leaf_hash(decision.record)
    leaf = recorder.append(
        Kind.DISCLOSURE,
        {
            **line_of(circumstances, decision.purpose, decision.recipient),
            "data": known_ids(decision.data),
            "grant": grant.hex() if grant else "",
            "record": decision.record,
            "scope": question.scope,
        },
    )
    recorder.transaction.add_disclosure(
        leaf, subject=recorder.subject, reason=decision.reason.value
    )
    return leaf


def _deny(
    installation: Installation,
    recorder: PersonRecorder,
    decision: Decision,
    request: ShareRequest,
    circumstances: Circumstances,
) -> Leaf:
    registry = installation.registry
    question = registry.question(request.purpose, request.recipient)
    declared = question.data if question is not None else ()
    wanted = declared if request.data is None else request.data
    leaf = recorder.append(
        Kind.DENIAL,
        {
            **line_of(circumstances, request.purpose, request.recipient),
            "data": known_ids(wanted),
            "reason": decision.reason.value,
        },
    )
    recorder.transaction.add_disclosure(
        leaf, subject=recorder.subject, reason=decision.reason.value
    )
    return leaf


def line_of(
    circumstances: Circumstances, purpose: str, recipient: str
) -> dict[str, JSON]:
    """What each line about a share says besides its data; what is no id is hidden."""
    caller = circumstances.caller
    return {
        "amount": circumstances.amount,
        "caller": caller if _TOKEN.match(caller) else _UNKNOWN,
        "channel": circumstances.channel.value,
        "purpose": purpose if _ID.match(purpose) else _UNKNOWN,
        "recipient": recipient if _ID.match(recipient) else _UNKNOWN,
    }


def known_ids(data: Iterable[str]) -> list[JSON]:
    """The ids that a leaf can hold, sorted; what is no id was never declared."""
    return [each for each in sorted(data) if _ID.match(each)]
