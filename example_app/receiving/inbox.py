"""Everything that came in, kept as it came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING
from typing import Any

from sqlalchemy import JSON
from sqlalchemy import Column
from sqlalchemy import DateTime
from sqlalchemy import Integer
from sqlalchemy import MetaData
from sqlalchemy import Row
from sqlalchemy import String
from sqlalchemy import Table
from sqlalchemy import Text
from sqlalchemy import create_engine
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Mapping

__all__ = ["Forgotten", "Inbox", "Received"]

_metadata = MetaData()

_received = Table(
    "received",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("at", DateTime, nullable=False),  # UTC
    Column("content", JSON, nullable=False),
    Column("answer", String(120), nullable=False),
)

_forgotten = Table(
    "forgotten",
    _metadata,
    Column("record", String(32), primary_key=True),
    Column("at", DateTime, nullable=False),  # UTC
    Column("requests", Integer, nullable=False),
)

_proof = Table(
    "proof",
    _metadata,
    Column("disclosure", String(32), primary_key=True),
    Column("at", DateTime, nullable=False),  # UTC
    Column("proof", Text, nullable=False),
)

_SHOWN = 200  # the page is for looking, not for archives


@dataclass(frozen=True)
class Received:
    """One request: when it came (aware UTC), all it said, and what was answered."""

    id: int
    at: datetime
    content: Mapping[str, Any]
    answer: str


@dataclass(frozen=True)
class Forgotten:
    """What was deleted since the consent ended: under which record, how much, when."""

    record: str
    requests: int
    at: datetime


class Inbox:
    """The requests that one company took, in its own database."""

    def __init__(self, uri: str) -> None:
        self._engine = create_engine(uri)
        _metadata.create_all(self._engine)

    def keep(self, content: Mapping[str, Any], *, answer: str) -> None:
        """Keep what came, as it came, and a line on what was answered."""
        row = {
            "at": datetime.now(UTC).replace(tzinfo=None),
            "content": dict(content),
            "answer": answer,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(_received), row)

    def keep_proof(self, disclosure: str, proof: str) -> bool:
        """Keep what shows that we may hold it; False if that came before, a copy.

        It stays when the data is deleted: it says nothing of the person, and shows that
        they were held rightly until then.
        """
        now = datetime.now(UTC).replace(tzinfo=None)
        row = {"disclosure": disclosure, "at": now, "proof": proof}
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(_proof), row)
        except IntegrityError:
            return False
        return True

    def proofs(self) -> list[str]:
        """The proofs that came last, newest first."""
        newest = select(_proof.c.proof).order_by(_proof.c.at.desc()).limit(_SHOWN)
        with self._engine.connect() as connection:
            return list(connection.scalars(newest))

    def forget(self, records: Collection[str]) -> None:
        """Delete all that came under these records, which hold no longer."""
        record = _received.c.content["record"].as_string()
        now = datetime.now(UTC).replace(tzinfo=None)
        with self._engine.begin() as connection:
            for each in sorted(records):
                gone = connection.execute(delete(_received).where(record == each))
                if gone.rowcount:
                    row = {"record": each, "at": now, "requests": gone.rowcount}
                    connection.execute(insert(_forgotten), row)

    def forgotten(self) -> list[Forgotten]:
        """What was deleted last, newest first."""
        newest = select(_forgotten).order_by(_forgotten.c.at.desc()).limit(_SHOWN)
        with self._engine.connect() as connection:
            return [
                Forgotten(row.record, row.requests, row.at.replace(tzinfo=UTC))
                for row in connection.execute(newest)
            ]

    def latest(self) -> list[Received]:
        """What came last, newest first."""
        newest = select(_received).order_by(_received.c.id.desc()).limit(_SHOWN)
        with self._engine.connect() as connection:
            return [_as_received(row) for row in connection.execute(newest)]

    def find(self, number: int) -> Received | None:
        """The request with this number."""
        chosen = select(_received).where(_received.c.id == number)
        with self._engine.connect() as connection:
            row = connection.execute(chosen).one_or_none()
        return _as_received(row) if row else None


def _as_received(row: Row[Any]) -> Received:
    return Received(row.id, row.at.replace(tzinfo=UTC), row.content, row.answer)
