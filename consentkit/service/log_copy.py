"""A copy of a log, written file by file: what is there already is never overwritten."""

from __future__ import annotations

from abc import ABC
from abc import abstractmethod

from consentkit.audit.manifest import print_of
from consentkit.errors import LogConflictError

__all__ = ["LogCopy"]


class LogCopy(ABC):
    """A place that a log is copied to, new or begun before.

    ``place`` is where it is and ``instead`` what to do where it contradicts, both for
    people; ``prints`` are size and hash of each file that belongs to the copy.
    """

    def __init__(self, place: str, *, instead: str) -> None:
        self._place = place
        self._instead = instead
        self.prints: dict[str, str] = {}

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """What lies there under that name, None if nothing does."""

    @abstractmethod
    def create(self, path: str, data: bytes) -> bool:
        """Write a file that is not there; False if there is one, which stays."""

    @abstractmethod
    def replace(self, path: str, data: bytes) -> None:
        """Have a file that may have grown since it was written."""

    def keep(self, path: str, data: bytes) -> None:
        """Have a file that never changes.

        Raises:
            LogConflictError: it is there already, with other bytes.
            LogUnavailableError: the place cannot be reached, read or written.
        """
        if not self.create(path, data) and self.read(path) != data:
            raise LogConflictError(
                f"{path} in {self._place} is not what the database says it was: "
                "nothing was overwritten; find out which of the two was changed, and "
                f"{self._instead}"
            )
        self.prints[path] = print_of(data)
