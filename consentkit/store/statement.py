"""A Core statement, compiled once and handed to the driver ever after.

To look a statement up, bind its names and wrap its result takes SQLAlchemy several
times as long as SQLite takes to run it, and one act is nine of them. What Core is
good for is kept: names are checked against the tables, its compiler writes the text.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING
from typing import Any

from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    import sqlite3

    import sqlalchemy as sa

__all__ = ["Statement"]

_DIALECT = sqlite.dialect(paramstyle="named")  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it so


class Statement:
    """SQL with named values; an insertion takes the ``columns`` that it fills."""

    def __init__(self, clause: sa.ClauseElement, *columns: str) -> None:
        self._clause = clause
        self._columns = columns

    @functools.cached_property
    def _text(self) -> str:
        columns = list(self._columns) or None
        return str(self._clause.compile(dialect=_DIALECT, column_keys=columns))

    def run(self, connection: sa.Connection, **values: object) -> sqlite3.Cursor:
        """Execute it in whatever transaction the connection is in.

        Rows are plain tuples. Raises what the driver raises: see ``Database``, whose
        connections come with the translation of it.
        """
        driver: Any = connection.connection.driver_connection
        cursor: sqlite3.Cursor = driver.execute(self._text, values)
        return cursor
