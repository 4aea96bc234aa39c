"""Where the files of one published log are read from: a folder, or a web address.

A source answers ``read(path)`` with the bytes of one file of the layout
(C2SP tlog-tiles: ``checkpoint``, ``tile/<L>/<N>``, ``tile/entries/<N>``). A folder can
also be listed, so that a file which does not belong there is seen; a web address
cannot. Nothing here judges what it reads.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from consentkit.audit import source
from consentkit.audit.annexed import MANIFEST
from consentkit.audit.source import CHECKPOINT
from consentkit.audit.source import Source
from consentkit.audit.source import no_log
from consentkit.audit.source import not_there
from consentkit.audit.source import too_large
from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.audit.http_source import HttpSource

__all__ = ["CHECKPOINT", "FolderSource", "Source", "open_source"]


def open_source(location: str) -> FolderSource | HttpSource:
    """The source that a folder's name or an ``http(s)://`` address stands for.

    Close it when it is done with (``contextlib.closing``).

    Raises:
        ConfigurationError: it is neither.
    """
    if location.startswith(("http://", "https://")):
        from consentkit.audit.http_source import HttpSource  # noqa: PLC0415  see there

        return HttpSource(location)
    folder = Path(location)
    if not folder.is_dir():
        raise ConfigurationError(
            f"expected a folder or an http(s) address that holds a log; {location!r} "
            "is neither"
        )
    return FolderSource(folder)


class FolderSource:
    """A log that lies in a folder, such as a publisher's or an auditor's copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> bytes:
        """See ``Source.read``."""
        place = self._folder / path
        try:
            status = place.stat()
            if not stat.S_ISREG(status.st_mode):
                raise VerificationError(f"{path} must be a regular file")
            limit = (
                source.MAX_MANIFEST_BYTES if path == MANIFEST else source.MAX_FILE_BYTES
            )
            if status.st_size > limit:
                raise too_large(path, limit)
            return place.read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            if path == CHECKPOINT:
                raise no_log(str(self._folder), "folder") from error
            raise not_there(path) from error
        except OSError as error:
            raise LogUnavailableError(
                f"{path} cannot be read: {error.strerror}"
            ) from error

    def close(self) -> None:
        """A folder holds nothing open."""

    def paths(self) -> Iterator[str]:
        """See ``Source.paths``. A linked directory is named, not entered."""
        for directory, inner, names in os.walk(self._folder, onerror=_unreadable):
            inner.sort()
            here = Path(directory)
            linked = [name for name in inner if (here / name).is_symlink()]
            for name in sorted([*names, *linked]):
                yield (here / name).relative_to(self._folder).as_posix()


def _unreadable(error: OSError) -> None:
    raise LogUnavailableError(
        f"a folder of the log cannot be listed: {error.strerror}"
    ) from error
