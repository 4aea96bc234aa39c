"""The port of an archive: a place that keeps files for good, and changes none."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Archive"]


class Archive(Protocol):
    """A place that keeps files and changes none.

    ``place`` is where it is, for people: it holds no password.
    """

    @property
    def place(self) -> str:
        """Where it is."""

    def put(self, path: str, data: bytes) -> bool:
        """Create a file, whole and durably; False if there is one, which stays.

        Raises:
            LogUnavailableError: the place cannot be reached or written.
        """

    def get(self, path: str) -> bytes | None:
        """The bytes of a file, None if it is not there.

        Raises:
            LogUnavailableError: the place cannot be reached or read.
        """
