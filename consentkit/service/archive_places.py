"""Which archive an operator means by a folder or an address."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from consentkit.errors import ConsentKitError
from consentkit.service.archive_folder import FolderArchive
from consentkit.service.keyring import folder_of
from consentkit.service.marking import CHECKPOINT
from consentkit.service.object_store import open_store

if TYPE_CHECKING:
    from consentkit.service.archive import Archive

__all__ = ["find_checkpoint", "open_archive"]


def open_archive(to: str, origin: str) -> Archive:
    """The archive of one log: a folder of its own within ``to``, named after it.

    Raises:
        ConfigurationError: ``to`` is neither a folder nor an address that we know, or
            obstore is not installed.
        LogUnavailableError: the folder cannot be made or written.
    """
    if "://" in to:
        name = folder_of(Path(), origin).name
        return open_store(f"{to.rstrip('/')}/{name}")
    return FolderArchive(folder_of(Path(to), origin))


def find_checkpoint(place: str) -> bytes | None:
    """The checkpoint of the archive in that place; None where none can be read."""
    try:
        if "://" in place:
            return open_store(place).get(CHECKPOINT)
        return (Path(place) / CHECKPOINT).read_bytes()
    except (ConsentKitError, OSError):
        return None
