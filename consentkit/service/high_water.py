"""How far the log has come, by what does not forget together with the database.

A database that was put back from a backup does not know what was signed since. Were it
to go on, the log's key would sign a second tree beside the one that people hold
receipts of, and nobody could tell that from fraud. So before each signature every tree
that the log is known to have been must be what the next one begins with: that of the
high-water file, that of the published checkpoint, and the size that witnesses know.

The high-water file holds the checkpoint that was signed last. It is on the disk before
that checkpoint is committed, let alone shown: a crash in between leaves a file that is
ahead by leaves which still wait, in the same order (``docs/adr/0010``).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.errors import MalformedError
from consentkit.log.checkpoint import parse_checkpoint_text
from consentkit.log.note import split_note
from consentkit.service.background import locked
from consentkit.service.replacing import replace_file

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from consentkit.log.checkpoint import Checkpoint
    from consentkit.log.publisher import Prefixes

__all__ = ["SIGNED_NOTHING", "HighWater", "Mark", "Marks", "read_mark"]

SIGNED_NOTHING = (
    "nothing was signed or overwritten; an older copy of the database may have been "
    "put back: put back the newest one, or follow docs/recovery.md"
)
"""What every refusal ends with."""


@dataclass(frozen=True)
class Mark:
    """A tree that the log is known to have been, and who says so."""

    checkpoint: Checkpoint
    source: str


def read_mark(note: bytes, source: str, *, origin: str) -> Mark:
    """The tree that a checkpoint speaks of; signatures are not its matter.

    Whoever can write where it came from can stop the log in simpler ways, and a mark
    only ever says no.

    Raises:
        LogConflictError: it is no checkpoint of this log.
    """
    try:
        checkpoint = parse_checkpoint_text(split_note(note).text)
    except MalformedError as error:
        raise LogConflictError(
            f"{source} is no checkpoint, so that nobody can tell whether the database "
            f"is the newest ({error}): {SIGNED_NOTHING}"
        ) from error
    if checkpoint.origin != origin:
        raise LogConflictError(
            f"{source} is a checkpoint of {checkpoint.origin!r}, and this log is "
            f"{origin!r}: {SIGNED_NOTHING}"
        )
    return Mark(checkpoint, source)


@dataclass(frozen=True)
class Marks:
    """All that is known of how far the log has come.

    ``witness`` is the name of the one that knows the longest log, and ``witnessed``
    how long that is; which tree it is, a witness does not say.
    """

    trees: tuple[Mark, ...]
    witnessed: int = 0
    witness: str = ""

    @property
    def highest(self) -> int:
        """The size of the largest tree that is known."""
        return max((each.checkpoint.size for each in self.trees), default=0)

    def first_beyond(self, size: int) -> int:
        """The next size to sign: one that was signed before, 0 if there is none.

        What a crash cut short is done again as it was, before anything new is signed.
        """
        sizes = [each.checkpoint.size for each in self.trees]
        return min((each for each in sizes if each > size), default=0)

    def agree(self, size: int, newest: bytes | None) -> bool:
        """Whether all of them say what the database says, so that none need be checked.

        ``newest`` is its newest checkpoint, of that size.
        """
        return self.witnessed <= size and all(
            newest is not None and newest.startswith(each.checkpoint.text() + b"\n")
            for each in self.trees
        )

    def check(self, prefixes: Prefixes) -> None:
        """Let only a log go on that continues all of them.

        Raises:
            LogConflictError: the database holds fewer leaves, or others.
        """
        for mark in self.trees:
            _check(mark, prefixes)
        longest = max(prefixes.frontier.size, self.highest)
        if self.witnessed > longest:
            raise LogConflictError(
                f"witness {self.witness} has cosigned {self.witnessed} entries, but "
                f"the database has published {longest}: {SIGNED_NOTHING}",
                size=self.witnessed,
            )


def _check(mark: Mark, prefixes: Prefixes) -> None:
    size = mark.checkpoint.size
    try:
        root = prefixes.root(size)
    except (MalformedError, FileNotFoundError) as error:
        raise LogConflictError(
            f"the tiles of the first {size} entries are not in the database any more "
            f"({error}): {SIGNED_NOTHING}"
        ) from error
    if root is None:
        raise LogConflictError(
            f"by {mark.source} this log has had {size} entries, but the database does "
            f"not hold that many: {SIGNED_NOTHING}",
            size=size,
        )
    if root != mark.checkpoint.root:
        raise LogConflictError(
            f"the first {size} entries in the database are not those that "
            f"{mark.source} speaks of: {SIGNED_NOTHING}",
            size=size,
        )


class HighWater:
    """The file with the newest checkpoint that was ever signed, and its lock.

    It must be neither backed up nor put back together with the database, and all who
    sign with the log's key should share it.
    """

    def __init__(self, path: Path, *, origin: str) -> None:
        self.path = path
        self._origin = origin

    def held(self) -> AbstractContextManager[None]:
        """Nobody else reads or writes the file from here to the end: compare and swap.

        Raises:
            LogUnavailableError: the lock beside the file cannot be made.
        """
        return locked(self.path.with_name(f".{self.path.name}.lock"), self._told)

    def read(self) -> Mark | None:
        """The tree that was signed last, None if there is no file.

        Raises:
            LogConflictError: it holds something else.
            LogUnavailableError: it cannot be read.
        """
        try:
            note = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LogUnavailableError(self._told(error)) from error
        source = f"the high-water file {self.path}"
        return read_mark(note, source, origin=self._origin)

    def write(self, note: bytes) -> None:
        """Remember a checkpoint: it is on the disk when this returns.

        Raises:
            LogUnavailableError: it cannot be written.
        """
        draft = self.path.with_name(f".{self.path.name}.draft")
        try:
            replace_file(self.path, note, draft=draft)
        except OSError as error:
            raise LogUnavailableError(self._told(error)) from error

    def check_writable(self) -> None:
        """Refuse to start a publisher that could never sign.

        Raises:
            ConfigurationError: the folder is not there, or belongs to somebody else.
        """
        if not os.access(self.path.parent, os.W_OK):
            raise ConfigurationError(
                f"the high-water file cannot be written in {self.path.parent}: set "
                "CONSENTKIT_HIGH_WATER to a file in a folder that this process owns "
                "and that outlives it"
            )

    def lost(self) -> LogConflictError:
        """What to say if the file is not there, though the log has published."""
        return LogConflictError(
            f"the high-water file {self.path} is not there, so that nobody can tell "
            f"whether the database is the newest: {SIGNED_NOTHING}; or, if you know "
            "that it is the newest, 'flask consent publish --accept-high-water'"
        )

    def _told(self, error: OSError) -> str:
        return (
            f"the high-water file {self.path} cannot be read or written "
            f"({error.strerror}); nothing was signed; set CONSENTKIT_HIGH_WATER to a "
            "file that this process can write to"
        )
