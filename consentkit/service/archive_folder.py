"""An archive in a folder of this machine, or of a file server that it has mounted."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["FolderArchive"]

_DRAFT = ".draft"


class FolderArchive:
    """Files in one folder, each linked into its place when it is whole.

    Raises:
        LogUnavailableError: the folder cannot be made or written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with self._told():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (folder / _DRAFT).unlink(missing_ok=True)  # of a run that was killed

    @property
    def place(self) -> str:
        """See ``Archive.place``."""
        return str(self._folder.resolve())

    def put(self, path: str, data: bytes) -> bool:
        """See ``Archive.put``."""
        place, draft = self._folder / path, self._folder / _DRAFT
        with self._told():
            if place.exists():
                return False
            place.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            try:
                place.hardlink_to(draft)  # unlike a rename, it never replaces anything
            except FileExistsError:
                return False
            finally:
                draft.unlink()
            _sync(place.parent)
        return True

    def get(self, path: str) -> bytes | None:
        """See ``Archive.get``."""
        with self._told():
            try:
                return (self._folder / path).read_bytes()
            except FileNotFoundError:
                return None

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LogUnavailableError(
                f"the archive {self._folder} cannot be read or written "
                f"({error.strerror}); run the same command again"
            ) from error


def _sync(folder: Path) -> None:
    """Have the name on the disk as well."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
