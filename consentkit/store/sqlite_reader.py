"""The hot read behind every check: one prepared statement on a held connection.

No decision is cached. Each thread of each process holds a driver connection of its
own in autocommit, so no older snapshot can stand between a check and the newest
commit; every read is fetched to its end, since a half-read cursor would hold one.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from typing import TYPE_CHECKING

from consentkit.core.decision import Standing
from consentkit.errors import LogUnavailableError
from consentkit.store.rows import STATUS_COLUMNS
from consentkit.store.rows import moment_from
from consentkit.store.rows import status_from

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SqliteReader"]

_STATE = ", ".join(f"state.{name}" for name in STATUS_COLUMNS)
_TRANSFER = ", ".join(f"transfer.{name}" for name in STATUS_COLUMNS)
# One statement, so that all of it held at one instant; always one row, so that a
# suspension is seen whoever is asked about. The few suspensions are read through:
# to search an index for them, SQLite would build a table of each IN, at every check.
_READ = f"""
SELECT {_STATE}, EXISTS (
    SELECT 1 FROM consent_suspension NOT INDEXED
    WHERE purpose IN ('', ?2) AND recipient IN ('', ?3)
) AS suspended, (
    SELECT at FROM consent_coming_of_age WHERE subject = ?1
) AS of_age FROM (SELECT 1) LEFT JOIN consent_state AS state
    ON state.subject = ?1 AND state.purpose = ?2 AND state.recipient = ?3
"""  # noqa: S608  names of columns, constants of this room
_READ_ABROAD = (
    _READ.replace("AS of_age", f"AS of_age, {_TRANSFER}")
    + """LEFT JOIN consent_state AS transfer
    ON transfer.subject = ?1 AND transfer.purpose = ?4 AND transfer.recipient = ?3
"""
)
_SUSPENDED = len(STATUS_COLUMNS)
_OF_AGE = _SUSPENDED + 1
# Cursors of a parent process: their connections must not even be closed after a fork.
_INHERITED: list[sqlite3.Cursor] = []


class _Held(threading.local):
    """What one thread holds: a cursor that the process ``pid`` opened, 0 for none."""

    pid = 0
    cursor: sqlite3.Cursor


class SqliteReader:
    """Reads what a decision rests on, from one SQLite file (a ``Reader``).

    Fork- and thread-safe: a connection is opened by, and used in, one thread of one
    process only.
    """

    def __init__(self, path: Path, *, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._held = _Held()

    def standing(
        self, subject: str, purpose: str, recipient: str, transfer: str = ""
    ) -> Standing:
        """See ``Reader.standing``."""
        query: str = _READ
        key: tuple[str, ...] = (subject, purpose, recipient)
        if transfer:
            query, key = _READ_ABROAD, (*key, transfer)
        held = self._held
        try:
            if held.pid != os.getpid():
                self._open()
            (row,) = held.cursor.execute(query, key).fetchall()
        except (sqlite3.Error, ValueError) as error:  # text that is no UTF-8
            self.close()
            raise LogUnavailableError(
                f"the consent database cannot be read ({type(error).__name__})"
            ) from error
        abroad = row[_OF_AGE + 1 :]
        return Standing(
            None if row[0] is None else status_from(row),
            status_from(abroad) if abroad and abroad[0] is not None else None,
            bool(row[_SUSPENDED]),
            of_age=moment_from(row[_OF_AGE]),
        )

    def close(self) -> None:
        """Close this thread's connection; the next read opens a new one."""
        held = self._held
        if held.pid == os.getpid():
            held.cursor.connection.close()
        elif held.pid:
            _INHERITED.append(held.cursor)
        held.pid = 0

    def _open(self) -> None:
        self.close()
        # mode=rw: a missing file is an error, never a new and empty database.
        connection = sqlite3.connect(
            f"{self._path.resolve().as_uri()}?mode=rw",
            uri=True,
            timeout=self._timeout,
            isolation_level=None,
        )
        self._held.cursor = connection.cursor()
        self._held.pid = os.getpid()
