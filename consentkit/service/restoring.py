"""A database that went back in time must not share what was withdrawn since (R58).

Whoever put back a copy of it may have brought back a yes that its person had taken
back. Nobody can tell which, since the withdrawals are what is missing. So when the log
is known to have come further than the database, all sharing is stopped by the kill
switch: in the database itself, so that every process of every machine sees it at its
next check, at no cost to the check.

Noticed at the start of each process, and once a second by whoever publishes.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from consentkit.errors import LogConflictError
from consentkit.errors import LogError
from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless
from consentkit.service.administering import Official
from consentkit.service.marking import check_newest
from consentkit.service.suspending import suspend

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from consentkit.service.installation import Installation

__all__ = ["BY", "stop_if_behind"]

BY = "consentkit"
"""Who stands in the log as the official: nobody did it, the software noticed."""

_LOGGER = logging.getLogger("consentkit")


def stop_if_behind(installation: Installation) -> bool:
    """Suspend all sharing if the database is known not to be the newest; whether it is.

    What is only unreadable or lost tells nothing, and stops nothing. That sharing was
    stopped is logged as an error; the suspension is lifted by an official, once the
    database is the newest again (``suspending.resume``).

    Raises:
        LogUnavailableError: it is not the newest, and sharing could not be stopped. No
            process may begin to answer from it.
    """
    try:
        with _while_nobody_signs(installation):
            check_newest(installation)
    except LogConflictError as error:
        if not error.size:  # a file that is damaged, or of another log
            return False
        _stop(installation, error)
        return True
    except LogUnavailableError as error:
        _LOGGER.warning(
            "consentkit: cannot tell whether the database is the newest",
            exc_info=wordless(error),
            extra={"event": "newest-unknown"},
        )
    return False


def _while_nobody_signs(installation: Installation) -> AbstractContextManager[None]:
    """A signature that is half done, in the file and not in the database, is no fault.

    Raises:
        LogUnavailableError: this process may not lock the file.
    """
    high_water = installation.high_water
    if high_water.path.exists():
        return high_water.held()
    return contextlib.nullcontext()  # what is published is in the database already


def _stop(installation: Installation, error: LogConflictError) -> None:
    try:
        stopped = suspend(installation, by=Official(BY, str(error)[:1_000]))
    except LogError as failure:
        _LOGGER.exception(
            "consentkit: sharing could not be stopped, though %s",
            error,
            exc_info=wordless(failure),
            extra={"event": "sharing-not-stopped"},
        )
        raise LogUnavailableError(
            f"sharing could not be stopped ({failure}), though {error}"
        ) from error
    if stopped is not None:
        _LOGGER.error(
            "consentkit: all sharing was stopped, as consents may have been withdrawn "
            "since: %s",
            error,
            extra={"event": "sharing-stopped"},
        )
