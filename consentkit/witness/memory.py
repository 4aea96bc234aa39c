"""What a witness must not forget: the newest tree of each log that it cosigned.

One SQLite file with its rollback journal, which no known version loses pages from.
Judging and storing happen under one write lock, so of two requests that continue the
same tree only one is answered with a cosignature, whichever process they reach.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless
from consentkit.log.merkle import EMPTY_ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["NOTHING_YET", "Memory", "Remembered"]

_BUSY_TIMEOUT = 10.0  # seconds; a turn is one signature and one commit
_VERSION = 1
_TABLES = """
CREATE TABLE newest (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL,
    note BLOB NOT NULL, time INTEGER NOT NULL);
CREATE TABLE contradiction (
    origin TEXT PRIMARY KEY, ours BLOB NOT NULL, theirs BLOB NOT NULL,
    time INTEGER NOT NULL);
CREATE TABLE identity (vkey TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Remembered:
    """The newest tree of one log; ``note`` is its checkpoint with the cosignature."""

    size: int
    root: bytes
    note: bytes


NOTHING_YET = Remembered(0, EMPTY_ROOT, b"")
"""What a witness knows of a log that it never cosigned."""


class Memory:
    """The witness's file, made if it is not there.

    Raises:
        ConfigurationError: the file is none of ours, or a newer consentkit's.
        LogUnavailableError: it cannot be read or written.
    """

    def __init__(self, file: Path) -> None:
        self._lock = threading.Lock()
        with _translated():
            self._connection = sqlite3.connect(
                file,
                timeout=_BUSY_TIMEOUT,
                isolation_level=None,  # BEGIN and COMMIT stand below, in words
                check_same_thread=False,  # one at a time, see the lock
            )
            self._connection.execute("PRAGMA journal_mode=DELETE")
            # More than FULL: the journal's end is on the disk too when a commit
            # returns, so that a power cut cannot undo what was answered already.
            self._connection.execute("PRAGMA synchronous=EXTRA")
        with self.turn():
            self._make_tables()

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Nobody else reads or writes until the end; what was kept is durable then.

        An error within leaves everything as it was.

        Raises:
            LogUnavailableError: the file cannot be read or written.
        """
        with self._lock, _translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def newest(self, origin: str) -> Remembered:
        """The newest tree of that log. Only within a turn."""
        row = self._connection.execute(
            "SELECT size, root, note FROM newest WHERE origin = ?", (origin,)
        ).fetchone()
        return Remembered(*row) if row else NOTHING_YET

    def keep(self, origin: str, tree: Remembered, *, time: int) -> None:
        """Replace the newest tree of that log. Only within a turn."""
        self._connection.execute(
            "INSERT OR REPLACE INTO newest VALUES (?, ?, ?, ?, ?)",
            (origin, tree.size, tree.root, tree.note, time),
        )

    def keep_contradiction(
        self, origin: str, ours: bytes, theirs: bytes, *, time: int
    ) -> bool:
        """Keep two signed roots of one size; False if a pair of that log is there.

        One pair convicts; more would only let the log fill our disk. Within a turn.
        """
        done = self._connection.execute(
            "INSERT OR IGNORE INTO contradiction VALUES (?, ?, ?, ?)",
            (origin, ours, theirs, time),
        )
        return done.rowcount == 1

    def vkey(self) -> str | None:
        """The verifier key of the witness whose memory this is. Within a turn."""
        row = self._connection.execute("SELECT vkey FROM identity").fetchone()
        return str(row[0]) if row else None

    def settle(self, vkey: str) -> None:
        """Keep whose memory this is, once and for all. Only within a turn."""
        self._connection.execute("INSERT INTO identity VALUES (?)", (vkey,))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _make_tables(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version == _VERSION:
            return
        (tables,) = self._connection.execute(
            "SELECT count(*) FROM sqlite_master"
        ).fetchone()
        if version or tables:
            raise ConfigurationError(
                f"expected a witness's state of version {_VERSION}, got version "
                f"{version} with {tables} tables: give --state a folder of its own"
            )
        for statement in _TABLES.split(";"):
            self._connection.execute(statement)
        self._connection.execute(f"PRAGMA user_version = {_VERSION}")


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Let no exception of the driver out of here."""
    try:
        yield
    except sqlite3.Error as error:
        raise LogUnavailableError(
            f"the witness's memory did not answer ({type(error).__name__}); check that "
            "its file can be written, is whole and is not locked"
        ) from wordless(error)
