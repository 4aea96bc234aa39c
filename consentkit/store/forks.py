"""An engine that may be carried across a fork, and may be dropped."""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["ForkedEngine"]

# Of a parent process. A connection must not be used, nor closed, across a fork: what is
# kept here is never collected, and so never closed.
_INHERITED: list[object] = []


class ForkedEngine:
    """One engine, with a new pool in each process that is a fork of its maker's.

    The process that opened what is pooled closes it with the last reference to this,
    or at its own end: drivers warn of a connection that is collected while it is open.
    No listener of the engine may refer to this; it would be kept for ever.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._own()

    def current(self) -> sa.Engine:
        """The engine, with connections of this process only."""
        if self._pid != os.getpid():
            with self._lock:
                if self._pid != os.getpid():
                    self._closes.detach()
                    _INHERITED.append(self._engine.pool)
                    self._engine.dispose(close=False)
                    self._own()
        return self._engine

    def _own(self) -> None:
        self._pid = os.getpid()
        self._closes = weakref.finalize(self, _close, self._engine, self._pid)


def _close(engine: sa.Engine, opened_by: int) -> None:
    if opened_by == os.getpid():
        engine.dispose()
    else:
        _INHERITED.append(engine)
