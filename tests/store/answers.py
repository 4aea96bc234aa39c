"""Rows of the state table, put there by SQL as another process might."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["GIVEN", "SCOPE", "put", "withdraw"]

SCOPE = "5" * 64
GIVEN = "given"


def put(
    file: Path, subject: str, purpose: str, recipient: str, *, state: str = GIVEN
) -> None:
    """One standing answer, a grant of two categories unless told otherwise."""
    columns = ("city spending", 2_000, SCOPE, "session", "1" * 32, 1_000, "2" * 64)
    with closing(sqlite3.connect(file, timeout=30)) as connection, connection:
        connection.execute(
            "INSERT INTO consent_state (subject, purpose, recipient, state, data, "
            "until, scope, assurance, record, since, notice) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (subject, purpose, recipient, state, *columns),
        )


def withdraw(file: Path, subject: str, purpose: str, recipient: str) -> None:
    """End an answer, to be called in another process."""
    with closing(sqlite3.connect(file, timeout=30)) as connection, connection:
        connection.execute(
            "UPDATE consent_state SET state = 'withdrawn' "
            "WHERE (subject, purpose, recipient) = (?, ?, ?)",
            (subject, purpose, recipient),
        )
