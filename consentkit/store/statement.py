"""A Core statement, compiled once and handed to the driver ever after.

To look a statement up, bind its names and wrap its result takes SQLAlchemy several
times as long as SQLite takes to run it, and one act is nine of them. What Core is
good for is kept: names are checked against the tables, its compiler writes the text.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeAlias

from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["Row", "Statement"]

Row: TypeAlias = tuple[Any, ...]

_DIALECT = sqlite.dialect(paramstyle="named")


class Statement:
    """SQL with named values; an insertion takes the ``columns`` that it fills."""

    def __init__(self, clause: sa.ClauseElement, *columns: str) -> None:
        self._clause = clause
        self._columns = columns

    @functools.cached_property
    def _text(self) -> str:
        columns = list(self._columns) or None
        return str(self._clause.compile(dialect=_DIALECT, column_keys=columns))

    def run(self, connection: sa.Connection, **values: object) -> None:
        """Execute what returns no rows.

        Raises what the driver raises; ``Database`` translates that at its door.
        """
        self._execute(connection, values)

    def rows(self, connection: sa.Connection, **values: object) -> list[Row]:
        """Execute it and fetch all there is: a half-read cursor would hold a snapshot.

        Raises what the driver raises; ``Database`` translates that at its door.
        """
        found: list[Row] = self._execute(connection, values).fetchall()
        return found

    def scalar(self, connection: sa.Connection, **values: object) -> Any:
        """The first column of the first row, None if there is no row."""
        found = self.rows(connection, **values)
        return found[0][0] if found else None

    def _execute(self, connection: sa.Connection, values: dict[str, object]) -> Any:
        driver: Any = connection.connection.driver_connection
        return driver.execute(self._text, values)
