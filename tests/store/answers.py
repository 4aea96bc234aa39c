"""Rows of the state table, put there by SQL as another process might."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from tests.postgres_server import on_postgres

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["GIVEN", "SCOPE", "put", "run", "withdraw"]

SCOPE = "5" * 64
GIVEN = "given"


def run(place: Path | str, statement: str, *values: object) -> None:
    """One statement, in an SQLite file or at the URI of a PostgreSQL database."""
    if isinstance(place, str):
        on_postgres(place, statement, *values)
        return
    with closing(sqlite3.connect(place, timeout=30)) as connection, connection:
        connection.execute(statement, values)


def put(
    place: Path | str,
    subject: str,
    purpose: str,
    recipient: str,
    *,
    state: str = GIVEN,
) -> None:
    """One standing answer, a grant of two categories unless told otherwise."""
    columns = ("city spending", 2_000, SCOPE, "session", "1" * 32, 1_000, "2" * 64)
    run(
        place,
        "INSERT INTO consent_state (subject, purpose, recipient, state, data, "
        "until, scope, assurance, record, since, notice) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(subject, purpose, recipient, state, *columns),
    )


def withdraw(place: Path | str, subject: str, purpose: str, recipient: str) -> None:
    """End an answer, to be called in another process."""
    run(
        place,
        "UPDATE consent_state SET state = 'withdrawn' "
        "WHERE (subject, purpose, recipient) = (?, ?, ?)",
        *(subject, purpose, recipient),
    )
