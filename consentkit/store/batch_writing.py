"""A batch as it is written: who is asked about, who was released, and the tree.

All of it happens in one write transaction that overlaps with no other, so that what
the entries say holds at the place in the log that the batch's leaf gets.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeGuard
from uuid import UUID

import sqlalchemy as sa

from consentkit.core.decision import Reason
from consentkit.errors import InvalidRequestError
from consentkit.store import entries
from consentkit.store import schema
from consentkit.store.batch_standings import in_chunks
from consentkit.store.batch_standings import insert_many
from consentkit.store.batch_standings import standing_columns
from consentkit.store.batch_standings import with_standing
from consentkit.store.clause import subject_text

if TYPE_CHECKING:
    from collections.abc import Generator
    from collections.abc import Iterable
    from collections.abc import Iterator

    from consentkit.log.leaf import Leaf
    from consentkit.store.batch_standings import Asked

__all__ = ["BatchWriter", "Candidate", "id_type", "is_expression", "is_statement"]

Candidate = Sequence[Any]
"""Subject, handle, hash of the act that stands, and the columns of a standing."""

_BATCH, _ENTRY = schema.batch, schema.batch_entry
_SUBJECT, _LEAF = schema.subject, schema.leaf
_MANY = 1_000  # rows that make a planner's old figures wrong
_LINES = 2_000  # ids put into the temporary table at a time
_ASKED = sa.Table(
    "consent_asked",
    sa.MetaData(),
    sa.Column("subject", schema.TEXT),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)


def is_statement(value: object) -> TypeGuard[sa.SelectBase]:
    """Whether that is a statement that selects something."""
    return isinstance(value, sa.SelectBase)


def is_expression(value: object) -> bool:
    """Whether that is SQL, and so nothing to go through."""
    return isinstance(value, sa.ClauseElement)


def id_type(statement: sa.SelectBase) -> type:
    """What the statement's rows hold in Python: text, numbers, UUIDs."""
    column = next(iter(statement.selected_columns), None)
    form = sa.Text() if column is None else column.type
    return UUID if isinstance(form, sa.Uuid) and form.as_uuid else form.python_type


class BatchWriter:
    """What one write transaction does for a batch."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def candidates(
        self, people: sa.SelectBase | Iterable[str | None], asked: Asked
    ) -> Generator[Sequence[Candidate], None, None]:
        """Everybody who is asked about, in the order of their handles, in chunks.

        Somebody named twice comes twice, one after the other. Who has no handle comes
        with None, in the order of their ids.

        Raises:
            InvalidRequestError: the statement selects something else than one column.
            ConfigurationError: that column is of a type that no subject id is of.
        """
        if isinstance(people, sa.SelectBase):
            yield from self._those_of(people, asked)
            return
        _ASKED.create(self._connection)
        rows: list[tuple[str | None]] = []
        for each in people:
            rows.append((each,))
            if len(rows) == _LINES:
                insert_many(self._connection, _ASKED, rows)
                rows.clear()
        insert_many(self._connection, _ASKED, rows)
        yield from self._those_of(sa.select(_ASKED.c.subject), asked)
        if self._connection.dialect.name == "sqlite":
            _ASKED.drop(self._connection)

    def _those_of(
        self, statement: sa.SelectBase, asked: Asked
    ) -> Iterator[Sequence[Candidate]]:
        columns = list(statement.subquery("asked").columns)
        if len(columns) != 1:
            raise InvalidRequestError(
                "expected a statement that selects one column, that of the subjects' "
                f"ids; got one of {len(columns)}",
                code="batch",
            )
        key = subject_text(columns[0], self._connection.dialect.name)
        people = sa.select(key.label("subject")).subquery("people")
        subject = people.c.subject
        act = _LEAF.alias("act")
        known = people.outerjoin(_SUBJECT, _SUBJECT.c.subject == subject)
        joined = with_standing(known, subject, asked)
        standing = standing_columns(asked)
        record = next(each for each in standing if each.name == "record")
        logs = sa.select(schema.log.c.id)
        is_act = act.c.log.in_(logs) & (act.c.id == record) & entries.not_left_out(act)
        joined = joined.outerjoin(act, is_act)
        yield from in_chunks(
            self._connection,
            sa.select(subject, _SUBJECT.c.handle, act.c.hash, *standing)
            .select_from(joined)
            .order_by(_SUBJECT.c.handle, subject),
        )

    def next_number(self) -> int:
        """The number of the next batch; nobody else makes one meanwhile."""
        last = self._connection.scalar(sa.select(sa.func.max(_BATCH.c.number)))
        return (last or 0) + 1

    def add_entries(self, rows: list[tuple[int, str, str, str, bytes | None]]) -> None:
        """Note people with handles, as (batch, handle, reason, record, act)."""
        insert_many(self._connection, _ENTRY, rows)

    def add_strangers(self, rows: list[tuple[int, str, str]]) -> None:
        """Note people without handles, as (batch, subject, reason)."""
        insert_many(self._connection, schema.batch_stranger, rows)

    def add_tiles(self, rows: list[tuple[int, int, int, str, bytes]]) -> None:
        """Keep tiles of its tree, as (batch, level, number, first handle, hashes)."""
        insert_many(self._connection, schema.batch_tile, rows)

    def add_batch(self, number: int, leaf: Leaf, *, scope: str) -> None:
        """Keep what all of them have in common."""
        body = leaf.body
        self._connection.execute(
            sa.insert(_BATCH).values(
                number=number,
                leaf=leaf.id,
                time=leaf.time,
                purpose=body["purpose"],
                recipient=body["recipient"],
                data=" ".join(body["data"]),
                scope=scope,
                size=body["count"],
            )
        )

    def settle(self, size: int) -> None:
        """Let PostgreSQL know of so many new rows before anybody asks for some."""
        if self._connection.dialect.name == "postgresql" and size >= _MANY:
            self._connection.exec_driver_sql(f"ANALYZE {_ENTRY.name}")

    def keep_back(
        self, batch: str, handle: str, reason: str, *, and_after: bool = False
    ) -> None:
        """Note why somebody who was named was not handed over.

        With ``and_after`` so do all who stand behind them and were not kept back yet.
        """
        number = sa.select(_BATCH.c.number).where(_BATCH.c.leaf == batch)
        column = _ENTRY.c.handle
        self._connection.execute(
            sa.update(_ENTRY)
            .where(
                _ENTRY.c.batch == number.scalar_subquery(),
                column >= handle if and_after else column == handle,
                _ENTRY.c.act.is_not(None),
                _ENTRY.c.reason == Reason.GRANTED.value,
            )
            .values(reason=reason)
        )
