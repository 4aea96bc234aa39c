"""The hot read behind every check, on PostgreSQL: one statement, kept prepared."""

from __future__ import annotations

from functools import partial
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

__all__ = ["PostgresReader", "columns_from", "query_for_one"]

_STATE = ", ".join(f"state.{name}" for name in STATUS_COLUMNS)
_TRANSFER = ", ".join(f"transfer.{name}" for name in STATUS_COLUMNS)


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
        self._one = Query(query_for_one)
        self._abroad = Query(partial(query_for_one, abroad=True))
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
            partial(standings.postgres_query, columns), columns_from(keys, columns)
        )
        return standings.found_in(rows, len(keys))

    def close(self) -> None:
        """See ``Reader.close``."""
        self._held.close()


def query_for_one(prefix: str = "", *, abroad: bool = False, first: str = "") -> str:
    """The statement for one key: $1 to $3, and $4 for the transfer where it is abroad.

    ``prefix`` is written before the name of each table; ``first`` is what is selected
    before all else, with a comma at its end.

    One statement, so that all of it held at one instant; always one row, so that a
    suspension is seen whoever is asked about. The few suspensions are read through, by
    expressions that no index holds: to open theirs takes longer than all of them.
    """
    transfer = joined = ""
    if abroad:
        transfer = f", {_TRANSFER}"
        joined = f"""LEFT JOIN {prefix}consent_state AS transfer
    ON transfer.subject = $1 AND transfer.purpose = $4 AND transfer.recipient = $3
"""
    return f"""
SELECT {first}{_STATE}, EXISTS (
    SELECT 1 FROM {prefix}consent_suspension
    WHERE purpose || '' IN ('', $2) AND recipient || '' IN ('', $3)
) AS suspended, (
    SELECT at FROM {prefix}consent_coming_of_age WHERE subject = $1
) AS of_age{transfer} FROM (SELECT 1) AS one LEFT JOIN {prefix}consent_state AS state
    ON state.subject = $1 AND state.purpose = $2 AND state.recipient = $3
{joined}"""  # noqa: S608  names of tables and columns, made in this room


def columns_from(keys: Sequence[Key], count: int) -> list[list[str]]:
    """The first so many columns of the keys, as the statement for many takes them."""
    return [[key[column] for key in keys] for column in range(count)]
