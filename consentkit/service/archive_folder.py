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
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


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
        self._check_links(path)
        with self._told():
            if place.exists():
                return False
            place.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(draft, _NEW, 0o666)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                place.hardlink_to(draft)  # unlike a rename, it never replaces anything
            except FileExistsError:
                return False
            finally:
                draft.unlink()
            _sync(place.parent)
        return True

    def get(self, path: str) -> bytes | None:
        """See ``Archive.get``."""
        self._check_links(path)
        with self._told():
            try:
                return (self._folder / path).read_bytes()
            except FileNotFoundError:
                return None

    def _check_links(self, path: str) -> None:
        """Refuse to follow anybody out of the archive.

        Raises:
            LogUnavailableError: the file, or a folder on the way to it, is a link.
        """
        place = self._folder
        for part in path.split("/"):
            place /= part
            if place.is_symlink():
                raise LogUnavailableError(
                    f"{place} is a symbolic link, and in an archive there are none: "
                    "take it away, or archive to another folder"
                )

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
