"""The hot read behind every check, on PostgreSQL: one statement, kept prepared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.store import standings
from consentkit.store.postgres_held import HeldConnections
from consentkit.store.postgres_held import Query
from consentkit.store.rows import STATUS_COLUMNS
from consentkit.store.rows import standing_from

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    import sqlalchemy as sa

    from consentkit.core.decision import Standing
    from consentkit.store.connections import Connections
    from consentkit.store.postgres_schema import Home
    from consentkit.store.postgres_timeline import Cluster
    from consentkit.store.standings import Key

__all__ = ["ONE", "ONE_ABROAD", "PostgresReader", "columns_from"]

_STATE = ", ".join(f"state.{name}" for name in STATUS_COLUMNS)
_TRANSFER = ", ".join(f"transfer.{name}" for name in STATUS_COLUMNS)
# One statement, so that all of it held at one instant; always one row, so that a
# suspension is seen whoever is asked about. The few suspensions are read through, by
# expressions that no index holds: to open theirs takes longer than all of them.
ONE = f"""
SELECT {_STATE}, EXISTS (
    SELECT 1 FROM consent_suspension
    WHERE purpose || '' IN ('', $2) AND recipient || '' IN ('', $3)
) AS suspended, (
    SELECT at FROM consent_coming_of_age WHERE subject = $1
) AS of_age FROM (SELECT 1) AS one LEFT JOIN consent_state AS state
    ON state.subject = $1 AND state.purpose = $2 AND state.recipient = $3
"""  # noqa: S608  names of columns, constants of this room
ONE_ABROAD = (
    ONE.replace("AS of_age", f"AS of_age, {_TRANSFER}")
    + """LEFT JOIN consent_state AS transfer
    ON transfer.subject = $1 AND transfer.purpose = $4 AND transfer.recipient = $3
"""
)


class PostgresReader:
    """Reads what a decision rests on, from one PostgreSQL database (a ``Reader``)."""

    def __init__(
        self,
        url: sa.URL,
        driver: ModuleType,
        connections: Connections,
        cluster: Cluster,
        home: Home,
    ) -> None:
        self._one, self._abroad = Query(ONE), Query(ONE_ABROAD)
        self._held = HeldConnections(
            *(url, driver, connections, self._one, self._abroad),
            cluster=cluster,
            home=home,
        )

    def standing(
        self, subject: str, purpose: str, recipient: str, transfer: str = ""
    ) -> Standing:
        """See ``Reader.standing``."""
        query, key = self._one, [subject, purpose, recipient]
        if transfer:
            query, key = self._abroad, [*key, transfer]
        (row,) = self._held.run(query, key)
        return standing_from(row)

    def standings(self, keys: Sequence[Key]) -> list[Standing | None]:
        """See ``Reader.standings``: one statement, however many there are."""
        columns = standings.columns_of(keys)
        rows = self._held.rows(
            standings.postgres_query(columns), columns_from(keys, columns)
        )
        return standings.found_in(rows, len(keys))

    def close(self) -> None:
        """See ``Reader.close``."""
        self._held.close()


def columns_from(keys: Sequence[Key], count: int) -> list[list[str]]:
    """The first so many columns of the keys, as the statement for many takes them."""
    return [[key[column] for key in keys] for column in range(count)]
