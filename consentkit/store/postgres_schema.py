"""Where our tables lie on PostgreSQL: looked up once, and named from then on.

Behind a pooler a transaction may meet a session on which somebody has said ``SET
search_path``, or has left a temporary table that is called like one of ours. So a
session is not asked what our names mean: what it was started with is, and that is what
the role and the database are set to, whatever was said on it since.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Home", "Place", "prefix_of"]

_AS_STARTED = """
SELECT pg_catalog.set_config('search_path', reset_val, true)
FROM pg_catalog.pg_settings WHERE name = 'search_path'
"""
_LOOK = """
SELECT space.nspname, pg_catalog.current_setting('search_path'), found.oid IS NOT NULL
FROM pg_catalog.unnest(pg_catalog.current_schemas(false))
    WITH ORDINALITY AS path (name, number)
JOIN pg_catalog.pg_namespace AS space ON space.nspname = path.name
LEFT JOIN pg_catalog.pg_class AS found
    ON found.relnamespace = space.oid AND found.relname = 'consent_state'
WHERE space.oid <> pg_catalog.pg_my_temp_schema()
ORDER BY found.oid IS NULL, path.number LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A schema, and the ``path`` by which a transaction finds it before all others.

    What else the role looks through comes after it, for what the app writes within an
    act, and last what is temporary.
    """

    schema: str
    path: str


class Home:
    """The place of our tables in one database."""

    def __init__(self) -> None:
        self._settled: Place | None = None

    def find(self, connection: Any) -> Place | None:
        """The place, by a connection of psycopg if it has to be looked up.

        None where it cannot be told: then our names mean what the session says. Before
        there are tables it is where they will be made.

        Raises what the driver raises when the database cannot be reached.
        """
        return self._settled or self._looked_up(connection)

    def _looked_up(self, connection: Any) -> Place | None:
        from psycopg import Error  # noqa: PLC0415  an extra

        try:
            with connection.transaction():
                connection.execute(_AS_STARTED, prepare=False)
                row = connection.execute(_LOOK, prepare=False).fetchone()
        except Error as error:
            if error.sqlstate is None or connection.closed:
                raise
            return None  # some that speak PostgreSQL's language have no such tables
        if row is None:
            return None
        schema, path, is_there = row
        parts = filter(None, [_quoted(schema), path, "pg_temp"])
        place = Place(schema, ", ".join(parts))
        if is_there:
            self._settled = place
        return place


def prefix_of(place: Place | None) -> str:
    """What is written before the name of each of our tables: its schema, if known."""
    return f"{_quoted(place.schema)}." if place else ""


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
