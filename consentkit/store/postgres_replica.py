"""The hot read on a replica, which says as well how old it may be.

A replica shows what the primary had committed at some moment, never parts of it. The
moment that stands in ``consent_heartbeat`` was read off a clock before its row was
committed, and rows appear on a replica in the order of their commits: all that was
committed before that moment is in the same snapshot.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.exc import ArgumentError

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.errors import wordless
from consentkit.store import standings
from consentkit.store.addresses import parse_url
from consentkit.store.postgres import load_driver
from consentkit.store.postgres_held import HeldConnections
from consentkit.store.postgres_held import Query
from consentkit.store.postgres_reader import columns_from
from consentkit.store.postgres_reader import query_for_one
from consentkit.store.rows import moment_from
from consentkit.store.rows import standing_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consentkit.core.act import Millis
    from consentkit.core.decision import Standing
    from consentkit.store.connections import Connections
    from consentkit.store.standings import Key

__all__ = ["Replica"]


class Replica:
    """Reads what a decision rests on, from a replica of a PostgreSQL database.

    Raises:
        ConfigurationError: the address is none, or the extra is not installed.
    """

    def __init__(self, uri: str, connections: Connections) -> None:
        try:
            url = parse_url(uri)
        except ArgumentError as error:
            raise ConfigurationError(
                "CONSENTKIT_REPLICA_URI must be a database URL such as "
                "'postgresql://app@replica.example/consent'"
            ) from wordless(error)
        self._one = Query(_query_for_one)
        self._abroad = Query(partial(_query_for_one, abroad=True))
        self._held = HeldConnections(
            url.set(drivername="postgresql+psycopg"),
            load_driver(),
            connections,
            self._one,
            self._abroad,
        )

    def standing(
        self, subject: str, purpose: str, recipient: str, transfer: str = ""
    ) -> tuple[Standing, Millis | None]:
        """As ``Reader.standing``, and the moment that the answer is from at least.

        None where no moment was ever written.

        Raises:
            LogUnavailableError: the replica cannot be read, or a row in it is corrupt.
        """
        query, key = self._one, [subject, purpose, recipient]
        if transfer:
            query, key = self._abroad, [*key, transfer]
        (row,) = self._held.run(query, key)
        return standing_from(row[1:]), moment_from(row[0])

    def standings(
        self, keys: Sequence[Key]
    ) -> tuple[list[Standing | None], Millis | None]:
        """The same of many keys, in one statement; see ``Reader.standings``.

        Raises:
            LogUnavailableError: the replica cannot be read.
        """
        columns = standings.columns_of(keys)
        rows = self._held.rows(
            partial(_query_for_many, columns), columns_from(keys, columns)
        )
        if len(rows) != len(keys):
            raise LogUnavailableError("the replica did not answer for every key")
        found = standings.found_in((row[1:] for row in rows), len(keys))
        return found, moment_from(rows[0][0] if rows else None)

    def close(self) -> None:
        """Close this thread's connection; the next read opens a new one."""
        self._held.close()


def _query_for_one(prefix: str, *, abroad: bool = False) -> str:
    return query_for_one(prefix, abroad=abroad, first=_moment(prefix))


def _query_for_many(columns: int, prefix: str) -> str:
    return standings.postgres_query(columns, prefix, first=_moment(prefix))


def _moment(prefix: str) -> str:
    return f"(SELECT at FROM {prefix}consent_heartbeat WHERE one = 1), "  # noqa: S608  as in the reader
