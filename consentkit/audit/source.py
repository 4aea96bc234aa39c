"""What a published log is read through, and what can go wrong on the way.

Two failures are kept apart. A file that is *not there* is evidence, a
``VerificationError``; a disk or a server that *does not answer* says nothing about
the log, a ``LogUnavailableError``. So does a place without a checkpoint: more likely
than a log that lost it is a folder or an address that is not the log's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Protocol

from consentkit.errors import LogUnavailableError
from consentkit.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "CHECKPOINT",
    "MAX_FILE_BYTES",
    "MAX_MANIFEST_BYTES",
    "Source",
    "named",
    "no_log",
    "not_there",
    "too_large",
]

CHECKPOINT = "checkpoint"
MAX_FILE_BYTES = 256 * (2 + 65_535)  # a full bundle of the largest entries
MAX_MANIFEST_BYTES = 256 * 1024 * 1024  # two million files of a folder


class Source(Protocol):
    """The files of one log, by their path in the layout."""

    def read(self, path: str) -> bytes:
        """The bytes of one file.

        Raises:
            VerificationError: there is no such file, or it is larger than any can be.
            LogUnavailableError: the source cannot be read at the moment, or has no
                checkpoint and so is no log.
        """

    def paths(self) -> Iterator[str] | None:
        """Every file there is, those of one directory in a row, or None: no listing."""


def named(path: str, error: VerificationError | None) -> str:
    """What is wrong with a file, its path in front, once."""
    what = str(error)
    return what if what.startswith(path) else f"{path}: {what}"


def no_log(place: str, kind: str, hint: str = "") -> LogUnavailableError:
    """Nothing in that folder or at that address looks like a log."""
    return LogUnavailableError(
        f"expected a log, but {place}/{CHECKPOINT} is not there: is this the log's "
        f"own {kind}, with `checkpoint` and `tile/` in it?{hint}"
    )


def not_there(path: str) -> VerificationError:
    """The log should have that file, and has not."""
    return VerificationError(f"{path} is not there")


def too_large(path: str, limit: int) -> VerificationError:
    """No log has a file as large."""
    return VerificationError(
        f"{path} is larger than the {limit} bytes any such file of a log can have"
    )
