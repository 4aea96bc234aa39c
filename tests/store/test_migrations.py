"""The tables come from the migrations alone, and are those that the code speaks of."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from consentkit.errors import ConfigurationError
from consentkit.errors import LogUnavailableError
from consentkit.store import database as database_module
from consentkit.store import schema
from consentkit.store.database import Database
from consentkit.store.database import newest_migration
from consentkit.store.sqlite_reader import SqliteReader
from tests.store.answers import put

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCRIPTS = Path(database_module.__file__).with_name("migrations")


def downgrade(database: Database) -> None:
    with database.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(_SCRIPTS))
        config.attributes["connection"] = connection
        command.downgrade(config, "base")


def shape(file: Path) -> dict[str, Any]:
    """What SQLite itself says about each of our tables and indexes."""
    with closing(sqlite3.connect(file)) as connection:
        return {
            name: {
                "columns": _pragma(connection, "table_xinfo", name),
                "without rowid": _table(connection, name)[4],
                "autoincrement": "AUTOINCREMENT" in _sql(connection, name),
                "foreign keys": sorted(
                    row[2:] for row in _pragma(connection, "foreign_key_list", name)
                ),
                "indexes": sorted(_indexes(connection, name)),
            }
            for name in schema.METADATA.tables
        }


def _pragma(connection: sqlite3.Connection, what: str, name: str) -> list[Any]:
    return connection.execute(f"PRAGMA {what}({name})").fetchall()


def _table(connection: sqlite3.Connection, name: str) -> tuple[Any, ...]:
    (row,) = _pragma(connection, "table_list", name)
    found: tuple[Any, ...] = row
    return found


def _sql(connection: sqlite3.Connection, name: str) -> str:
    query = "SELECT sql FROM sqlite_master WHERE name = ?"
    found = connection.execute(query, (name,)).fetchone()
    return str(found[0]) if found and found[0] else ""


def _indexes(connection: sqlite3.Connection, name: str) -> Iterator[tuple[Any, ...]]:
    for _, index, unique, _, partial in _pragma(connection, "index_list", name):
        columns = tuple(row[2] for row in _pragma(connection, "index_info", index))
        where = _sql(connection, index).partition(" WHERE ")[2]
        yield columns, unique, partial, where


def tables(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT name FROM sqlite_master WHERE name LIKE 'consent%'"
        return {row[0] for row in connection.execute(query)}


def test_every_table_of_the_schema_is_made(database: Database, file: Path) -> None:
    assert set(schema.METADATA.tables) < tables(file)
    assert all(name.startswith("consent_") for name in schema.METADATA.tables)
    database.upgrade()  # again: nothing to do


def test_up_down_and_up_again_gives_the_same_tables(
    database: Database, file: Path
) -> None:
    before = shape(file)
    downgrade(database)
    assert tables(file) == {"consent_alembic_version"}
    database.upgrade()
    assert shape(file) == before


def test_down_works_on_tables_that_are_full(database: Database, file: Path) -> None:
    """Foreign keys and the triggers against deleting must not stand in the way."""
    with database.write() as connection:
        connection.execute(
            sa.insert(schema.log).values(id=1, origin="o", size=0, created=0)
        )
        connection.execute(
            sa.insert(schema.leaf).values(
                log=1, id="1", kind="genesis", hash=b"h", bytes=b"b", time=0
            )
        )
    downgrade(database)
    assert tables(file) == {"consent_alembic_version"}


def test_alembic_finds_nothing_that_the_migrations_forgot(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": "consent_alembic_version", "compare_type": True},
        )
        assert compare_metadata(context, schema.METADATA) == []


@pytest.mark.usefixtures("database")
def test_the_migrations_make_what_the_schema_says_to_the_last_detail(
    file: Path, tmp_path: Path
) -> None:
    """Alembic compares neither partial indexes nor what only SQLite has."""
    other = tmp_path / "other.sqlite3"
    engine = sa.create_engine(f"sqlite:///{other}")
    schema.METADATA.create_all(engine)
    engine.dispose()
    assert shape(file) == shape(other)


def test_a_migration_that_fails_leaves_nothing_behind(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade = command.upgrade

    def upgrade_and_fail(config: Config, revision: str) -> None:
        upgrade(config, revision)
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", upgrade_and_fail)
        database = Database(f"sqlite:///{file}")
        with pytest.raises(RuntimeError, match="power cut"):
            database.upgrade()
    assert tables(file) == set()
    database.upgrade()
    assert set(schema.METADATA.tables) < tables(file)
    database.dispose()


def test_tables_of_a_newer_version_are_left_alone(
    database: Database, file: Path
) -> None:
    with database.write() as connection:
        connection.execute(
            sa.text("UPDATE consent_alembic_version SET version_num = '9999'")
        )
    before = shape(file)
    with pytest.raises(ConfigurationError, match="install the one that made them"):
        database.upgrade()
    assert shape(file) == before


def test_a_start_on_ready_tables_needs_no_write_lock(
    database: Database, file: Path
) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        database.upgrade()  # would wait half a minute for the lock, and then fail
        writer.execute("ROLLBACK")


def test_an_upgrade_keeps_what_there_is_and_nobody_answered_for_anybody(
    file: Path,
) -> None:
    """From 0003, with an answer in it, to tables that know of somebody else's."""
    database = Database(f"sqlite:///{file}")
    with database.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(_SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
    put(file, "anna", "credit-score", "acme-credit")
    before = _rows(file, "consent_state")
    assert "consent_delegation" not in tables(file)

    database.upgrade()

    assert _rows(file, "consent_state") == before
    assert _rows(file, "consent_coming_of_age") == []
    assert _rows(file, "consent_delegation") == []
    standing = SqliteReader(file, timeout=30).standing(
        "anna", "credit-score", "acme-credit"
    )
    assert standing.status is not None
    assert standing.of_age is None
    database.dispose()


def _rows(file: Path, name: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(f"SELECT * FROM {name}").fetchall()  # noqa: S608  written above


def test_a_folder_that_cannot_be_made_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    database = Database(f"sqlite:///{tmp_path}/taken/below/consent.sqlite3")
    with pytest.raises(LogUnavailableError, match="folder of the consent database"):
        database.upgrade()


def test_the_newest_migration_is_the_one_that_alembic_goes_up_to() -> None:
    """It is told by names of files, so that no start has to load Alembic for it."""
    assert newest_migration() == ScriptDirectory(str(_SCRIPTS)).get_current_head()


def test_tables_that_are_of_this_version_need_no_alembic(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'consent.sqlite3'}"
    Database(uri).upgrade()
    program = (
        "import sys; from consentkit.store.database import Database; "
        f"Database({uri!r}).upgrade(); sys.exit('alembic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603  our own program
