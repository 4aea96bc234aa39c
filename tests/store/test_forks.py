"""A fork inherits connections; it must neither use nor close them.

SQLite keeps track of its locks per process. A connection closed by a fork gives up
locks that its parent believes to hold.
"""

from __future__ import annotations

import gc
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event

from consentkit.store import schema
from consentkit.store.database import Database
from consentkit.store.sqlite_reader import SqliteReader
from tests.laid_tables import lay_tables
from tests.processes import in_fork
from tests.store.answers import put

KEY = ("alice", "score", "acme")


def descriptors(file: Path) -> set[int]:
    """This process's open descriptors of the file."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = link.readlink()
        except FileNotFoundError:  # the one that lists the folder
            continue
        if target == file:
            found.add(int(link.name))
    return found


def test_a_fork_writes_by_connections_of_its_own(
    database: Database, file: Path
) -> None:
    with database.read() as connection:
        connection.execute(sa.select(schema.log)).all()
    inherited = descriptors(file)

    def write() -> list[int]:
        with database.write() as connection:
            connection.execute(
                sa.insert(schema.log).values(origin="fork", size=0, created=0)
            )
        gc.collect()
        return sorted(descriptors(file))

    after = in_fork(write).value
    assert inherited
    assert inherited < set(after)
    with database.read() as connection:
        assert connection.scalar(sa.select(schema.log.c.origin)) == "fork"


def test_a_fork_reads_by_a_connection_of_its_own(
    database: Database, file: Path
) -> None:
    put(file, *KEY)
    reader = SqliteReader(file, timeout=30)
    database.dispose()
    assert reader.standing(*KEY).status
    inherited = descriptors(file)

    def read() -> tuple[bool, list[int]]:
        known = reader.standing(*KEY).status is not None
        gc.collect()
        return known, sorted(descriptors(file))

    known, after = in_fork(read).value
    assert known
    assert inherited
    assert inherited < set(after)
    assert reader.standing(*KEY).status


def test_a_reader_closed_in_a_fork_keeps_what_it_inherited(
    database: Database, file: Path
) -> None:
    reader = SqliteReader(file, timeout=30)
    database.dispose()
    reader.standing(*KEY)
    inherited = descriptors(file)

    def close() -> list[int]:
        reader.close()
        gc.collect()
        return sorted(descriptors(file))

    assert set(in_fork(close).value) == inherited != set()


def test_a_database_that_is_dropped_closes_what_it_pooled(file: Path) -> None:
    """Not the collector of garbage, which warns of it from Python 3.13 on."""
    dropped = [pooling(file)]
    closed: list[object] = []
    event.listen(dropped[0].engine, "close", lambda *_: closed.append(1))
    assert descriptors(file)

    dropped.clear()
    gc.collect()

    assert closed
    assert not descriptors(file)


def test_a_database_dropped_in_a_fork_keeps_what_it_inherited(file: Path) -> None:
    dropped = [pooling(file)]
    inherited = descriptors(file)

    def drop() -> list[int]:
        dropped.clear()
        gc.collect()
        return sorted(descriptors(file))

    assert set(in_fork(drop).value) == inherited != set()


def pooling(file: Path) -> Database:
    """A database with one connection in its pool."""
    lay_tables(file)
    database = Database(f"sqlite:///{file}")
    with database.read() as connection:
        connection.execute(sa.select(schema.log)).all()
    return database
