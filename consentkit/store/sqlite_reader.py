"""The hot read behind every check: one prepared statement on a held connection.

No decision is cached. Each thread of each process holds a driver connection of its
own in autocommit, so no older snapshot can stand between a check and the newest
commit; every read is fetched to its end, since a half-read cursor would hold one.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING

from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless
from consentkit.store import standings
from consentkit.store.rows import STATUS_COLUMNS
from consentkit.store.rows import standing_from

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from consentkit.core.decision import Standing
    from consentkit.store.standings import Key
    from consentkit.store.statement import Row

__all__ = ["SqliteReader"]

_STATE = ", ".join(f"state.{name}" for name in STATUS_COLUMNS)
_TRANSFER = ", ".join(f"transfer.{name}" for name in STATUS_COLUMNS)


def _query(*, abroad: bool) -> str:
    """The statement for one key; abroad with the transfer.

    One statement, so that all of it held at one instant; always one row, so that a
    suspension is seen whoever is asked about. The few suspensions are read through: to
    search an index for them, SQLite would build a table of each IN, at every check.
    Marks without numbers: Python 3.12 takes ``?1`` for a name, and warns at each read.
    """
    transfer = joined = ""
    if abroad:
        transfer = f", {_TRANSFER}"
        joined = """LEFT JOIN consent_state AS transfer
    ON transfer.subject = ? AND transfer.purpose = ? AND transfer.recipient = ?
"""
    return f"""
SELECT {_STATE}, EXISTS (
    SELECT 1 FROM consent_suspension NOT INDEXED
    WHERE purpose IN ('', ?) AND recipient IN ('', ?)
) AS suspended, (
    SELECT at FROM consent_coming_of_age WHERE subject = ?
) AS of_age{transfer} FROM (SELECT 1) LEFT JOIN consent_state AS state
    ON state.subject = ? AND state.purpose = ? AND state.recipient = ?
{joined}"""  # noqa: S608  names of columns, constants of this room


_AT_HOME, _ABROAD = _query(abroad=False), _query(abroad=True)
# Connections of a parent process: they must not even be closed after a fork.
_INHERITED: list[sqlite3.Connection] = []
_NO_TEXT = object()
# Seconds after which to look whether the path still leads to the file that is open: a
# connection goes on reading one that was deleted, or put back from a backup. That takes
# a system call, a tenth of a check.
_LOOK_EVERY = 0.05
_EPOCH = 2**32  # above every process id


class _Connection(sqlite3.Connection):
    """Closed with the thread that held it, by the process that opened it alone."""

    opened_by = 0

    def __del__(self) -> None:
        if self.opened_by == os.getpid():
            self.close()
        else:
            _INHERITED.append(self)


class _Held(threading.local):
    """What one thread holds: a cursor, and what opened it: process and epoch."""

    # One attribute, not two: to reach one of a thread takes as long as the rule.
    opened: tuple[int, sqlite3.Cursor | None] = (0, None)


class SqliteReader:
    """Reads what a decision rests on, from one SQLite file (a ``Reader``).

    Fork- and thread-safe: a connection is opened by, and used in, one thread of one
    process only.
    """

    def __init__(self, path: Path, *, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._held = _Held()
        self._file = (0, 0)
        self._epoch = 0
        self._look_at = 0.0

    def standing(
        self, subject: str, purpose: str, recipient: str, transfer: str = ""
    ) -> Standing:
        """See ``Reader.standing``."""
        query = _AT_HOME
        key: tuple[str, ...]
        key = purpose, recipient, subject, subject, purpose, recipient
        if transfer:
            query, key = _ABROAD, (*key, subject, transfer, recipient)
        by, cursor = self._held.opened
        try:
            if time.monotonic() > self._look_at:
                self._look()
            if by != os.getpid() + self._epoch or cursor is None:
                cursor = self._open()
            (row,) = cursor.execute(query, key).fetchall()
        except (OSError, sqlite3.Error, ValueError) as error:  # text that is no UTF-8
            self.close()
            raise LogUnavailableError(
                f"the consent database cannot be read ({type(error).__name__})"
            ) from wordless(error)
        return standing_from(row)

    def standings(self, keys: Sequence[Key]) -> list[Standing | None]:
        """See ``Reader.standings``: one statement for every thousand."""
        found: list[Standing | None] = []
        for first in range(0, len(keys), standings.KEYS_AT_ONCE):
            some = keys[first : first + standings.KEYS_AT_ONCE]
            columns = standings.columns_of(some)
            query = standings.sqlite_query(len(some), columns)
            rows = self._rows(query, [each for key in some for each in key[:columns]])
            found += standings.found_in(rows, len(some))
        return found

    def _rows(self, query: str, values: Sequence[str]) -> list[Row]:
        by, cursor = self._held.opened
        try:
            self._look()
            if by != os.getpid() + self._epoch or cursor is None:
                cursor = self._open()
            try:
                return cursor.execute(query, values).fetchall()
            except sqlite3.OperationalError as error:
                if hasattr(error, "sqlite_errorcode"):  # of SQLite, not of its driver
                    raise
                return _whole_rows(cursor.execute(query, values))
        except (OSError, sqlite3.Error, ValueError) as error:
            self.close()
            raise LogUnavailableError(
                f"the consent database cannot be read ({type(error).__name__})"
            ) from wordless(error)

    def close(self) -> None:
        """Close this thread's connection; the next read opens a new one."""
        by, cursor = self._held.opened
        if cursor is not None and by % _EPOCH == os.getpid():
            cursor.connection.close()
        elif cursor is not None:
            _INHERITED.append(cursor.connection)
        self._held.opened = 0, None

    def _open(self) -> sqlite3.Cursor:
        self.close()
        epoch = self._epoch  # of before: what is put in place meanwhile is looked at
        # mode=rw: a missing file is an error, never a new and empty database.
        connection = sqlite3.connect(
            f"{self._path.resolve().as_uri()}?mode=rw",
            uri=True,
            timeout=self._timeout,
            isolation_level=None,
            factory=_Connection,
            check_same_thread=False,  # closed by whoever lets go of it last
        )
        connection.opened_by = os.getpid()
        cursor = connection.cursor()
        self._held.opened = os.getpid() + epoch, cursor
        return cursor

    def _look(self) -> None:
        """Let every thread open the file anew if it is another one by now.

        Raises:
            OSError: there is none.
        """
        self._look_at = 0.0  # as long as there is none, look each time
        found = self._path.stat()
        if (found.st_dev, found.st_ino) != self._file:
            self._epoch += _EPOCH  # first: whoever sees the new file sees this, too
            self._file = found.st_dev, found.st_ino
        self._look_at = time.monotonic() + _LOOK_EVERY


def _whole_rows(cursor: sqlite3.Cursor) -> list[Row]:
    """The rows but those with text that is no UTF-8, which would spoil all others."""
    cursor.connection.text_factory = _text
    try:
        return [row for row in cursor.fetchall() if _NO_TEXT not in row]
    finally:
        cursor.connection.text_factory = str


def _text(stored: bytes) -> object:
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return _NO_TEXT
