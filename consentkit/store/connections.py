"""How many connections a process opens to a database server, and how long it waits.

None of it matters to SQLite, where there is no server.
"""

from __future__ import annotations

from dataclasses import dataclass

from consentkit.errors import ConfigurationError

__all__ = ["FEWEST_POOLED", "KEPT_SENDS", "TABLE_WAIT", "Connections"]

FEWEST_POOLED = 2
"""Of the pool of one process: its publisher and one thread that writes."""
KEPT_SENDS = 5
"""Connections kept open between sends; while more are sent, there are more."""
TABLE_WAIT = "2s"
"""How long whoever wants a table for itself waits: all others wait behind it.

Longer than the second (``deadlock_timeout``) after which autovacuum gives way.
"""


@dataclass(frozen=True, slots=True)
class Connections:
    """What one process opens at most, and for how many seconds it waits for what.

    ``pooled`` are for acts and reads of pages; a thread that finds none free waits
    ``pool_wait``. ``lock_wait`` is how long a statement waits for a lock of another,
    ``connect_wait`` for a server that does not answer. ``sends`` is how many sends may
    go on at once, 0 for as many as there are. ``pooler`` says whether connections lead
    to a pooler that hands them out by transaction; None: it is looked at.

    Raises:
        ConfigurationError: a pool is too small for one process.
    """

    pooled: int = 15
    pool_wait: int = 30
    lock_wait: int = 30  # as long as a writer waits for its turn on SQLite
    connect_wait: int = 10  # a database that does not answer is one that says no
    sends: int = 0
    pooler: bool | None = None

    def __post_init__(self) -> None:
        if self.pooled < FEWEST_POOLED:
            raise ConfigurationError(
                f"a process needs at least {FEWEST_POOLED} connections in its pool; "
                f"got {self.pooled}"
            )
