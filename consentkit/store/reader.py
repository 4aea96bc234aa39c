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
from typing import Any

from consentkit.core.decision import Standing
from consentkit.errors import LogUnavailableError
from consentkit.store.database import BUSY_TIMEOUT
from consentkit.store.rows import STATUS_COLUMNS
from consentkit.store.rows import status_from

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SqliteReader"]

_READ = f"""
SELECT {", ".join(STATUS_COLUMNS)}, EXISTS (
    SELECT 1 FROM consent_suspension
    WHERE purpose IN ('', ?2) AND recipient IN ('', ?3)
) FROM consent_state WHERE subject = ?1 AND purpose = ?2 AND recipient = ?3
"""  # noqa: S608  names of columns, constants of this room
_SUSPENDED = len(STATUS_COLUMNS)


class SqliteReader:
    """Reads what a decision rests on, from one SQLite file.

    Fork- and thread-safe: a connection is opened by, and used in, one thread of one
    process only.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()

    def standing(
        self, subject: str, purpose: str, recipient: str, transfer: str = ""
    ) -> Standing:
        """What the store says at this instant about one (subject, purpose, recipient).

        ``transfer`` is the purpose id of the separate cross-border question, empty
        when there is none.

        Raises:
            LogUnavailableError: the file cannot be read, or a row in it is corrupt.
        """
        try:
            row = self._one(subject, purpose, recipient)
            abroad = self._one(subject, transfer, recipient) if transfer else None
            if row is None:
                return Standing()
            return Standing(
                status=status_from(row),
                transfer=status_from(abroad) if abroad else None,
                suspended=bool(row[_SUSPENDED]),
            )
        except (
            sqlite3.Error,
            KeyError,
            ValueError,
            TypeError,
            AttributeError,
        ) as error:
            self.close()
            raise LogUnavailableError(
                f"the consent database cannot be read ({type(error).__name__})"
            ) from error

    def close(self) -> None:
        """Close this thread's connection; the next read opens a new one."""
        connection = getattr(self._local, "connection", None)
        if connection is not None and self._local.pid == os.getpid():
            connection.close()
        self._local.connection = None

    def _one(
        self, subject: str, purpose: str, recipient: str
    ) -> tuple[Any, ...] | None:
        local = self._local
        connection = getattr(local, "connection", None)
        if connection is None or local.pid != os.getpid():
            connection = self._connect()
        rows: list[tuple[Any, ...]] = connection.execute(
            _READ, (subject, purpose, recipient)
        ).fetchall()
        return rows[0] if rows else None

    def _connect(self) -> sqlite3.Connection:
        # mode=rw: a missing file is an error, never a new and empty database.
        connection = sqlite3.connect(
            f"{self._path.resolve().as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_TIMEOUT,
            isolation_level=None,
        )
        self._local.connection = connection
        self._local.pid = os.getpid()
        return connection
