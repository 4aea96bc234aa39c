"""The SQL of each kind of database, loaded where it is spoken and nowhere else."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING
from typing import Any

from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine import Dialect

__all__ = ["dialect_of", "insert_into"]

_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
_NAMED = {"sqlite": "named", "postgresql": "pyformat"}


@functools.cache
def dialect_of(name: str) -> Dialect:
    """What compiles for that kind of database, with values by their names."""
    dialect: Any = make_url(f"{_DRIVERS[name]}://").get_dialect()
    found: Dialect = dialect(paramstyle=_NAMED[name])
    return found


def insert_into(table: sa.Table, name: str) -> Any:
    """An insertion that can say what to do where the key of its row stands already."""
    # That of PostgreSQL takes longer to load than most of SQLAlchemy.
    if name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415

        return insert(table)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415

    return sqlite.insert(table)
