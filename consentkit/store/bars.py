"""Which lines of the disclosure table their person must not see yet, and until when.

A court may forbid to tell somebody that their data was released. Such a line is listed
for the person once the bar has ended, and for auditors from the start.
"""

from __future__ import annotations

import sqlalchemy as sa

from consentkit.core.act import Millis
from consentkit.store import schema

__all__ = ["add_bar", "find_bars", "not_barred"]

_BAR, _DISCLOSURE = schema.bar, schema.disclosure


def add_bar(connection: sa.Connection, leaf_id: str, until: Millis) -> None:
    """Keep the line of that leaf from its person until then."""
    connection.execute(sa.insert(_BAR).values(id=leaf_id, until=until))


def find_bars(connection: sa.Connection) -> dict[str, Millis]:
    """Every bar there is, by the leaf whose line it keeps back, ended or not."""
    rows = connection.execute(sa.select(_BAR.c.id, _BAR.c.until)).all()
    return {row[0]: row[1] for row in rows}


def not_barred(now: Millis) -> sa.ColumnElement[bool]:
    """The condition on lines of the disclosure table that may be shown at ``now``."""
    barred = sa.select(_BAR.c.id).where(
        _BAR.c.id == _DISCLOSURE.c.id, _BAR.c.until > now
    )
    return ~barred.exists()
