"""What a publisher says when its log has ended: it has nothing to do any more.

It would go on for ever without a fault, and the log that follows would stay as it is.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from consentkit.store.logs import find_logs
from consentkit.store.witnesses import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consentkit.service.cosigners import Cosigner
    from consentkit.service.installation import Installation
    from consentkit.store.publications import Publications
    from consentkit.store.witnesses import Witnesses

__all__ = ["Farewell", "has_ended", "is_finished"]

_LOGGER = logging.getLogger("consentkit")


def is_finished(
    publications: Publications, witnesses: Witnesses, cosigners: Sequence[Cosigner]
) -> bool:
    """Whether a closed log is all published, and every witness has answered to it.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    latest = publications.latest()
    if latest is None or publications.pending():
        return False
    known = witnesses.standings()
    return all(
        _has_answered(known.get(each.key, Standing()), latest[0]) for each in cosigners
    )


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


def _has_answered(standing: Standing, size: int) -> bool:
    """A yes or a no: one that was being asked when we were killed has not answered."""
    return standing.held >= size or (standing.asked >= size and standing.failures > 0)


def _successor(installation: Installation) -> str:
    logs = find_logs(installation.database)
    newest = logs[-1]
    if newest.origin != installation.origin:
        return newest.origin
    closure = newest.closure
    return (closure and closure.successor) or "the log that follows"
