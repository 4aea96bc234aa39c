"""The servers behind one address: none is waited for in vain, no old one is believed.

When a standby takes over, PostgreSQL begins a new timeline, and its number only grows.
So of two servers that both take writes, the one with the lower number is the one that
was taken over from, and knows nothing of what is newer. A process that has seen the
higher one refuses it, at each new connection.

A process that begins later has seen nothing, and cannot tell. Its database is held
against the high-water file instead (``service.restoring``).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from typing import Any

from sqlalchemy import event

from consentkit.errors import LogUnavailableError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from consentkit.store.postgres_connection import PatientConnection

__all__ = ["Cluster"]

_ASK = """
SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL
    ELSE pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) END
"""
_DIGITS = 8  # of the timeline, in hex, at the front of the name of a file of the WAL


class Cluster:
    """A primary and its standbys, and the newest timeline that was seen of them."""

    def __init__(self) -> None:
        self._newest = 0
        self._lock = threading.Lock()

    def serve(self, engine: sa.Engine) -> None:
        """Let that engine open its connections here."""

        def connect(
            _dialect: object, _record: object, arguments: Any, options: Any
        ) -> PatientConnection:
            return self.connect(*arguments, **options)

        event.listen(engine, "do_connect", connect)

    def connect(self, *arguments: Any, **options: Any) -> PatientConnection:
        """A new connection, to a server that nobody has taken over from.

        Raises:
            LogUnavailableError: another server has.
            psycopg.Error: none answers.
        """
        # Loaded here only: it needs psycopg, an extra.
        from consentkit.store import postgres_connection as patient  # noqa: PLC0415

        connection = patient.PatientConnection.connect(*arguments, **options)
        try:
            self._check(_timeline_of(connection))
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, timeline: int | None) -> None:
        if timeline is None:
            return
        with self._lock:
            newest = self._newest = max(timeline, self._newest)
        if timeline < newest:
            raise LogUnavailableError(
                f"a server of the consent database is on timeline {timeline}, and this "
                f"process has seen one on timeline {newest}: it is an old primary that "
                "came back; stop it, and let it join as a standby (docs/failover.md); "
                "if it was put back on purpose, start the app anew"
            )


def _timeline_of(connection: PatientConnection) -> int | None:
    """None where it cannot be told: a standby takes no writes, and may lag."""
    from psycopg import Error  # noqa: PLC0415  as above

    try:
        row = connection.execute(_ASK, prepare=False).fetchone()
    except Error as error:
        if error.sqlstate is None or connection.closed:
            raise
        row = None  # some that speak PostgreSQL's language have no such functions
    if not connection.autocommit:
        connection.rollback()
    return int(row[0][:_DIGITS], 16) if row and row[0] else None
