"""What somebody still has to be told, committed with the act that makes it due.

A row names no person: who stands behind its handle is looked up while they are known.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.core.act import Millis
from consentkit.core.act import SubjectHandle
from consentkit.core.decision import Reason
from consentkit.core.registry import CROSS_BORDER
from consentkit.store import schema
from consentkit.store.lines import lines_about
from consentkit.store.rows import blob
from consentkit.store.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Sequence

    from consentkit.store.database import Database

__all__ = [
    "Deliveries",
    "Delivery",
    "DeliveryStatus",
    "Shared",
    "add_delivery",
    "find_shared",
    "settle_delivery",
]

_DELIVERY, _SUBJECT = schema.delivery, schema.subject


class DeliveryStatus(StrEnum):
    """Where a delivery stands; only one that is waiting is ever tried."""

    WAITING = "waiting"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Shared:
    """Which data a recipient got for a purpose, on the strength of one record."""

    purpose: str
    recipient: str
    record: str
    data: frozenset[str]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one recipient. ``record`` is the id of the act it is about.

    ``body`` is what is sent, byte for byte the same at each attempt; it holds nothing
    that names the person. ``due`` is when it is to be tried next, or when it was
    acknowledged.
    """

    id: str
    handle: SubjectHandle
    recipient: str
    event: str
    record: str
    body: bytes
    created: Millis
    due: Millis
    attempts: int = 0
    status: DeliveryStatus = DeliveryStatus.WAITING
    fault: str = ""


_COLUMNS = tuple(Delivery.__dataclass_fields__)
_ADD = Statement(sa.insert(_DELIVERY))
# Written once: every end of a consent asks, and to write it takes longer than the act.
_LINES = lines_about(sa.bindparam("subject", type_=sa.String))
_KEY = [_LINES.c[name] for name in ("purpose", "recipient", "record")]
_SHARED = Statement(
    sa.select(*_KEY, _LINES.c.data)
    .where(_LINES.c.reason == sa.literal_column(f"'{Reason.GRANTED.value}'"))
    .distinct()
    .order_by(*_KEY)
)


def find_shared(
    connection: sa.Connection,
    subject: str,
    keys: Collection[tuple[str, str]] | None,
) -> list[Shared]:
    """What was shared about one person, under these (purpose, recipient) or any."""
    meant = {(purpose.removesuffix(CROSS_BORDER), to) for purpose, to in keys or ()}
    found: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    rows = _SHARED.rows(connection, subject=subject)
    for purpose, recipient, record, data in rows:
        if keys is None or (purpose, recipient) in meant:
            found[purpose, recipient, record].update(data.split())
    return [Shared(*key, frozenset(data)) for key, data in found.items()]


def add_delivery(connection: sa.Connection, delivery: Delivery) -> None:
    """Keep a message until its recipient has acknowledged it."""
    _ADD.run(connection, **_values(delivery))


def settle_delivery(connection: sa.Connection, delivery: Delivery) -> str | None:
    """Note how an attempt ended; the person it is about, None if they are erased.

    Of an erased person nothing is kept once the recipient has acknowledged it.
    """
    told = {name: _values(delivery)[name] for name in _ATTEMPT}
    mine = _DELIVERY.c.id == delivery.id
    connection.execute(sa.update(_DELIVERY).where(mine).values(**told))
    subject: str | None = connection.scalar(
        sa.select(_SUBJECT.c.subject).where(_SUBJECT.c.handle == delivery.handle)
    )
    if subject is None and delivery.status is DeliveryStatus.ACKNOWLEDGED:
        connection.execute(sa.delete(_DELIVERY).where(mine))
    return subject


_ATTEMPT = ("due", "attempts", "status", "fault")


class Deliveries:
    """Reads of the outbox, each seeing the newest commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(
        self, now: Millis, recipients: Collection[str], *, limit: int
    ) -> list[Delivery]:
        """What these recipients are to be told now, the longest waiting first.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        return self._list(
            _DELIVERY.c.status == DeliveryStatus.WAITING.value,
            _DELIVERY.c.due <= now,
            _DELIVERY.c.recipient.in_(recipients),
            limit=limit,
        )

    def open(self, *, limit: int, unless_waiting: str = "") -> list[Delivery]:
        """What nobody has acknowledged yet, given up or not.

        What waits for the recipient ``unless_waiting`` is left out.
        """
        status, failed = _DELIVERY.c.status, DeliveryStatus.FAILED.value
        return self._list(
            status.in_([DeliveryStatus.WAITING.value, failed]),
            (status == failed) | (_DELIVERY.c.recipient != unless_waiting),
            limit=limit,
        )

    def waiting_for(self, recipient: str) -> tuple[int, Millis]:
        """How many messages wait for that recipient, and since when; 0 if none does.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        query = sa.select(sa.func.count(), sa.func.min(_DELIVERY.c.created)).where(
            _DELIVERY.c.status == DeliveryStatus.WAITING.value,
            _DELIVERY.c.recipient == recipient,
        )
        with self._database.read() as connection:
            count, since = connection.execute(query).one()
        return count, Millis(since or 0)

    def find(self, delivery_id: str) -> Delivery | None:
        """The message with that id."""
        found = self._list(_DELIVERY.c.id == delivery_id, limit=1)
        return found[0] if found else None

    def about(self, handle: SubjectHandle) -> list[Delivery]:
        """What was, or is to be, told about one person."""
        return self._list(_DELIVERY.c.handle == handle)

    def subject_of(self, handle: SubjectHandle) -> str | None:
        """The app's id of the person, None once they are erased."""
        query = sa.select(_SUBJECT.c.subject).where(_SUBJECT.c.handle == handle)
        with self._database.read() as connection:
            return connection.scalar(query)

    def _list(
        self, *conditions: sa.ColumnElement[bool], limit: int | None = None
    ) -> list[Delivery]:
        query: sa.Select[Any] = (
            sa.select(*(_DELIVERY.c[name] for name in _COLUMNS))
            .where(*conditions)
            .order_by(_DELIVERY.c.due, _DELIVERY.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [_delivery(row) for row in connection.execute(query)]


def _values(delivery: Delivery) -> dict[str, Any]:
    values = {name: getattr(delivery, name) for name in _COLUMNS}
    return values | {"status": delivery.status.value}


def _delivery(row: Sequence[Any]) -> Delivery:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["status"] = DeliveryStatus(values["status"])
    values["body"] = blob(values["body"])
    return Delivery(**values)
