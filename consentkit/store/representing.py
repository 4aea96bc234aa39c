"""Who answers for somebody else: when children come of age, and delegations.

All of it is private: no row here gets into the log, and all go with the person.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.core.act import Millis
from consentkit.store import schema
from consentkit.store.rows import moment_from
from consentkit.store.statement import Statement
from consentkit.store.statement import Upsert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consentkit.store.database import Database

__all__ = ["Delegation", "Representations", "Represented"]

_AGE, _DELEGATION = schema.coming_of_age, schema.delegation
_FIND_AGE = Statement(
    sa.select(_AGE.c.at).where(_AGE.c.subject == sa.bindparam("subject"))
)
_SET_AGE = Upsert(_AGE, "at")
_OF_SUBJECT = sa.select(_DELEGATION).where(
    _DELEGATION.c.subject == sa.bindparam("subject")
)
_DELEGATIONS = Statement(_OF_SUBJECT.order_by(_DELEGATION.c.since, _DELEGATION.c.id))
_DELEGATE = Statement(sa.insert(_DELEGATION))
_END = Statement(
    sa.update(_DELEGATION)
    .where(
        _DELEGATION.c.subject == sa.bindparam("of_subject"),
        _DELEGATION.c.id == sa.bindparam("which"),
        _DELEGATION.c.ended.is_(None),
    )
    .values(ended=sa.bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Delegation:
    """That ``subject`` lets ``delegate`` answer for them, about some purposes.

    ``until`` is the first instant at which it no longer holds; ``ended`` is when the
    person took it back, None if they did not.
    """

    id: str
    subject: str
    delegate: str
    label: str
    purposes: tuple[str, ...]
    since: Millis
    until: Millis
    ended: Millis | None = None

    def holds(self, now: Millis) -> bool:
        """Whether the delegate may act on it at ``now``."""
        return self.ended is None and now < self.until


class Represented:
    """What one write transaction notes about who answers for one person."""

    def __init__(self, connection: sa.Connection, subject: str) -> None:
        self._connection = connection
        self._subject = subject

    @property
    def subject(self) -> str:
        """The person it is about."""
        return self._subject

    def of_age(self) -> Millis | None:
        """When the person comes of age, None if nobody ever answered for them."""
        return moment_from(_FIND_AGE.scalar(self._connection, subject=self._subject))

    def set_of_age(self, at: Millis) -> None:
        """Note when the person comes of age."""
        _SET_AGE.run(self._connection, subject=self._subject, at=at)

    def delegations(self) -> list[Delegation]:
        """Every delegation that the person gave, oldest first."""
        rows = _DELEGATIONS.rows(self._connection, subject=self._subject)
        return [_delegation(row) for row in rows]

    def add_delegation(self, delegation: Delegation) -> None:
        """Keep a delegation of this person."""
        _DELEGATE.run(
            self._connection,
            id=delegation.id,
            subject=self._subject,
            delegate=delegation.delegate,
            label=delegation.label,
            purposes=" ".join(delegation.purposes),
            since=delegation.since,
            until=delegation.until,
            ended=delegation.ended,
        )

    def end_delegation(self, delegation_id: str, now: Millis) -> None:
        """Note that the person took a delegation back; the first time counts."""
        _END.run(
            self._connection, of_subject=self._subject, which=delegation_id, now=now
        )


class Representations:
    """Reads of who answers for whom, each seeing the newest commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_age(self, subject: str) -> Millis | None:
        """When the person comes of age, None if nobody ever answered for them."""
        with self._database.read() as connection:
            return Represented(connection, subject).of_age()

    def delegations(self, subject: str) -> list[Delegation]:
        """Every delegation that the person gave, oldest first."""
        with self._database.read() as connection:
            return Represented(connection, subject).delegations()


def _delegation(row: Sequence[Any]) -> Delegation:
    return Delegation(
        id=row[0],
        subject=row[1],
        delegate=row[2],
        label=row[3],
        purposes=tuple(row[4].split()),
        since=Millis(row[5]),
        until=Millis(row[6]),
        ended=moment_from(row[7]),
    )
