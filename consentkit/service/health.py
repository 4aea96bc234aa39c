"""Whether this process can do its work just now, for whoever sends it requests.

Looked at anew each time, at the cost of three small reads: an answer that was
remembered would keep sending people to a process that has lost its database.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from consentkit.audit.rules import MAX_DELAY_MS
from consentkit.errors import wordless

if TYPE_CHECKING:
    from consentkit.core.act import Millis
    from consentkit.service.installation import Installation

__all__ = ["Health", "HealthReport", "examine"]

_LATE_MS = 60_000  # a publisher needs a second; after a minute somebody should look
_LOGGER = logging.getLogger("consentkit")


class Health(StrEnum):
    """How one part is; the words of draft-inadarei-api-health-check-06, section 3.1."""

    PASS = "pass"  # noqa: S105  no password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class HealthReport:
    """How each part is. ``store`` is where answers lie, ``publication`` the log.

    ``log`` fails where this process goes on with a log that was closed: it stores and
    shares nothing until it is started anew.

    A late publication is no reason to send people elsewhere: what they say is kept,
    and every process of the installation would be late alike.
    """

    store: Health
    publication: Health
    log: Health = Health.PASS

    @property
    def checks(self) -> Mapping[str, Health]:
        """Each part by its name."""
        return {
            "store": self.store,
            "log": self.log,
            "publication": self.publication,
        }

    @property
    def status(self) -> Health:
        """Whether this process is ready: the worst of its parts."""
        worst = [each for each in Health if each in self.checks.values()]
        return worst[-1]


def examine(installation: Installation) -> HealthReport:
    """The health of this process. Total: what cannot be looked at has failed."""
    try:
        # The very read that every check rests on; nobody has the empty id.
        installation.reader.standing("", "", "")
        waiting = installation.publications.waiting_since()
        late = _late(waiting, installation.clock())
        closed = installation.exports.is_closed()
    except Exception as error:
        _LOGGER.exception(
            "consentkit: not ready (%s)",
            type(error).__name__,
            exc_info=wordless(error),
            extra={"event": "not-ready", "error": type(error).__name__},
        )
        return HealthReport(store=Health.FAIL, publication=Health.WARN)
    log = Health.FAIL if closed else Health.PASS
    return HealthReport(store=Health.PASS, publication=late, log=log)


def _late(waiting: Millis | None, now: Millis) -> Health:
    """Late after a minute; that it is past what was promised is told in the log."""
    if waiting is None or now - waiting < _LATE_MS:
        return Health.PASS
    if now - waiting > MAX_DELAY_MS:
        _LOGGER.error(
            "consentkit: an entry has waited for %d s to be published, and %d s are "
            "promised; is a publisher running? flask consent publish",
            (now - waiting) // 1000,
            MAX_DELAY_MS // 1000,
            extra={"event": "publication-late", "seconds": (now - waiting) // 1000},
        )
    return Health.WARN
