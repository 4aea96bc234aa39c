"""Time stamps over this log's checkpoints, as their authorities answered.

An answer is kept once and never changed. An authority is known here by the first 16
hex digits of the SHA-256 of its address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consentkit.core.act import Millis
from consentkit.store import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.store.database import Database
    from consentkit.store.logs import LogRow

__all__ = ["Stamped", "Timestamps"]

_CHECKPOINT, _TIMESTAMP = schema.checkpoint, schema.timestamp


@dataclass(frozen=True, slots=True)
class Stamped:
    """That the checkpoint of ``size`` existed at ``time``."""

    size: int
    time: Millis


class Timestamps:
    """What authorities said of one log."""

    def __init__(self, database: Database, log: LogRow) -> None:
        self._database = database
        self._log = log

    def add(self, size: int, authority: str, token: bytes, time: Millis) -> None:
        """Keep what an authority answered, unless it is kept already.

        Raises:
            LogUnavailableError: the database cannot be reached or written.
        """
        earlier = sa.select(_TIMESTAMP.c.time).where(*self._at(size, authority))
        with self._database.write() as connection:
            if connection.scalar(earlier) is not None:
                return
            connection.execute(
                sa.insert(_TIMESTAMP).values(
                    log=self._log.id,
                    size=size,
                    authority=authority,
                    token=token,
                    time=time,
                )
            )

    def newest(self) -> dict[str, Stamped]:
        """The stamp over the largest checkpoint, by authority.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        columns = _TIMESTAMP.c.authority, _TIMESTAMP.c.size, _TIMESTAMP.c.time
        largest = (
            sa.select(_TIMESTAMP.c.authority, sa.func.max(_TIMESTAMP.c.size))
            .where(_TIMESTAMP.c.log == self._log.id)
            .group_by(_TIMESTAMP.c.authority)
        )
        query = (
            sa.select(*columns)
            .where(
                _TIMESTAMP.c.log == self._log.id,
                sa.tuple_(columns[0], columns[1]).in_(largest),
            )
            .order_by(columns[0])
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {row[0]: Stamped(row[1], Millis(row[2])) for row in rows}

    def all(self) -> Iterator[tuple[int, str, bytes]]:
        """Size, authority and answer of every stamp, the smallest size first.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        query = (
            sa.select(_TIMESTAMP.c.size, _TIMESTAMP.c.authority, _TIMESTAMP.c.token)
            .where(_TIMESTAMP.c.log == self._log.id)
            .order_by(_TIMESTAMP.c.size, _TIMESTAMP.c.authority)
        )
        with self._database.read() as connection:
            for size, authority, token in connection.execute(query):
                yield size, authority, bytes(token)

    def read(self, size: int, authority: str) -> bytes | None:
        """What that authority answered about the checkpoint of that size.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        query = sa.select(_TIMESTAMP.c.token).where(*self._at(size, authority))
        with self._database.read() as connection:
            token = connection.scalar(query)
        return None if token is None else bytes(token)

    def waiting_since(self, size: int) -> Millis | None:
        """When the first checkpoint beyond ``size`` was signed, None if there is none.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        query = sa.select(sa.func.min(_CHECKPOINT.c.time)).where(
            _CHECKPOINT.c.log == self._log.id, _CHECKPOINT.c.size > size
        )
        with self._database.read() as connection:
            time = connection.scalar(query)
        return None if time is None else Millis(time)

    def _at(self, size: int, authority: str) -> list[sa.ColumnElement[bool]]:
        return [
            _TIMESTAMP.c.log == self._log.id,
            _TIMESTAMP.c.size == size,
            _TIMESTAMP.c.authority == authority,
        ]
