"""Telling those who got data that the consent has ended, until they acknowledge it.

What has to be told is committed together with the act that makes it due (see
``service.outbox``), so a crash forgets nobody, and the act waits for nobody: recipients
may be down for days.

How a delivery ended is a leaf of the person's chain: acknowledged, or failed after the
last attempt. An erased person's chain has ended; their deliveries go on without one.
"""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import TypeAlias

from consentkit.core.act import Kind
from consentkit.core.act import Millis
from consentkit.core.record import rfc3339
from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogUnavailableError
from consentkit.service.background import elected
from consentkit.service.endpoints import send
from consentkit.service.outbox import ERASURE_TASK
from consentkit.service.recording import PersonRecorder
from consentkit.store.deliveries import Delivery
from consentkit.store.deliveries import DeliveryStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from consentkit.service.installation import Installation

__all__ = [
    "ErasureHandler",
    "ErasureTask",
    "deliver_due",
    "mark_told",
    "unhandled_tasks",
]

_SECOND = 1_000  # ms
_DELAYS = tuple(
    seconds * _SECOND
    for seconds in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
)  # the schedule of Standard Webhooks: about three days, then a person has to look
_BATCH = 100
_LOGGER = logging.getLogger("consentkit")


@dataclass(frozen=True, slots=True)
class ErasureTask:
    """Data of one person that the controller holds and consent no longer covers.

    ``data`` are the categories that no other live grant of theirs covers; whether
    another legal basis keeps some of it is for the app to know.
    """

    subject: str
    purpose: str
    data: tuple[str, ...]
    record: str


ErasureHandler: TypeAlias = "Callable[[ErasureTask], object]"


def deliver_due(
    installation: Installation, handler: ErasureHandler | None = None
) -> int | None:
    """Try everything that is due; how many were acknowledged, None if another is at it.

    ``handler`` takes the controller's own erasure tasks; returning acknowledges one.
    What is for somebody without an address, or handler, waits until there is one.

    Raises:
        LogUnavailableError: the database cannot be reached or written.
    """
    with elected(installation.log_folder, "deliveries") as mine:
        if not mine:
            return None
        within_reach = {*installation.endpoints, *([OWN_USE_ID] if handler else ())}
        acknowledged = 0
        while due := installation.deliveries.due(
            installation.clock(), within_reach, limit=_BATCH
        ):
            for delivery in due:
                acknowledged += _deliver(installation, delivery, handler)
        return acknowledged


def unhandled_tasks(installation: Installation) -> str:
    """How many erasure tasks wait, in words, for an app without a handler.

    Empty if none does. They stay open, since somebody has to see to them (R59).

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    count, since = installation.deliveries.waiting_for(OWN_USE_ID)
    if not count:
        return ""
    tasks = "erasure tasks are" if count > 1 else "erasure task is"
    return (
        f"{count} {tasks} open, the oldest since {rfc3339(since)}, and no handler is "
        "registered: decorate a function with @consent.erasure_handler"
    )


def _deliver(
    installation: Installation, delivery: Delivery, handler: ErasureHandler | None
) -> bool:
    """One attempt, and the note of how it ended."""
    now = installation.clock()
    try:
        _attempt(installation, delivery, handler, now)
    except Exception as error:  # noqa: BLE001  whatever one does wrong, the next is due
        unavailable = isinstance(error, LogUnavailableError)
        fault = str(error) if unavailable else type(error).__name__
        _settle(installation, _failed(delivery, now, fault))
        return False
    done = DeliveryStatus.ACKNOWLEDGED
    attempts = delivery.attempts + 1
    settled = replace(delivery, attempts=attempts, status=done, due=now, fault="")
    _settle(installation, settled)
    return True


def _attempt(
    installation: Installation,
    delivery: Delivery,
    handler: ErasureHandler | None,
    now: Millis,
) -> None:
    if delivery.event == ERASURE_TASK and handler is not None:
        subject = installation.deliveries.subject_of(delivery.handle)
        if subject is not None:  # else erasing them has done this task, too
            told = json.loads(delivery.body)
            data = tuple(told["data"])
            handler(ErasureTask(subject, told["purpose"], data, delivery.record))
        return
    send(
        installation.endpoints[delivery.recipient],
        message=delivery.id,
        body=delivery.body,
        at=now,
        signer=installation.keyring.collector,
    )


def _failed(delivery: Delivery, now: Millis, fault: str) -> Delivery:
    """The next attempt, later each time; after the last one a person has to look."""
    made = delivery.attempts + 1
    if made > len(_DELAYS):
        _LOGGER.error(
            "consentkit: recipient %s was not told of an ending (%s), last attempt",
            delivery.recipient,
            fault,
            extra={"event": "delivery-failed", "recipient": delivery.recipient},
        )
        status = DeliveryStatus.FAILED
        return replace(delivery, attempts=made, status=status, fault=fault)
    delay = _DELAYS[made - 1]
    jitter = secrets.randbelow(delay // 5)  # so that many do not come back at once
    due = Millis(now + delay + jitter)
    return replace(delivery, attempts=made, due=due, fault=fault)


def _settle(installation: Installation, delivery: Delivery) -> None:
    """Keep how it stands; an end is a leaf, in the same transaction."""
    with installation.ledger.write() as transaction:
        subject = transaction.settle_delivery(delivery)
        if delivery.status is DeliveryStatus.WAITING or subject is None:
            return
        PersonRecorder.lock(installation, transaction, subject).append(
            Kind.DELIVERY,
            {
                "attempts": delivery.attempts,
                "recipient": delivery.recipient,
                "record": delivery.record,
                "status": delivery.status.value,
            },
        )


def mark_told(installation: Installation, delivery_id: str) -> Delivery:
    """Note that an operator told the recipient in another way, and they acknowledged.

    Raises:
        InvalidRequestError: no such delivery is open (code ``unknown-delivery``).
        LogUnavailableError: the database cannot be written.
    """
    found = installation.deliveries.find(delivery_id)
    if found is None or found.status is DeliveryStatus.ACKNOWLEDGED:
        raise InvalidRequestError(
            "expected the id of a delivery that nobody has acknowledged yet; "
            "'flask consent deliver --list' shows them",
            code="unknown-delivery",
        )
    now, done = installation.clock(), DeliveryStatus.ACKNOWLEDGED
    told = replace(found, status=done, due=now, fault="")
    _settle(installation, told)
    return told
