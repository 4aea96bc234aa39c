"""What a publisher says when its log has ended: it has nothing to do any more.

It would go on for ever without a fault, and the log that follows would stay as it is.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from consentkit.service.closing import is_finished
from consentkit.store.logs import find_logs

if TYPE_CHECKING:
    from consentkit.service.installation import Installation

__all__ = ["Farewell", "has_ended"]

_LOGGER = logging.getLogger("consentkit")


def has_ended(installation: Installation) -> str:
    """That this log was closed and is finished, and what to do; empty if it is not.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    if not installation.exports.is_closed() or not is_finished(
        installation.publications, installation.witnesses, installation.cosigners
    ):
        return ""
    return (
        f"the log {installation.origin} was closed, and all of it is published: start "
        f"this process anew, so that it publishes {_successor(installation)}"
    )


class Farewell:
    """Says once in the life of a process that the log it publishes has ended."""

    def __init__(self) -> None:
        self._said = False

    def __call__(self, installation: Installation) -> None:
        """Say it, if it has ended and it was not said yet."""
        if self._said:
            return
        ended = has_ended(installation)
        if ended:
            self._said = True
            _LOGGER.warning(
                "consentkit: %s",
                ended,
                extra={"event": "log-ended", "log": installation.origin},
            )


def _successor(installation: Installation) -> str:
    logs = find_logs(installation.database)
    newest = logs[-1]
    if newest.origin != installation.origin:
        return newest.origin
    closure = newest.closure
    return (closure and closure.successor) or "the log that follows"
