"""Who received one person's data: a page of the list, a part of it, or all of it.

What a court forbids to tell them is not in it until ``now`` is past the bar's end.
The list of somebody whose data is shared every day grows by thousands a year: whatever
wants all of it gets it row by row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.core.act import Millis
from consentkit.store.history import DisclosureRow
from consentkit.store.lines import lines_about

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from consentkit.store.database import Database

__all__ = ["Disclosures"]

_COLUMNS = tuple(DisclosureRow.__dataclass_fields__)
_PAGE = 500  # rows read at a time: some 200 kB


class Disclosures:
    """Reads of the list, each page seeing the newest commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        subject: str,
        *,
        now: Millis,
        recipient: str = "",
        limit: int,
        offset: int = 0,
    ) -> tuple[list[DisclosureRow], int]:
        """A page of what is meant, newest first, and how many there are of it.

        Without ``recipient`` everything about the person is meant, refused attempts
        included.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        lines = lines_about(subject, now=now)
        meant = [lines.c.recipient == recipient] if recipient else []
        count = sa.select(sa.func.count()).select_from(lines).where(*meant)
        with self._database.read() as connection:
            total = connection.scalar(count) or 0
            rows = connection.execute(
                _list(lines, *meant).limit(limit).offset(offset)
            ).all()
        return [_row(each) for each in rows], total

    def recipients(self, subject: str, *, now: Millis) -> list[str]:
        """The ids of all that the list names.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        found = lines_about(subject, now=now).c.recipient
        query = sa.select(found).distinct().order_by(found)
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def all(self, subject: str, *, now: Millis) -> Iterator[DisclosureRow]:
        """Every share and every refused attempt, newest first.

        Raises (on iterating):
            LogUnavailableError: the database cannot be reached.
        """
        # From where the last page ended, not by counting rows: what is shared
        # meanwhile comes on top and must not make a row appear twice.
        lines = lines_about(subject, now=now)
        rest: tuple[sa.ColumnElement[bool], ...] = ()
        while True:
            with self._database.read() as connection:
                rows = connection.execute(_list(lines, *rest).limit(_PAGE)).all()
            yield from map(_row, rows)
            if len(rows) < _PAGE:
                return
            rest = (_after(lines, _row(rows[-1])),)


def _list(lines: sa.Subquery, *meant: sa.ColumnElement[bool]) -> sa.Select[Any]:
    columns = (lines.c[name] for name in _COLUMNS)
    return sa.select(*columns).where(*meant).order_by(lines.c.time.desc(), lines.c.id)


def _after(lines: sa.Subquery, last: DisclosureRow) -> sa.ColumnElement[bool]:
    return sa.or_(
        lines.c.time < last.time,
        sa.and_(lines.c.time == last.time, lines.c.id > last.id),
    )


def _row(row: Sequence[Any]) -> DisclosureRow:
    values = dict(zip(DisclosureRow.__dataclass_fields__, row, strict=True))
    return DisclosureRow(
        **{
            **values,
            "time": Millis(values["time"]),
            "data": tuple(values["data"].split()),
        }
    )
