"""Each period in tables of its own, on PostgreSQL."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from consentkit.core.act import Millis
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.store import partitions
from consentkit.store import schema
from consentkit.store.database import Database
from consentkit.store.disclosures import Disclosures
from consentkit.store.erasing import Eraser
from consentkit.store.history import History
from tests.postgres_server import on_postgres
from tests.service.two_logs import follow
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet
from tests.store.filled_periods import fill
from tests.store.filled_periods import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres_server import PostgresServer

_MANY = 40  # leaves of each log
_TABLES = ("consent_leaf", "consent_disclosure", "consent_state")
_QUOTED = ", ".join(f"'{name}'" for name in _TABLES)
_NAMES = f"""
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE conrelid::regclass::text IN ({_QUOTED}) UNION
    SELECT tablename, indexname, split_part(indexdef, ' USING ', 2)
    FROM pg_indexes WHERE tablename IN ({_QUOTED}) UNION
    SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
    FROM pg_trigger WHERE tgrelid::regclass::text IN ({_QUOTED}) AND NOT tgisinternal
"""  # noqa: S608  names of tables
_CHANGES = (
    "DELETE FROM {table} WHERE log = 2",
    "TRUNCATE {table}",
    "TRUNCATE {table} CASCADE",
    "UPDATE {table} SET idx = idx + 100 WHERE idx IS NOT NULL",
    "UPDATE {table} SET log = 1 WHERE log = 2 AND idx IS NULL",
    "UPDATE {table} SET position = position + 100 WHERE log = 2",
    *(
        "UPDATE {table} SET " + f"{name} = {name} || {name} WHERE log = 2"  # noqa: S608  columns of ours
        for name in ("id", "kind", "hash", "bytes", "handle", "challenge")
    ),
    *(
        "UPDATE {table} SET " + f"{name} = {name} + 100 WHERE log = 2"  # noqa: S608  columns of ours
        for name in ("seq", "time")
    ),
)
_COLUMNS = """
    SELECT table_name, column_name, ordinal_position, data_type, is_nullable,
        column_default, collation_name
    FROM information_schema.columns WHERE table_name LIKE 'consent%' ORDER BY 1, 3
