"""Sends that have begun, so that whoever ends a consent can wait them out.

Between the last look at the store and the bytes on the wire there is a moment, however
short. A send holds a shared lock from before that look until its bytes are handed to
the kernel. Whoever ends something writes it down first and waits afterwards for whoever
holds the lock: what looked before is out by then, and what looks later sees the end. So
when ``revoke`` has returned, nothing that rested on the consent begins to leave.

The lock is never held while anybody writes to the database, and a revocation counts
from its commit on, not from the end of the wait: a send that hangs on a slow network
delays its return by ``PATIENCE`` at most, and delays no check and no other send.

Where the lock is, the store knows: beside an SQLite file, for the processes of one
machine, or in PostgreSQL, for those of all machines.
"""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless
from consentkit.service.live import live_releases

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from consentkit.store.engine import SendLocks

__all__ = ["PATIENCE", "Sends"]

PATIENCE = 2.0
"""Seconds that the end of a consent waits for sends that have begun, at most."""

_STEP = 0.000_5  # seconds before the second look; a send holds the lock about as long
_MAX_STEP = 0.02  # between two looks: what takes longer is worth no hurry
_LOGGER = logging.getLogger("consentkit")


def _at_once(call: Callable[[], object]) -> None:
    call()


@dataclass(frozen=True)
class Sends:
    """What leaves, and the wait for it, among all who share one database.

    ``when_durable`` calls what waits for an end that may not be committed yet.
    """

    locks: SendLocks
    when_durable: Callable[[Callable[[], object]], object] = _at_once

    def held(self, subject: str | None = None) -> AbstractContextManager[None]:
        """While something of this person leaves, or of anybody where none is named.

        Raises:
            LogUnavailableError: the lock cannot be had, so that nothing may leave.
        """
        return self.locks.held(subject)

    @contextlib.contextmanager
    def settled(self, *subjects: str) -> Iterator[None]:
        """When what is done within has ended something, wait until sends are out.

        Of these people, or of everybody where none is named. The wait itself never
        raises: what has ended has ended.
        """
        yield
        self.when_durable(lambda: self._settle(subjects))

    def _settle(self, subjects: tuple[str, ...]) -> None:
        try:
            self._wait(subjects)
        except LogUnavailableError as error:
            _LOGGER.exception(
                "consentkit: cannot wait for sends that have begun",
                exc_info=wordless(error),
                extra={"event": "sends-not-awaited"},
            )

    def close(self) -> None:
        """Give the connections of this process back."""
        self.locks.close()

    def _wait(self, subjects: tuple[str, ...]) -> None:
        for release in live_releases():
            release.let_go()  # whoever ends something here hands nobody out meanwhile
        until, step = time.monotonic() + PATIENCE, _STEP
        begun = self.locks.under_way(*subjects)
        while begun:
            if time.monotonic() > until:
                _LOGGER.warning(
                    "consentkit: a send, or somebody's turn in a batch, that had begun "
                    "before a consent ended was still going on %s seconds later",
                    PATIENCE,
                    extra={"event": "send-outlived-consent"},
                )
                return
            time.sleep(step)
            step = min(2 * step, _MAX_STEP)
            begun &= self.locks.under_way(*subjects)
