"""Cosignatures of this log's checkpoints, and how each witness stands.

A cosignature is kept once and never changed: the checkpoint that carries it has been
given away. A witness is known here by its key's name and id, as ``name+id``.
"""

from __future__ import annotations

from dataclasses import asdict
from dataclasses import dataclass
from dataclasses import fields
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.store import schema

if TYPE_CHECKING:
    from consentkit.core.act import Millis
    from consentkit.store.database import Database
    from consentkit.store.logs import LogRow

__all__ = ["Cosignature", "Standing", "Witnesses", "cosignature_lines"]

_COSIGNATURE, _WITNESS = schema.cosignature, schema.witness


@dataclass(frozen=True)
class Cosignature:
    """One witness's line under the checkpoint of one size, and the time in it."""

    size: int
    line: bytes
    time: Millis


@dataclass(frozen=True)
class Standing:
    """How things are with one witness.

    ``held`` is the largest size that it is known to have cosigned; ``asked`` the size
    that it was asked for last, at ``time``; before ``due`` it is not asked again.
    ``fault`` says why the last answer was no cosignature, empty if it was one;
    ``failures`` counts such answers in a row.
    """

    held: int = 0
    asked: int = 0
    time: int = 0
    due: int = 0
    failures: int = 0
    fault: str = ""


class Witnesses:
    """What one log knows of its witnesses."""

    def __init__(self, database: Database, log: LogRow) -> None:
        self._database = database
        self._log = log

    def standings(self) -> dict[str, Standing]:
        """Every witness that was ever asked, by name and id of its key.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        columns = [_WITNESS.c[field.name] for field in fields(Standing)]
        query = sa.select(_WITNESS.c.witness, *columns).where(
            _WITNESS.c.log == self._log.id
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {row[0]: Standing(*row[1:]) for row in rows}

    def newest(self, witness: str) -> Cosignature | None:
        """The cosignature of the largest size that this witness has given.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        query = (
            sa.select(_COSIGNATURE.c.size, _COSIGNATURE.c.line, _COSIGNATURE.c.time)
            .where(
                _COSIGNATURE.c.log == self._log.id, _COSIGNATURE.c.witness == witness
            )
            .order_by(_COSIGNATURE.c.size.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return Cosignature(row[0], bytes(row[1]), row[2]) if row else None

    def keep(
        self, witness: str, standing: Standing, cosignature: Cosignature | None
    ) -> None:
        """Keep how a witness stands now, together with what it cosigned.

        Raises:
            LogUnavailableError: the database cannot be reached or written.
        """
        key: dict[str, Any] = {"log": self._log.id, "witness": witness}
        with self._database.write() as connection:
            connection.execute(sa.delete(_WITNESS).where(*_equal(_WITNESS, key)))
            connection.execute(sa.insert(_WITNESS).values(**key, **asdict(standing)))
            if cosignature is None:
                return
            key |= {"size": cosignature.size}
            earlier = sa.select(_COSIGNATURE.c.line).where(*_equal(_COSIGNATURE, key))
            if connection.scalar(earlier) is None:
                connection.execute(
                    sa.insert(_COSIGNATURE).values(
                        **key, line=cosignature.line, time=cosignature.time
                    )
                )


def cosignature_lines(connection: sa.Connection, log: int, size: int) -> list[bytes]:
    """The lines that witnesses gave for the checkpoint of that size, earliest first."""
    query = (
        sa.select(_COSIGNATURE.c.line)
        .where(_COSIGNATURE.c.log == log, _COSIGNATURE.c.size == size)
        .order_by(_COSIGNATURE.c.time, _COSIGNATURE.c.witness)
    )
    return [bytes(line) for line in connection.scalars(query)]


def _equal(table: sa.Table, key: dict[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == value for name, value in key.items()]