"""


def add_log(database: Database, number: int, *, closed: bool = False) -> None:
    with database.write() as connection:
        connection.execute(
            sa.insert(schema.log).values(
                id=number,
                origin=str(number),
                size=0,
                created=0,
                closed=1 if closed else None,
            )
        )


def make_room(database: Database, number: int) -> None:
    with database.write() as connection:
        partitions.make_room(connection, number)


def missing(database: Database) -> list[str]:
    with database.read() as connection:
        return partitions.missing(connection)


def rows(uri: str, table: str) -> list[tuple[Any, ...]]:
    # Whole rows but for what the migration adds to them.
    form = "to_jsonb(t) - 'log'" if table == "consent_disclosure" else "to_jsonb(t)"
    return on_postgres(uri, f"SELECT {form} FROM {table} AS t ORDER BY 1")  # noqa: S608  written here


def parts(uri: str) -> set[str]:
    query = "SELECT inhrelid::regclass::text FROM pg_inherits"
    return {
        name
        for (name,) in on_postgres(uri, query)
        if name.startswith(_TABLES) and not name.endswith(("key", "idx"))
    }


def of_person(number: int) -> str:
    return hashlib.md5(f"handle{number}".encode(), usedforsecurity=False).hexdigest()


def fill_two(database: Database, uri: str) -> Database:
    """Two logs; the first is closed, and every leaf of it numbered."""
    for number in (1, 2):
        add_log(database, number, closed=number == 1)
        make_room(database, number)
    with psycopg.connect(uri) as connection:
        fill(connection, 2, _MANY)
        connection.execute(
            "UPDATE consent_leaf SET idx = position - 1 WHERE log = 1 AND idx IS NULL"
        )
    return database


@pytest.fixture
def uri(postgres: PostgresServer) -> str:
    return postgres.new_tables()


@pytest.fixture
def database(uri: str) -> Iterator[Database]:
    found = Database(uri)
    yield found
    found.dispose()


@pytest.fixture
def filled(database: Database, uri: str) -> Database:
    return fill_two(database, uri)


# Where rows go


def test_a_log_finds_its_partitions_made_and_so_does_the_one_that_follows(
    tmp_path: Path, uri: str
) -> None:
    wallet = Wallet(tmp_path, uri=uri)
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    first = wallet.installation
    follow(wallet)
    wallet.share("alice", CREDIT_SCORE)
    first.close()
    Wallet.close_all()
    for table in ("consent_leaf", "consent_disclosure"):
        assert {log for _, log in _places(uri, table, "log")} == {1, 2}
        assert {f"{table}_1", f"{table}_2"} <= parts(uri)
    database = Database(uri)
    assert missing(database) == []
    database.dispose()


def test_every_row_is_in_the_partition_of_its_log(filled: Database, uri: str) -> None:
    for table in ("consent_leaf", "consent_disclosure"):
        assert {(name, log) for name, log in _places(uri, table, "log")} == {
            (f"{table}_1", 1),
            (f"{table}_2", 2),
        }
    found = {name for name, _ in _places(uri, "consent_state", "1")}
    every = {f"consent_state_{number}" for number in range(8)}
    assert len(found) > 1
    assert found <= every <= parts(uri)
    assert missing(filled) == []


def _places(uri: str, table: str, column: str) -> list[tuple[Any, ...]]:
    query = f"SELECT DISTINCT tableoid::regclass::text, {column} FROM {table}"  # noqa: S608  written above
    return on_postgres(uri, query)


def test_room_is_made_once_and_again_without_harm(filled: Database, uri: str) -> None:
    before = parts(uri)
    make_room(filled, 1)
    assert parts(uri) == before


def test_whoever_reads_and_writes_meanwhile_goes_on(filled: Database, uri: str) -> None:
    new = (
        "INSERT INTO consent_leaf (log, id, kind, hash, bytes, time) "
        "VALUES (2, '{}', 'choice', '', '', 0)"
    )
    read = "SELECT count(*) FROM consent_leaf, consent_disclosure"
    with psycopg.connect(uri) as open_already, psycopg.connect(uri) as comes_later:
        for connection in (open_already, comes_later):
            connection.execute("SET lock_timeout TO '5s'")
        open_already.execute(read)
        open_already.execute(new.format("first").encode())
        add_log(filled, 3)
        with filled.write() as making:
            making.exec_driver_sql("SET LOCAL lock_timeout TO '5s'")
            partitions.make_room(making, 3)
            comes_later.execute(read)
            comes_later.execute(new.format("second").encode())
    assert missing(filled) == []


def test_what_is_missing_is_named_and_made(database: Database, uri: str) -> None:
    add_log(database, 7)
    assert missing(database) == ["consent_leaf_7", "consent_disclosure_7"]
    make_room(database, 7)
    assert missing(database) == []
    on_postgres(uri, "DROP TRIGGER consent_leaf_no_truncate ON consent_leaf_7")
    (lost,) = missing(database)
    assert lost == "the trigger consent_leaf_no_truncate on consent_leaf_7"
    make_room(database, 7)
    assert missing(database) == []
    on_postgres(uri, "DROP TABLE consent_state_3")
    assert missing(database) == ["consent_state_3"]


def test_a_leaf_without_a_partition_is_refused_and_not_lost(
    database: Database,
) -> None:
    add_log(database, 7)
    values = {"id": "1", "kind": "key", "hash": b"", "bytes": b"", "time": 0}
    with pytest.raises(LogConflictError), database.write() as connection:
        connection.execute(sa.insert(schema.leaf).values(log=7, **values))


def test_who_does_not_own_the_tables_cannot_make_room(
    database: Database, uri: str
) -> None:
    add_log(database, 7)
    on_postgres(uri, "DROP ROLE IF EXISTS writer")
    on_postgres(uri, "CREATE ROLE writer LOGIN")
    on_postgres(uri, "GRANT ALL ON ALL TABLES IN SCHEMA public TO writer")
    writer = Database(uri.replace("ck@", "writer@"))
    with pytest.raises(LogUnavailableError, match="as the owner of the tables"):
        make_room(writer, 7)
    writer.dispose()
    assert missing(database) == ["consent_leaf_7", "consent_disclosure_7"]
    on_postgres(uri, "DROP OWNED BY writer")
    on_postgres(uri, "DROP ROLE writer")


# Append-only, on each of them


@pytest.mark.requirement("R93")
@pytest.mark.parametrize("table", ["consent_leaf", "consent_leaf_2"])
def test_leaves_are_append_only_by_any_name(
    filled: Database, uri: str, table: str
) -> None:
    before = rows(uri, "consent_leaf")
    for statement in _CHANGES:
        with pytest.raises(LogConflictError), filled.write() as connection:
            connection.exec_driver_sql(statement.format(table=table))
        assert rows(uri, "consent_leaf") == before, statement


# The migration


def test_what_was_there_is_there_after_the_migration_and_back(
    postgres: PostgresServer,
) -> None:
    uri = postgres.new_database()
    database = Database(uri)
    migrate(database, "0008")
    shape = (sorted(on_postgres(uri, _NAMES)), on_postgres(uri, _COLUMNS))
    for number in (1, 2, 5):
        add_log(database, number)
    with psycopg.connect(uri) as connection:
        fill(connection, 2, _MANY)
        connection.execute(  # a line that has lost its leaf
            "INSERT INTO consent_disclosure VALUES ('lost', 'a', 1, '', '', '', '', '')"
        )
    before = {name: rows(uri, name) for name in _TABLES}
    assert all(before.values())

    database.upgrade()

    assert {name: rows(uri, name) for name in _TABLES} == before
    assert missing(database) == []
    assert on_postgres(
        uri,
        "SELECT count(*) FROM consent_disclosure AS line JOIN consent_leaf AS leaf "
        "USING (id, log)",
    ) == [(len(before["consent_disclosure"]) - 1,)]
    lost = "SELECT log FROM consent_disclosure WHERE id = 'lost'"
    assert on_postgres(uri, lost) == [(5,)]
    with database.write() as connection:  # positions go on where they were
        connection.execute(
            sa.insert(schema.leaf).values(
                log=5, id="new", kind="choice", hash=b"", bytes=b"", time=0
            )
        )
    assert History(database).position() == 2 * _MANY + 1

    migrate(database, "0008")

    assert (sorted(on_postgres(uri, _NAMES)), on_postgres(uri, _COLUMNS)) == shape
    after = {name: rows(uri, name) for name in _TABLES}
    assert len(after["consent_leaf"]) == len(before["consent_leaf"]) + 1
    after["consent_leaf"] = [r for r in after["consent_leaf"] if r[0]["id"] != "new"]
    assert after == before
    database.upgrade()
    assert missing(database) == []
    database.dispose()


_OLD_SQLITE = (
    """INSERT INTO consent_log (id, origin, size, created)
       VALUES (1, 'a', 0, 0), (2, 'b', 0, 0)""",
    """INSERT INTO consent_leaf (log, id, kind, hash, bytes, time)
       VALUES (1, 'x', '', '', '', 0), (2, 'y', '', '', '', 0)""",
    """INSERT INTO consent_disclosure
       VALUES ('x', 's', 0, '', '', '', '', 'r'), ('y', 's', 0, '', '', '', '', 'r'),
              ('z', 's', 0, '', '', '', '', 'r')""",
)


def test_on_sqlite_a_line_gets_the_log_of_its_leaf(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/consent.sqlite3")
    migrate(database, "0008")
    with database.write() as connection:
        for statement in _OLD_SQLITE:
            connection.exec_driver_sql(statement)
    database.upgrade()
    query = "SELECT id, record, log FROM consent_disclosure ORDER BY id"
    with database.read() as connection:
        found = connection.exec_driver_sql(query).all()
        assert found == [("x", "r", 1), ("y", "r", 2), ("z", "r", 2)]
    database.dispose()


# Persons


def test_a_person_is_erased_from_every_partition(filled: Database, uri: str) -> None:
    page = Disclosures(filled)
    shared, total = page.page("person-7", now=Millis(0), limit=10)
    assert total == len(shared) == 2  # one in each period
    with filled.write() as connection:
        Eraser(connection, 2).remove_person(
            "person-7", of_person(7), keep_evidence=False
        )
    assert page.page("person-7", now=Millis(0), limit=10) == ([], 0)
    assert page.page("person-8", now=Millis(0), limit=10)[1] == 2
    left = "SELECT count(*) FROM consent_state WHERE subject = 'person-7'"
    assert on_postgres(uri, left) == [(0,)]
    assert len(rows(uri, "consent_leaf")) == 2 * _MANY


def test_old_lines_are_purged_from_every_partition(filled: Database) -> None:
    with filled.write() as connection:
        eraser = Eraser(connection, 2)
        old = eraser.old_disclosures(Millis(20_000_000))
        assert len(old) == _MANY // 2 - 2  # all but the key and the official
        eraser.remove_disclosures(old)
        assert eraser.old_disclosures(Millis(20_000_000)) == []
        assert eraser.old_disclosures(Millis(30_000_000))


def test_partitioned_tables_are_written_anew(filled: Database, uri: str) -> None:
    files = "SELECT relname, relfilenode FROM pg_class WHERE relname = ANY(ARRAY[{}])"
    names = ("consent_state_0", "consent_disclosure_1", "consent_disclosure_2")
    query = files.format(", ".join(f"'{name}'" for name in names))
    before = dict(on_postgres(uri, query))
    filled.rewrite()
    after = dict(on_postgres(uri, query))
    assert all(before[name] != after[name] for name in names)
    assert len(rows(uri, "consent_disclosure")) == _MANY - 4


def test_what_is_granted_by_default_is_not_granted_on_a_partition(
    postgres: PostgresServer,
) -> None:
    """Rights are those of the table, where the roles were given theirs."""
    place = postgres.new_tables()
    on_postgres(place, "CREATE ROLE by_default")
    everybody = "ON TABLES TO by_default, PUBLIC"
    on_postgres(place, f"ALTER DEFAULT PRIVILEGES GRANT ALL {everybody}")
    database = Database(place)
    with database.write() as connection:
        number = connection.scalar(
            sa.insert(schema.log)
            .values(origin="one", size=0, created=0)
            .returning(schema.log.c.id)
        )
        partitions.make_room(connection, number)
    granted = on_postgres(
        place,
        "SELECT relname FROM pg_class, aclexplode(relacl) WHERE grantee <> relowner "
        "AND relname IN (?, ?)",
        *(f"consent_{name}_{number}" for name in ("leaf", "disclosure")),
    )
    database.dispose()
    on_postgres(place, "DROP OWNED BY by_default")
    on_postgres(place, "DROP ROLE by_default")
    assert granted == []
