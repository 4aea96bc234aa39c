"""An engine that may be carried across a fork."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.pool import Pool

__all__ = ["ForkedEngine"]


class ForkedEngine:
    """One engine, with a new pool in each process that is a fork of its maker's."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._inherited: list[Pool] = []

    def current(self) -> sa.Engine:
        """The engine, with connections of this process only."""
        if self._pid != os.getpid():
            with self._lock:
                if self._pid != os.getpid():
                    # A connection must not be used, nor closed, across a fork:
                    # what is kept here is never collected, and so never closed.
                    self._inherited.append(self._engine.pool)
                    self._engine.dispose(close=False)
                    self._pid = os.getpid()
        return self._engine
