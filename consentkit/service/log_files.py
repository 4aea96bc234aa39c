"""The published files of a log that was dropped: a copy of it, so they go as well."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from consentkit.errors import LogUnavailableError
from consentkit.errors import MalformedError
from consentkit.log.tiles import parse_tile_path
from consentkit.service.keyring import folder_of
from consentkit.service.marking import CHECKPOINT

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["remove_log_files"]


def remove_log_files(logs: Path, origin: str) -> None:
    """Take out what was published of a log; what is not of ours stays.

    The checkpoint goes first: none ever speaks of files that are not there.

    Raises:
        LogUnavailableError: the folder cannot be written; call it again.
    """
    folder = folder_of(logs, origin)
    try:
        (folder / CHECKPOINT).unlink(missing_ok=True)
        for path in sorted(folder.rglob("*"), reverse=True):  # what lies in it first
            if path.is_dir():
                with contextlib.suppress(OSError):  # something of somebody else's
                    path.rmdir()
            elif _is_tile(path.relative_to(folder).as_posix()):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()
    except OSError as error:
        raise LogUnavailableError(
            f"the published files of the dropped log {origin!r} cannot be taken out "
            f"({error.strerror}): run the same command again"
        ) from error


def _is_tile(path: str) -> bool:
    try:
        parse_tile_path(path)
    except MalformedError:
        return False
    return True
