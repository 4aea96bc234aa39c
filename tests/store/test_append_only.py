"""Leaves go in and never change: a guard against mistakes of ours.

Not against whoever owns the file. That one is what the signed tree is for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

import pytest
import sqlalchemy as sa

from consentkit.errors import LogConflictError
from consentkit.store import schema

if TYPE_CHECKING:
    from consentkit.store.database import Database

ROW: dict[str, Any] = {
    "position": 1,
    "log": 1,
    "idx": None,
    "id": "1" * 32,
    "kind": "choice",
    "hash": b"hash",
    "bytes": b"bytes",
    "handle": "a" * 32,
    "seq": 0,
    "challenge": "c" * 64,
    "time": 1_000,
}
CHANGES: dict[str, Any] = {
    "position": 2,
    "log": 2,
    "id": "2" * 32,
    "kind": "revocation",
    "hash": b"other",
    "bytes": b"other",
    "handle": None,
    "seq": 1,
    "challenge": None,
    "time": 999,
}

REMOVALS = {
    "delete": "DELETE FROM consent_leaf",
    "replace by position": (
        "REPLACE INTO consent_leaf (log, id, kind, hash, bytes, time, position) "
        "VALUES (1, 'x', 'choice', x'00', x'00', 0, 1)"
    ),
    "replace by id": (
        "REPLACE INTO consent_leaf (log, id, kind, hash, bytes, time) "
        "VALUES (1, :id, 'choice', x'00', x'00', 0)"
    ),
    "replace by challenge": (
        "INSERT OR REPLACE INTO consent_leaf "
        "(log, id, kind, hash, bytes, time, challenge) "
        "VALUES (1, 'x', 'choice', x'00', x'00', 0, :challenge)"
    ),
    "upsert": (
        "INSERT INTO consent_leaf (log, id, kind, hash, bytes, time) "
        "VALUES (1, :id, 'choice', x'00', x'00', 0) "
        "ON CONFLICT DO UPDATE SET bytes = excluded.bytes"
    ),
}


@pytest.fixture
def leaf(database: Database) -> Database:
    with database.write() as connection:
        for number in (1, 2):
            connection.execute(
                sa.insert(schema.log).values(
                    id=number, origin=str(number), size=0, created=0
                )
            )
        connection.execute(sa.insert(schema.leaf).values(**ROW))
    return database


def run(database: Database, statement: str, **values: Any) -> None:
    with database.write() as connection:
        connection.execute(sa.text(statement), values)


def rows(database: Database) -> list[dict[str, Any]]:
    with database.read() as connection:
        query = sa.select(schema.leaf)
        return [dict(row) for row in connection.execute(query).mappings()]


@pytest.mark.requirement("R93")
@pytest.mark.parametrize("numbered", [False, True], ids=["waiting", "numbered"])
@pytest.mark.parametrize("column", CHANGES)
def test_no_column_of_a_leaf_can_be_changed(
    leaf: Database, column: str, *, numbered: bool
) -> None:
    if numbered:
        run(leaf, "UPDATE consent_leaf SET idx = 0")
    before = rows(leaf)
    with pytest.raises(LogConflictError):
        run(leaf, f"UPDATE consent_leaf SET {column} = :new", new=CHANGES[column])  # noqa: S608  a column of ours
    assert rows(leaf) == before


def test_the_table_of_changes_names_every_column() -> None:
    assert {*CHANGES, "idx"} == set(schema.leaf.columns.keys())


def test_a_leaf_gets_its_number_once(leaf: Database) -> None:
    run(leaf, "UPDATE consent_leaf SET idx = 0")
    for other in ("1", "NULL"):
        with pytest.raises(LogConflictError):
            run(leaf, f"UPDATE consent_leaf SET idx = {other}")  # noqa: S608  see above
    assert rows(leaf) == [ROW | {"idx": 0}]


@pytest.mark.requirement("R93")
@pytest.mark.parametrize("statement", REMOVALS.values(), ids=REMOVALS)
def test_a_leaf_cannot_be_taken_out_or_replaced(leaf: Database, statement: str) -> None:
    with pytest.raises(LogConflictError):
        run(leaf, statement, id=ROW["id"], challenge=ROW["challenge"])
    assert rows(leaf) == [ROW]


@pytest.mark.parametrize(
    "same",
    [{"id": ROW["id"]}, {"challenge": ROW["challenge"]}, {"handle": ROW["handle"]}],
    ids=["id", "challenge", "place in the chain"],
)
def test_a_second_leaf_in_the_same_place_is_a_conflict(
    leaf: Database, same: dict[str, str]
) -> None:
    other = ROW | {"position": 2, "id": "2" * 32, "challenge": None, "handle": None}
    with pytest.raises(LogConflictError), leaf.write() as connection:
        connection.execute(sa.insert(schema.leaf).values(**(other | same)))
    assert rows(leaf) == [ROW]


def test_a_position_is_never_given_twice(leaf: Database) -> None:
    """Even after a rollback: what comes later stands later."""
    with leaf.write() as connection:
        connection.execute(
            sa.insert(schema.leaf).values(
                **{**ROW, "position": 7, "id": "7", "seq": 1, "challenge": None}
            )
        )
    with leaf.write() as connection:
        new = {**ROW, "id": "8", "seq": 2, "challenge": None}
        del new["position"]
        connection.execute(sa.insert(schema.leaf).values(**new))
    assert [row["position"] for row in rows(leaf)] == [1, 7, 8]
