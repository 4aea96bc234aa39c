"""Checks that may rest on what was so a moment ago, because their caller said so.

A replica answers them if what it holds is proven to be no older than that; in every
other case the database itself does, as it does for every other check. How old it is, is
told by a moment that the publisher writes once a second: by its clock, so that the
clocks of machines have to agree.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from typing import TypeVar

from consentkit.errors import LogUnavailableError
from consentkit.service.background import elected
from consentkit.service.background import start_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

    from consentkit.core.act import Millis
    from consentkit.core.decision import Standing
    from consentkit.service.installation import Installation
    from consentkit.service.installation import StandingReader
    from consentkit.store.heartbeat import Heartbeat
    from consentkit.store.postgres_replica import Replica

__all__ = ["Mirror", "follow_heartbeat", "reader_within"]

_REST = 2.0  # seconds for which a replica that does not answer is left alone
_LOGGER = logging.getLogger("consentkit")
_T = TypeVar("_T")


@dataclass
class Mirror:
    """A replica, and the moment in the database that it shows.

    It is left alone for a while after it did not answer: to find that out may take
    longer than any check.
    """

    replica: Replica
    heartbeat: Heartbeat
    rests_until: float = 0.0

    def ask(
        self, question: Callable[[], tuple[_T, Millis | None]]
    ) -> tuple[_T, Millis] | None:
        """What it answers, None where it does not or does not say from when."""
        if time.monotonic() < self.rests_until:
            return None
        try:
            found, at = question()
        except LogUnavailableError as error:
            self.rests_until = time.monotonic() + _REST
            _LOGGER.warning(
                "consentkit: the replica cannot be read, the database itself is asked "
                "(%s)",
                type(error.__cause__ or error).__name__,
                extra={"event": "replica-unreadable"},
            )
            return None
        return None if at is None else (found, at)


def reader_within(installation: Installation, bound: Millis | None) -> StandingReader:
    """What reads for a check that may rest on what was so that long ago, at most.

    Without a bound, or without a replica, it is what reads for every other check.
    """
    if bound is None or installation.mirror is None:
        return installation.reader
    return _Bounded(installation, installation.mirror, bound)


@dataclass(frozen=True)
class _Bounded:
    """Reads the replica, or where that is too old the database (a reader)."""

    installation: Installation
    mirror: Mirror
    bound: Millis

    def standing(
        self, subject: str, purpose: str, recipient: str, transfer: str = ""
    ) -> Standing:
        """See ``StandingReader.standing``."""
        key = subject, purpose, recipient, transfer
        found = self.mirror.ask(partial(self.mirror.replica.standing, *key))
        if found is not None and self._is_fresh(found[1]):
            return found[0]
        return self.installation.reader.standing(*key)

    def standings(
        self, keys: Sequence[tuple[str, str, str, str]]
    ) -> Sequence[Standing | None]:
        """See ``StandingReader.standings``."""
        found = self.mirror.ask(partial(self.mirror.replica.standings, keys))
        if found is not None and self._is_fresh(found[1]):
            return found[0]
        return self.installation.reader.standings(keys)

    def close(self) -> None:
        """See ``StandingReader.close``."""
        self.mirror.replica.close()
        self.installation.reader.close()

    def _is_fresh(self, at: Millis) -> bool:
        """By a clock that is read once the answer is there.

        So whatever had been committed a bound before the check began is in it. A moment
        that is still to come is of a clock that is wrong, and proves nothing.
        """
        return 0 <= self.installation.clock() - at <= self.bound


def follow_heartbeat(installation: Installation) -> None:
    """Write the moment down from now on, in a thread of its own, if there is a replica.

    One process of each machine does.
    """
    if installation.mirror is not None:
        start_thread(
            "consentkit-heartbeat",
            partial(_beat_if_elected, installation, installation.mirror.heartbeat),
            what="the heartbeat for the replica",
        )


def _beat_if_elected(installation: Installation, heartbeat: Heartbeat) -> None:
    with elected(installation.log_folder, "heartbeat") as mine:
        if mine:
            heartbeat.beat(installation.clock())
