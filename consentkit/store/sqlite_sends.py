"""Locks of what is being sent, beside an SQLite file: for all processes of one machine.

A lock file stands for many persons, since there may be millions of them. A lock of the
operating system's ends with the process that holds it, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import itertools
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["FileSends"]

_STRIPES = 64  # lock files; people who share one wait for each other's sends
# What may be about anybody takes one of these, another one each time: who waits for it
# does not wait for the next one as well.
_ANYBODY = range(_STRIPES, _STRIPES + 8)
_TURNS = itertools.cycle(_ANYBODY)


@dataclass(frozen=True)
class FileSends:
    """The lock files of one database, in a folder beside it (a ``SendLocks``)."""

    folder: Path

    @contextlib.contextmanager
    def held(self, subject: str | None = None) -> Iterator[None]:
        """See ``SendLocks.held``."""
        stripe = next(_TURNS) if subject is None else _stripe(subject)
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            file = os.open(self._file(stripe), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LogUnavailableError(
                f"a lock in {self.folder} cannot be made ({error.strerror})"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield
        finally:
            os.close(file)

    def under_way(self, *subjects: str) -> frozenset[str]:
        """See ``SendLocks.under_way``: the files in which somebody sends."""
        stripes = {_stripe(each) for each in subjects} or set(range(_STRIPES))
        stripes.update(_ANYBODY)
        try:
            return frozenset(str(stripe) for stripe in stripes if self._is_held(stripe))
        except OSError as error:
            raise LogUnavailableError(
                f"a lock in {self.folder} cannot be read ({error.strerror})"
            ) from error

    def close(self) -> None:
        """Nothing: a lock file is open only while something is sent."""

    def _is_held(self, stripe: int) -> bool:
        # By descriptor, not by ``Path.open``: an act ends with a look at nine of them.
        try:
            file = os.open(self._file(stripe), os.O_RDWR)
        except FileNotFoundError:
            return False  # nothing was ever sent
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(file)

    def _file(self, stripe: int) -> str:
        return f"{self.folder}/{stripe:02}"


def _stripe(subject: str) -> int:
    return hashlib.sha256(subject.encode()).digest()[0] % _STRIPES
