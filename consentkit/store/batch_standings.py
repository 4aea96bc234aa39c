"""What a decision rests on, for many people in one statement.

The same as the hot read of one, row by row, so that the same rule decides. The answers
are joined and not filtered: why somebody is withheld has to be known, too.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

import sqlalchemy as sa

from consentkit.store import schema
from consentkit.store.rows import STATUS_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

__all__ = [
    "STANDING",
    "Asked",
    "fetch_some",
    "in_chunks",
    "insert_many",
    "standing_columns",
    "with_standing",
]

STANDING = 3
"""Where in a row about a person the columns of their standing begin.

Before them stand the person's id, their handle, and what a batch rests on.
"""

_CHUNK = 2_000  # rows in memory at a time


@dataclass(frozen=True, slots=True)
class Asked:
    """The question; ``transfer`` is the purpose id of its cross-border twin, or ""."""

    purpose: str
    recipient: str
    transfer: str = ""


class _Tables:
    """The rows that are joined to each person's."""

    def __init__(self) -> None:
        self.answer = schema.state.alias("answer")
        self.transfer = schema.state.alias("transfer")
        self.noted = schema.coming_of_age.alias("noted")


_TABLES = _Tables()


def standing_columns(asked: Asked) -> list[sa.ColumnElement[Any]]:
    """The columns that ``rows.standing_from`` reads, in its order."""
    found: list[sa.ColumnElement[Any]] = [
        *(_TABLES.answer.c[name] for name in STATUS_COLUMNS),
        _suspended(asked).label("suspended"),
        _TABLES.noted.c.at,
    ]
    if asked.transfer:
        found += [
            _TABLES.transfer.c[name].label(f"transfer_{name}")
            for name in STATUS_COLUMNS
        ]
    return found


def with_standing(
    people: sa.FromClause, subject: sa.ColumnElement[str], asked: Asked
) -> sa.FromClause:
    """These rows, each joined to what ``subject`` has answered; all of them stay."""
    tables = _TABLES
    joined: sa.FromClause = people.outerjoin(
        tables.answer, _answers(tables.answer, subject, asked.purpose, asked.recipient)
    ).outerjoin(tables.noted, tables.noted.c.subject == subject)
    if asked.transfer:
        joined = joined.outerjoin(
            tables.transfer,
            _answers(tables.transfer, subject, asked.transfer, asked.recipient),
        )
    return joined


def _answers(
    state: sa.FromClause, subject: sa.ColumnElement[str], purpose: str, recipient: str
) -> sa.ColumnElement[bool]:
    # The state table's column first: its collation is the one that SQLite compares by.
    return sa.and_(
        state.c.subject == subject,
        state.c.purpose == purpose,
        state.c.recipient == recipient,
    )


def _suspended(asked: Asked) -> sa.Exists:
    stop = schema.suspension
    return (
        sa.select(stop.c.since)
        .where(
            stop.c.purpose.in_(["", asked.purpose]),
            stop.c.recipient.in_(["", asked.recipient]),
        )
        .exists()
    )


def in_chunks(
    connection: sa.Connection, query: sa.Select[Any]
) -> Iterator[Sequence[Sequence[Any]]]:
    """All rows, some thousand at a time: a million would fill the memory."""
    if connection.dialect.name == "postgresql":
        # All of it is wanted, not the first rows soon, which is what a cursor is for.
        connection.execute(sa.text("SET LOCAL cursor_tuple_fraction = 1"))
        found = connection.execute(query, execution_options={"yield_per": _CHUNK})
        with contextlib.closing(found):
            yield from found.partitions()
        return
    with contextlib.closing(connection.execute(query)) as found:
        # SQLite's cursor is no further than was fetched; its tuples as they are,
        # since to wrap each takes as long as to judge it.
        cursor: Any = found.cursor
        while rows := cursor.fetchmany(_CHUNK):
            yield rows


def fetch_some(
    connection: sa.Connection, query: sa.Select[Any]
) -> Sequence[Sequence[Any]]:
    """The rows about few of many people, as the driver's own tuples.

    Raises what the driver raises; ``Database`` translates that at its door.
    """
    driver: Any = connection.connection.driver_connection
    with contextlib.ExitStack() as stack:
        if connection.dialect.name == "postgresql":
            # Each looked up by their key: for some thousand the planner would read
            # about everybody there is, each time anew.
            stack.enter_context(driver.transaction())
            driver.execute(
                "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
            )
        found = stack.enter_context(contextlib.closing(connection.execute(query)))
        cursor: Any = found.cursor
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def insert_many(
    connection: sa.Connection, table: sa.Table, rows: list[tuple[Any, ...]]
) -> None:
    """Put rows in that hold every column of the table, as fast as the driver can.

    Raises what the driver raises; ``Database`` translates that at its door.
    """
    if not rows:
        return
    driver: Any = connection.connection.driver_connection
    columns = ", ".join(column.name for column in table.columns)
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" for _ in table.columns)
        driver.executemany(
            f"INSERT INTO {table.name} ({columns}) VALUES ({places})",  # noqa: S608  our own names
            rows,
        )
        return
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row)
