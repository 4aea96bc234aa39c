"""The releases whose blocks are running, by context: a thread, a task, a request."""

from __future__ import annotations

import contextlib
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.service.release import Release

__all__ = ["all_releases", "live", "live_releases"]

_LIVE: ContextVar[tuple[Release, ...]] = ContextVar("consentkit_releases", default=())
_ALL: dict[int, Release] = {}
_LOCK = threading.Lock()


@contextlib.contextmanager
def live(release: Release) -> Iterator[Release]:
    """Let the guards of this context know the release; it ends with the block."""
    _LIVE.set((*_LIVE.get(), release))
    with _LOCK:
        _ALL[id(release)] = release
    try:
        yield release
    finally:
        release.end()
        with _LOCK:
            del _ALL[id(release)]
        # Not ``reset``: a generator may be closed in another context than it began in.
        _LIVE.set(tuple(each for each in _LIVE.get() if each is not release))


def live_releases() -> tuple[Release, ...]:
    """The releases of this context, the innermost first."""
    return _LIVE.get()[::-1]


def all_releases() -> tuple[Release, ...]:
    """The releases of all contexts of this process."""
    with _LOCK:
        return tuple(_ALL.values())
