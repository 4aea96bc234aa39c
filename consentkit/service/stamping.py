"""Having the newest checkpoint time-stamped, once an hour, and keeping the stamps.

The log never waits for its authority: it goes on while that is down, says so once, and
the gap can be seen in ``flask consent timestamps``. A checkpoint is stamped while it is
the newest, so a stamp also tells what the log did not hold yet; a log that stands still
is not stamped again.
"""

from __future__ import annotations

import logging
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.audit.annexed import timestamp_path
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.errors import ConsentKitError
from consentkit.errors import LogUnavailableError
from consentkit.errors import VerificationError
from consentkit.log.note import split_note
from consentkit.service.authorities import request_timestamp
from consentkit.service.background import elected
from consentkit.service.background import start_thread
from consentkit.service.replacing import replace_file

if TYPE_CHECKING:
    from consentkit.core.act import Millis
    from consentkit.service.authorities import Authority
    from consentkit.service.installation import Installation
    from consentkit.store.timestamps import Stamped

__all__ = [
    "StampReport",
    "Stamper",
    "follow_timestamps",
    "list_timestamps",
    "stamp_once",
]

_SHORTEST = 60_000  # ms to the second try after a failed one; then longer each time
_LONGEST = 600_000  # ms between two tries, however long an authority has been down
_HOUR = 3_600_000  # ms
_PACE = 1.0  # seconds between two looks at the log
_LOGGER = logging.getLogger("consentkit")


@dataclass(frozen=True)
class StampReport:
    """The newest stamp of one authority, if it gave any; ``name`` is its address.

    ``gap`` is for how many hours the log has held what this authority should have
    stamped and has not; None where there is nothing to complain of.
    """

    name: str
    newest: Stamped | None
    gap: float | None = None


class Stamper:
    """Asks the authority when it is due; one object remembers what went wrong."""

    def __init__(self, installation: Installation, authority: Authority) -> None:
        self._installation = installation
        self._authority = authority
        self._failures = 0
        self._due = 0
        self._files_checked = False

    def stamp(self) -> bool:
        """Have the newest checkpoint stamped if that is due; whether it was.

        Raises:
            LogUnavailableError: database or files cannot be reached or written.
        """
        self._write_missing()
        latest = self._installation.publications.latest()
        now = self._installation.clock()
        if latest is None or not self._is_due(latest[0], now):
            return False
        size, note = latest
        try:
            token, moment = request_timestamp(self._authority, split_note(note).text)
            _check_clocks(moment, self._installation.clock())
        except ConsentKitError as error:
            self._note_fault(now, error)
            return False
        self._installation.timestamps.add(size, self._authority.id, token, moment)
        self._write(size, self._authority.id, token)
        self._note_success()
        return True

    def _is_due(self, size: int, now: Millis) -> bool:
        if 0 < self._due - now <= 2 * _LONGEST:  # beyond: the clock was set back
            return False
        newest = self._installation.timestamps.newest().get(self._authority.id)
        if newest is None:
            return True
        # Its clock and ours may differ by as much as a stamp is taken with.
        rests = -MAX_SKEW_MS <= now - newest.time < self._authority.interval
        return size > newest.size and not rests

    def _note_fault(self, now: Millis, error: ConsentKitError) -> None:
        wait = min(_SHORTEST << min(self._failures, 8), _LONGEST)
        self._due = now + wait + secrets.randbelow(wait // 4)
        self._failures += 1
        if self._failures == 1:
            _LOGGER.warning(
                "consentkit: the time-stamping authority %s gave no stamp: %s; the log "
                "goes on without, and it is asked again",
                self._authority.url,
                error,
                extra={"event": "stamp-failed", "authority": self._authority.url},
            )

    def _note_success(self) -> None:
        if self._failures:
            _LOGGER.warning(
                "consentkit: the time-stamping authority %s stamps again",
                self._authority.url,
                extra={"event": "stamps-again", "authority": self._authority.url},
            )
        self._failures, self._due = 0, 0

    def _write_missing(self) -> None:
        """Write what a crash, or a folder that was lost, has left in the database."""
        if not self._files_checked:
            for size, authority, token in self._installation.timestamps.all():
                self._write(size, authority, token)
            self._files_checked = True

    def _write(self, size: int, authority: str, token: bytes) -> None:
        folder = self._installation.log_folder
        path = folder / timestamp_path(size, authority)
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                draft = folder.with_name(f".{folder.name}.stamp")
                replace_file(path, token, draft=draft)
        except OSError as error:
            self._files_checked = False
            raise LogUnavailableError(
                f"a time stamp cannot be written ({error.strerror}); it is safe in the "
                "database"
            ) from error


def stamp_once(installation: Installation) -> bool | None:
    """Stamp the newest checkpoint if that is due; None if another process is at it.

    Raises:
        LogUnavailableError: database or files cannot be reached or written.
    """
    if installation.authority is None:
        return False
    with elected(installation.log_folder, "timestamps") as mine:
        if not mine:
            return None
        return Stamper(installation, installation.authority).stamp()


def follow_timestamps(installation: Installation) -> None:
    """Stamp from now on, in a thread of its own, if there is an authority."""
    if installation.authority is None:
        return
    stamper = Stamper(installation, installation.authority)

    def stamp_while_elected() -> None:
        # Elected for good: who is asked next, and when, only this process knows.
        with elected(installation.log_folder, "timestamps") as mine:
            while mine:
                stamper.stamp()
                time.sleep(_PACE)

    start_thread("consentkit-timestamps", stamp_while_elected, what="time-stamping")


def list_timestamps(installation: Installation) -> list[StampReport]:
    """How things are with the authority of today, then with earlier ones.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    newest = installation.timestamps.newest()
    reports = []
    if installation.authority is not None:
        stamped = newest.pop(installation.authority.id, None)
        gap = _gap(installation, installation.authority, stamped)
        reports.append(StampReport(installation.authority.url, stamped, gap))
    return [*reports, *(StampReport(name, each) for name, each in newest.items())]


def _gap(
    installation: Installation, authority: Authority, newest: Stamped | None
) -> float | None:
    since = installation.timestamps.waiting_since(newest.size if newest else -1)
    if since is None:
        return None
    waits = installation.clock() - since
    return waits / _HOUR if waits > authority.interval + _LONGEST else None


def _check_clocks(theirs: Millis, ours: Millis) -> None:
    """Refuse a stamp that would speak against our own entries."""
    off = (theirs - ours) // 1000
    if abs(theirs - ours) > MAX_SKEW_MS:
        raise VerificationError(
            f"its clock differs from ours by {off} s: set right the one that is wrong"
        )
