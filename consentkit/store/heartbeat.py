"""When this database was last known to be the one that is written to.

Whoever reads a replica reads the row as well, in the same statement: everything that
was committed before that moment is in what they read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.store import schema
from consentkit.store.statement import Upsert

if TYPE_CHECKING:
    from consentkit.core.act import Millis
    from consentkit.store.database import Database

__all__ = ["Heartbeat"]

_PUT = Upsert(schema.heartbeat, "at")


class Heartbeat:
    """The one row of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, now: Millis) -> None:
        """Write down that moment, which must not lie after the call.

        Raises:
            LogUnavailableError: the database cannot be written.
        """
        with self._database.write(alone=False) as connection:
            _PUT.run(connection, one=1, at=now)
