"""A Core statement, compiled once and handed to the driver ever after.

To look a statement up, bind its names and wrap its result takes SQLAlchemy several
times as long as SQLite takes to run it, and one act is nine of them. What Core is
good for is kept: names are checked against the tables, its compiler writes the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from typing import TypeAlias

from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping

    import sqlalchemy as sa
    from sqlalchemy.engine import Dialect

__all__ = ["Row", "Statement", "Upsert"]

Row: TypeAlias = tuple[Any, ...]

_POSTGRES: Any = psycopg.dialect  # without annotations in SQLAlchemy
_DIALECTS: Mapping[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="named"),
    "postgresql": _POSTGRES(paramstyle="pyformat"),
}
_INSERTS: Mapping[str, Callable[[sa.Table], Any]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


class Statement:
    """SQL with named values; an insertion takes the ``columns`` that it fills."""

    def __init__(self, clause: sa.ClauseElement, *columns: str) -> None:
        self._clause = clause
        self._columns = columns
        self._texts: dict[tuple[str, str | None], str] = {}

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
        schemas = connection.get_execution_options().get("schema_translate_map")
        key = connection.dialect.name, schemas[None] if schemas else None
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = self._compiled(*key)
        driver: Any = connection.connection.driver_connection
        return driver.execute(text, values)

    def _compiled(self, dialect: str, schema: str | None) -> str:
        columns = list(self._columns) or None
        clause = self._spelled(dialect)
        placed: Any = {}
        if schema is not None:
            placed = {
                "schema_translate_map": {None: schema},
                "render_schema_translate": True,
            }
        return str(
            clause.compile(dialect=_DIALECTS[dialect], column_keys=columns, **placed)
        )

    def _spelled(self, _dialect: str) -> sa.ClauseElement:
        return self._clause


class Upsert(Statement):
    """Put a row in, or where its key stands already, set ``columns`` of that row.

    Without ``columns`` that row is left as it is.
    """

    def __init__(self, table: sa.Table, *columns: str) -> None:
        super().__init__(table)
        self._table = table
        self._set = columns

    def _spelled(self, dialect: str) -> sa.ClauseElement:
        insertion = _INSERTS[dialect](self._table)
        if not self._set:
            nothing: sa.ClauseElement = insertion.on_conflict_do_nothing()
            return nothing
        clause: sa.ClauseElement = insertion.on_conflict_do_update(
            index_elements=list(self._table.primary_key),
            set_={name: insertion.excluded[name] for name in self._set},
        )
        return clause
