"""The only place that says yes.

``decide`` is total: whatever the input, it answers, and it answers no unless every
condition for a yes holds. The reasons are a closed list; their spelling is part of
the public interface.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from consentkit.core.act import Assurance
from consentkit.core.act import Millis
from consentkit.core.act import State

if TYPE_CHECKING:
    from consentkit.core.registry import Question
    from consentkit.core.status import Status

__all__ = ["Decision", "Reason", "ShareRequest", "Standing", "decide"]


class Reason(StrEnum):
    """Why the gate said yes or no. Closed list, stable spelling."""

    GRANTED = "granted"
    NOT_ASKED = "not_asked"
    REFUSED = "refused"
    DEFERRED = "deferred"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    INVALIDATED = "invalidated"
    EXPIRED = "expired"
    DATA_NOT_COVERED = "data_not_covered"
    SCOPE_CHANGED = "scope_changed"
    CROSS_BORDER_CONSENT_MISSING = "cross_border_consent_missing"
    GUARDIAN_REAFFIRMATION_NEEDED = "guardian_reaffirmation_needed"
    PROHIBITED_FOR_MINORS = "prohibited_for_minors"
    OPT_OUT_SIGNAL = "opt_out_signal"
    PURPOSE_UNKNOWN = "purpose_unknown"
    RECIPIENT_UNKNOWN = "recipient_unknown"
    RECIPIENT_INACTIVE = "recipient_inactive"
    SUSPENDED = "suspended"
    STORE_UNAVAILABLE = "store_unavailable"


_STATE_REASONS = {
    State.REQUESTED: Reason.NOT_ASKED,
    State.DEFERRED: Reason.DEFERRED,
    State.REFUSED: Reason.REFUSED,
    State.WITHDRAWN: Reason.WITHDRAWN,
    State.EXPIRED: Reason.EXPIRED,
    State.REVOKED: Reason.REVOKED,
    State.INVALIDATED: Reason.INVALIDATED,
}


@dataclass(frozen=True, slots=True)
class ShareRequest:
    """What somebody wants to share: whose data, what for, with whom, which categories.

    ``data`` None means every category that the purpose declares for that recipient.
    ``min_assurance`` is how well proven the person's own part has to be.
    """

    subject: str
    purpose: str
    recipient: str
    data: frozenset[str] | None = None
    min_assurance: Assurance = Assurance.SESSION


@dataclass(frozen=True, slots=True)
class Standing:
    """What the store knows at the moment of a check, read in one go.

    ``transfer`` is the status of the separate cross-border question, if there is one.
    """

    status: Status | None = None
    transfer: Status | None = None
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's answer to one check. Falsy when it denies; ``reason`` says why.

    ``data`` are the categories that may leave, empty unless granted; ``missing`` those
    asked for and not covered. ``record`` is the id of the act a yes rests on.
    """

    reason: Reason
    purpose: str
    recipient: str
    data: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    record: str = ""
    until_ms: Millis | None = None

    def __bool__(self) -> bool:
        return self.reason is Reason.GRANTED

    @property
    def until(self) -> datetime | None:
        """The first instant at which a yes no longer holds (aware UTC), else None."""
        if self.until_ms is None:
            return None
        return datetime.fromtimestamp(self.until_ms / 1000, tz=UTC)


def decide(
    request: ShareRequest,
    question: Question | None,
    standing: Standing | None,
    *,
    now: Millis,
    purpose_known: bool = True,
) -> Decision:
    """Whether ``request`` is covered: yes only if every numbered condition holds.

    ``question`` is the declared one for the request's key, None if there is none;
    ``standing`` is what the store says, None if it could not be asked.
    """

    def deny(reason: Reason, missing: frozenset[str] = frozenset()) -> Decision:
        return Decision(reason, request.purpose, request.recipient, missing=missing)

    # 1. Purpose and recipient are declared, for each other.
    if question is None:
        return deny(
            Reason.RECIPIENT_UNKNOWN if purpose_known else Reason.PURPOSE_UNKNOWN
        )
    # 2. The recipient may receive anything at all.
    if not question.recipient.active:
        return deny(Reason.RECIPIENT_INACTIVE)
    # 3. The store answered, and nobody stopped the purpose or the recipient.
    if standing is None:
        return deny(Reason.STORE_UNAVAILABLE)
    if standing.suspended:
        return deny(Reason.SUSPENDED)
    # 4. The person agreed, to this scope, in a way strong enough, and it still holds.
    status = standing.status
    refusal = _refusal(status, question.scope, request.min_assurance, now)
    if refusal is not None or status is None:
        return deny(refusal or Reason.NOT_ASKED)
    # 5. What is asked for lies within what was agreed to.
    wanted = request.data if request.data is not None else frozenset(question.data)
    if not wanted or not wanted <= status.data:
        return deny(Reason.DATA_NOT_COVERED, wanted - status.data)
    # 6. A recipient abroad has the separate consent too (PIPL Art. 39).
    if question.cross_border:
        transfer = standing.transfer
        refusal = _refusal(
            transfer, question.transfer_scope, request.min_assurance, now
        )
        if refusal is not None or transfer is None or not wanted <= transfer.data:
            return deny(Reason.CROSS_BORDER_CONSENT_MISSING)
    return Decision(
        Reason.GRANTED,
        request.purpose,
        request.recipient,
        data=wanted,
        record=status.record,
        until_ms=status.until,
    )


def _refusal(
    status: Status | None, scope: str, minimum: Assurance, now: Millis
) -> Reason | None:
    """Why a standing answer does not authorise, None if it does."""
    if status is None:
        return Reason.NOT_ASKED
    state = status.at(now)
    if state in _STATE_REASONS:
        return _STATE_REASONS[state]
    if not status.assurance.covers(minimum):
        return Reason.NOT_ASKED  # somebody said so for them; they were never asked
    if status.scope != scope:
        return Reason.SCOPE_CHANGED
    return None
