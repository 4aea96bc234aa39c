"""Which yes a person was reminded of before it ended: of each one once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.dialects import sqlite

from consentkit.store import schema

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["note_reminder"]

_NEW = sqlite.insert(schema.reminder)
_NOTE = _NEW.on_conflict_do_update(
    index_elements=list(schema.reminder.primary_key),
    set_={"record": _NEW.excluded.record},
    where=schema.reminder.c.record != _NEW.excluded.record,
)


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
    return connection.execute(_NOTE, row).rowcount > 0
