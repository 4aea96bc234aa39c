"""Sends that have begun, so that whoever ends a consent can wait them out.

Between the last look at the store and the bytes on the wire there is a moment, however
short. A send holds a shared lock from before that look until its bytes are handed to
the kernel. Whoever ends something writes it down first and takes the lock for an
instant afterwards: what looked before is out by then, and what looks later sees the
end. So when ``revoke`` has returned, nothing that rested on the consent begins to
leave.

The lock is never held while anybody writes to the database, and a revocation counts
from its commit on, not from the end of the wait: a send that hangs on a slow network
delays its return by ``PATIENCE`` at most, and delays no check.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["PATIENCE", "Sends"]

PATIENCE = 2.0
"""Seconds that the end of a consent waits for sends that have begun, at most."""

_STRIPES = 64  # lock files; people who share one wait for each other's sends
_STEP = 0.000_5  # seconds between two looks; a send holds the lock about as long
_LOGGER = logging.getLogger("consentkit")


@dataclass(frozen=True)
class Sends:
    """The locks of one database, in a folder beside it: for all processes there."""

    folder: Path

    @contextlib.contextmanager
    def held(self, subject: str) -> Iterator[None]:
        """While something of this person leaves.

        Raises:
            LogUnavailableError: the lock cannot be made, so that nothing may leave.
        """
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            file = self._file(_stripe(subject)).open("ab")
        except OSError as error:
            raise LogUnavailableError(
                f"a lock in {self.folder} cannot be made ({error.strerror})"
            ) from error
        with file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield

    @contextlib.contextmanager
    def settled(self, *subjects: str) -> Iterator[None]:
        """When what is done within has ended something, wait until sends are out.

        Of these people, or of everybody where none is named. The wait itself never
        raises: what has ended has ended.
        """
        yield
        stripes = {_stripe(each) for each in subjects} or range(_STRIPES)
        try:
            self._wait(stripes)
        except OSError:
            _LOGGER.exception("consentkit: cannot wait for sends that have begun")

    def _wait(self, stripes: Iterable[int]) -> None:
        until = time.monotonic() + PATIENCE
        if not all(self._is_out(stripe, until) for stripe in stripes):
            _LOGGER.warning(
                "consentkit: a send that had begun before a consent ended was still "
                "going on %s seconds later",
                PATIENCE,
            )

    def _is_out(self, stripe: int, until: float) -> bool:
        path = self._file(stripe)
        if not path.exists():
            return True  # nothing was ever sent
        with path.open("ab") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > until:
                        return False
                    time.sleep(_STEP)
                else:
                    return True

    def _file(self, stripe: int) -> Path:
        return self.folder / f"{stripe:02}"


def _stripe(subject: str) -> int:
    return hashlib.sha256(subject.encode()).digest()[0] % _STRIPES
