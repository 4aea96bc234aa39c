"""Which yes a person was reminded of before it ended: of each one once."""

from __future__ import annotations

from typing import Any
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite

from consentkit.store import schema

__all__ = ["Reminder", "list_reminders", "note_reminder"]


def _note(insertion: Any) -> sa.Insert:
    note: sa.Insert = insertion.on_conflict_do_update(
        index_elements=list(schema.reminder.primary_key),
        set_={"record": insertion.excluded.record},
        where=schema.reminder.c.record != insertion.excluded.record,
    )
    # Of an insertion SQLAlchemy forgets it, where the driver has more to say.
    return note.execution_options(preserve_rowcount=True)


# Each dialect compiles its own alone.
_NOTE = {
    "sqlite": _note(sqlite.insert(schema.reminder)),
    "postgresql": _note(postgresql.insert(schema.reminder)),
}


def note_reminder(
    connection: sa.Connection, subject: str, key: tuple[str, str], record: str
) -> bool:
    """Note that the person is reminded of that yes; False if they were before."""
    purpose, recipient = key
    row = {
        "subject": subject,
        "purpose": purpose,
        "recipient": recipient,
        "record": record,
    }
    note = _NOTE[connection.dialect.name]
    return connection.execute(note, row).rowcount > 0


class Reminder(NamedTuple):
    """That the person was reminded of the yes which that record gave."""

    purpose: str
    recipient: str
    record: str


def list_reminders(connection: sa.Connection, subject: str) -> list[Reminder]:
    """What one person was reminded of, the last time for each question."""
    columns = [schema.reminder.c[name] for name in Reminder._fields]
    query = (
        sa.select(*columns)
        .where(schema.reminder.c.subject == subject)
        .order_by(*columns)
    )
    return [Reminder(*row) for row in connection.execute(query)]
