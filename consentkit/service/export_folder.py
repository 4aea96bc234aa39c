"""The folder that an export is written to: each file whole, the manifest last.

Files are renamed into their place, so an export that was killed holds no half of one;
the disk is asked to keep everything before the manifest vouches for it. What lies
there from an earlier export has to be the same still: a difference stops, and nothing
is overwritten but what may grow.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from consentkit.audit.annexed import MANIFEST
from consentkit.audit.annexed import README
from consentkit.audit.annexed import is_annex
from consentkit.audit.bundle import CHECKPOINT
from consentkit.audit.bundle import FolderSource
from consentkit.audit.manifest import format_manifest
from consentkit.audit.manifest import print_of
from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.errors import MalformedError
from consentkit.log.tiles import parse_tile_path
from consentkit.service.log_copy import LogCopy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["ExportFolder"]

_DRAFT = ".draft"


class ExportFolder(LogCopy):
    """One folder, new or of an earlier export; close it with ``finish``.

    Raises:
        ConfigurationError: files that are no part of an export lie there.
        LogUnavailableError: it cannot be read or made.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder), instead="export to a new folder")
        self._folder = folder
        with _told():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (folder / _DRAFT).unlink(missing_ok=True)  # of an export that was killed
        self._before = set(FolderSource(folder).paths())
        strange = sorted(path for path in self._before if not _belongs(path))
        if strange:
            raise ConfigurationError(
                f"{folder} must be empty, or hold an earlier export of this log; "
                f"{strange[0]!r} is no part of one"
            )

    @property
    def is_new(self) -> bool:
        """Whether nothing lay there."""
        return not self._before

    @property
    def files(self) -> int:
        """How many files there are by now, without the manifest."""
        return len(self.prints)

    def read(self, path: str) -> bytes | None:
        """What lies there under that name, None if nothing does."""
        if not self._has(path):
            return None
        with _told():
            return (self._folder / path).read_bytes()

    def create(self, path: str, data: bytes) -> bool:
        """Write a file that is not there; False if there is one, which stays.

        Raises:
            LogUnavailableError: the folder cannot be written.
        """
        is_new = not self._has(path)
        if is_new:
            self._write(path, data)
        return is_new

    def replace(self, path: str, data: bytes) -> None:
        """Have a file that may grow from one export to the next.

        Raises:
            LogUnavailableError: the folder cannot be written.
        """
        if self.read(path) != data:
            self._write(path, data)
        self.prints[path] = print_of(data)

    def left_over(self) -> Iterator[str]:
        """The files of an earlier export that this one has not written again."""
        yield from sorted(self._before - set(self.prints) - {MANIFEST, CHECKPOINT})

    def remove(self, path: str) -> None:
        """Take out a file of an earlier export.

        Raises:
            LogUnavailableError: the folder cannot be written.
        """
        place = self._folder / path
        with _told():
            place.unlink()
        with contextlib.suppress(OSError):
            place.parent.rmdir()  # if that was the last one in it
        self._before.discard(path)
        self.prints.pop(path, None)

    def finish(self, checkpoint: bytes) -> None:
        """Write the checkpoint, then the manifest, after all else is on the disk.

        Raises:
            LogUnavailableError: the folder cannot be written.
        """
        self.replace(CHECKPOINT, checkpoint)
        os.sync()
        self._write(MANIFEST, format_manifest(self.prints))
        os.sync()

    def _has(self, path: str) -> bool:
        return path in self._before or path in self.prints

    def _write(self, path: str, data: bytes) -> None:
        place, draft = self._folder / path, self._folder / _DRAFT
        with _told():
            place.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(data)
            draft.rename(place)


def _belongs(path: str) -> bool:
    if path in {CHECKPOINT, README} or is_annex(path):
        return True
    try:
        parse_tile_path(path)
    except MalformedError:
        return False
    return True


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LogUnavailableError(
            f"the folder of the export cannot be written ({error.strerror})"
        ) from error
