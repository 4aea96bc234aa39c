"""Writing a copy of a log where files are only ever created.

Some files may be in an archive in an older form, because the run that wrote them was
cut short: a checkpoint under which a witness has signed since, or a text of an older
version. Those stay as they are. Once ``MANIFEST`` is there, a time stamp that came
later is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.annexed import MANIFEST
from consentkit.audit.annexed import POLICY
from consentkit.audit.annexed import README
from consentkit.audit.annexed import parse_timestamp_path
from consentkit.audit.annexed import stored_path
from consentkit.audit.annexed import stored_sizes
from consentkit.audit.bundle import CHECKPOINT
from consentkit.audit.manifest import format_manifest
from consentkit.audit.manifest import parse_manifest
from consentkit.audit.manifest import print_of
from consentkit.service.log_copy import LogCopy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.service.archive import Archive

__all__ = ["ArchiveWriter"]

_OURS = {README, POLICY}  # no evidence: the words and the witnesses of that day


class ArchiveWriter(LogCopy):
    """One archive, new or begun before; ``new`` files of it were created by this run.

    Raises:
        LogUnavailableError: the archive cannot be reached or read.
        MalformedError: what lists its files is no list of ours.
    """

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive.place, instead="archive to another place")
        self._archive = archive
        self.new = 0
        listed = archive.get(MANIFEST)
        self._listed = None if listed is None else parse_manifest(listed)

    def read(self, path: str) -> bytes | None:
        """What lies there under that name, None if nothing does."""
        return self._archive.get(path)

    def create(self, path: str, data: bytes) -> bool:
        """Write a file that is not there; False if there is one, which stays.

        Raises:
            LogUnavailableError: the archive cannot be reached or written.
        """
        is_new = self._archive.put(path, data)
        self.new += is_new
        return is_new

    def keep(self, path: str, data: bytes) -> None:
        """See ``LogCopy.keep``; what came too late for this archive is left out."""
        if not self._came_later(path):
            super().keep(path, data)

    def replace(self, path: str, data: bytes) -> None:
        """Have a file that may be there in an older form, and then stays as it is.

        Raises:
            LogConflictError: it is there already, and is no older form of this.
            LogUnavailableError: the archive cannot be reached or written.
        """
        there = self._archive.get(path)
        self.keep(path, there if there and _may_stay(path, there, data) else data)

    def finish(self, size: int) -> None:
        """List what there is, then write the checkpoint of that size, last of all.

        Raises:
            LogConflictError: what lies there is another archive's.
            LogUnavailableError: the archive cannot be reached or written.
        """
        checkpoint = self._archive.get(stored_path(size)) or b""
        prints: Mapping[str, str] = {**self.prints, CHECKPOINT: print_of(checkpoint)}
        self.keep(MANIFEST, format_manifest(prints))
        self.keep(CHECKPOINT, checkpoint)

    def _came_later(self, path: str) -> bool:
        """Whether it is a time stamp that is not among what was listed before."""
        is_stamp = parse_timestamp_path(path) is not None
        return self._listed is not None and is_stamp and path not in self._listed


def _may_stay(path: str, there: bytes, data: bytes) -> bool:
    """Whether what is there is what could have been written here before."""
    if path in _OURS:
        return True
    if not any(stored_sizes([path])):
        return False
    text, _, lines = there.partition(b"\n\n")
    now_text, _, now_lines = data.partition(b"\n\n")
    return text == now_text and set(lines.split(b"\n")) <= set(now_lines.split(b"\n"))
