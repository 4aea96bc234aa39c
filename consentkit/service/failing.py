"""What could not be decided or written down: a line for who runs the app."""

from __future__ import annotations

import logging

from consentkit.errors import ConsentKitError
from consentkit.errors import wordless

__all__ = ["cause_of", "log_failed_check", "log_failed_share"]

_LOGGER = logging.getLogger("consentkit")


def log_failed_check(error: Exception) -> None:
    """Say of which error, and where: a check has nobody else to tell, it denies."""
    kind = type(error).__name__
    _LOGGER.error(
        "consentkit: a check failed (%s)",
        kind,
        exc_info=wordless(error),
        extra={"event": "check-failed", "error": kind},
    )


def log_failed_share(error: Exception) -> None:
    """Say of which error; with its frames if it is not one of ours.

    What our own say is about no person and tells what to do, and it is said at each
    request for as long as nobody does it.
    """
    kind, ours = type(error).__name__, isinstance(error, ConsentKitError)
    _LOGGER.error(
        "consentkit: a share failed (%s)",
        f"{kind}: {error}" if ours else kind,
        exc_info=wordless(None if ours else error),
        extra={"event": "share-failed", "error": kind},
    )


def cause_of(error: Exception) -> BaseException | None:
    """What to raise a denial from: one of ours, any other by its type and frames."""
    return error if isinstance(error, ConsentKitError) else wordless(error)
