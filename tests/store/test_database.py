"""What a commit promised stays; writers queue; no driver's exception gets out."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
import traceback
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from consentkit.errors import ConfigurationError
from consentkit.errors import ConsentKitError
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.store import schema
from consentkit.store import sqlite as sqlite_module
from consentkit.store.connections import Connections
from consentkit.store.database import Database
from consentkit.store.postgres_replica import Replica
from consentkit.store.sqlite import journal_mode

if TYPE_CHECKING:
    from pathlib import Path

# The WAL-reset bug: in 3.7.0 to 3.51.2, but for the two lines with a back-ported fix.
JOURNALS = {
    (3, 6, 23): "DELETE",
    (3, 7, 0): "DELETE",
    (3, 40, 1): "DELETE",
    (3, 43, 9): "DELETE",
    (3, 44, 5): "DELETE",
    (3, 44, 6): "WAL",
    (3, 44, 9): "WAL",
    (3, 45, 0): "DELETE",
    (3, 45, 9): "DELETE",
    (3, 49, 7): "DELETE",
    (3, 50, 6): "DELETE",
    (3, 50, 7): "WAL",
    (3, 51, 0): "DELETE",
    (3, 51, 2): "DELETE",
    (3, 51, 3): "WAL",
    (3, 52, 0): "WAL",
    (4, 0, 0): "WAL",
}

REFUSED = {
    "nothing": "",
    "no URL": "consent.sqlite3",
    "another database": "mysql://localhost/consent",
    "another driver": "postgresql+psycopg2://localhost/consent",
    "no file": "sqlite://",
    "memory": "sqlite:///:memory:",
    "memory by URI": "sqlite:///file:consent?mode=memory&uri=true",
}


def add_log(connection: sa.Connection, origin: str = "log") -> None:
    connection.execute(sa.insert(schema.log).values(origin=origin, size=0, created=0))


def origins(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as connection:
        return {row[0] for row in connection.execute("SELECT origin FROM consent_log")}


@pytest.mark.parametrize(("version", "mode"), JOURNALS.items(), ids=str)
def test_wal_is_used_only_where_it_cannot_lose_pages(
    version: tuple[int, int, int], mode: str
) -> None:
    assert journal_mode(version) == mode


def test_every_connection_is_prepared_as_promised(database: Database) -> None:
    expected = {
        "journal_mode": journal_mode().lower(),
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "secure_delete": 1,
        "recursive_triggers": 1,
        "busy_timeout": 30_000,
    }
    with database.read() as one, database.read() as other:
        for connection in (one, other):
            for name, value in expected.items():
                assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value


def test_the_journal_mode_chosen_is_the_one_in_force(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_module, "journal_mode", lambda: "WAL")
    database = Database(f"sqlite:///{file}")
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    database.dispose()


@pytest.mark.parametrize("uri", REFUSED.values(), ids=REFUSED)
def test_only_the_url_of_an_sqlite_file_is_taken(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="CONSENTKIT_DATABASE_URI"):
        Database(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "mysql://app:hunter2@localhost/consent",
        "mysql://localhost/consent?password=hunter2",
        "sqlite://?key=hunter2",
        "postgresql://localhost:hunter2/consent",
    ],
)
def test_a_refused_url_shows_no_password(uri: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Database(uri)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_write_takes_the_lock_before_its_first_statement(
    database: Database, file: Path
) -> None:
    """Else it reads first and fails at its first write, whatever the timeout."""
    with (
        database.write(),
        closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN IMMEDIATE")


def test_a_read_takes_no_lock(database: Database, file: Path) -> None:
    with (
        database.read() as connection,
        closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other,
    ):
        assert connection.execute(sa.select(schema.log)).all() == []
        other.execute("BEGIN IMMEDIATE")
        other.execute("COMMIT")


def test_a_read_is_never_inside_an_older_snapshot(database: Database) -> None:
    with database.read() as reading:
        count = sa.select(sa.func.count()).select_from(schema.log)
        assert reading.scalar(count) == 0
        with database.write() as writing:
            add_log(writing)
        assert reading.scalar(count) == 1


def test_writers_wait_for_each_other_instead_of_failing(database: Database) -> None:
    order: list[str] = []
    inside = threading.Event()

    def first() -> None:
        with database.write() as connection:
            inside.set()
            time.sleep(0.2)
            add_log(connection, "first")
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    with database.write() as connection:
        order.append("second")
        add_log(connection, "second")
    thread.join()
    assert order == ["first", "second"]


def test_an_error_in_the_middle_leaves_nothing_behind(
    database: Database, file: Path
) -> None:
    def fail_half_way() -> None:
        with database.write() as connection:
            add_log(connection)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way()
    assert origins(file) == set()


def test_a_second_row_of_the_same_key_is_a_conflict(database: Database) -> None:
    with database.write() as connection:
        add_log(connection)
    with pytest.raises(LogConflictError), database.write() as connection:
        add_log(connection)


@pytest.mark.requirement("R45")
def test_no_error_and_no_log_line_repeats_a_value_of_a_row(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """The cause of an error is logged with it, so the cause must be silent too."""
    row = {"subject": "alice@wallet.example", "handle": "h", "data_key": b"secret-key"}
    statement = sa.insert(schema.subject).values(**row, seq=0, head="", created=0)
    with database.write() as connection:
        connection.execute(statement)

    def again() -> None:
        with database.write() as connection:
            connection.execute(statement)

    try:
        again()
    except LogConflictError as error:
        logging.getLogger("consentkit").exception("a share failed")
        text = f"{error} {error.__cause__} {caplog.text}"
    assert "Traceback" in caplog.text
    assert "alice" not in text
    assert "secret-key" not in text


def test_a_locked_file_is_unavailable_and_not_a_conflict(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_module, "BUSY_TIMEOUT", 0.01)
    database = Database(f"sqlite:///{file}")
    database.upgrade()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        for attempt in (database.write, database.read):
            with pytest.raises(LogUnavailableError), attempt() as connection:
                connection.execute(sa.select(schema.log))
    database.dispose()


def test_a_file_that_is_no_database_is_unavailable(file: Path) -> None:
    file.write_bytes(b"this is not a database at all, but quite some bytes of text\n")
    database = Database(f"sqlite:///{file}")
    with pytest.raises(LogUnavailableError, match="did not answer"):
        database.upgrade()
    database.dispose()


def test_a_folder_in_place_of_the_file_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}")
    with pytest.raises(LogUnavailableError):
        database.upgrade()


def test_what_is_no_driver_error_is_translated_too(database: Database) -> None:
    """A pool that runs dry raises an error of SQLAlchemy's own, not the driver's."""
    pool = database.engine.pool
    assert isinstance(pool, QueuePool)
    pool._timeout = 0.01
    held = [database.engine.connect() for _ in range(15)]
    try:
        with pytest.raises(LogUnavailableError), database.read():
            pytest.fail("there was a connection left")
    finally:
        for connection in held:
            connection.close()


def test_every_error_of_the_room_is_one_of_ours(database: Database) -> None:
    statements = {
        "no such table": "SELECT * FROM consent_nothing",
        "no such column": "SELECT nothing FROM consent_log",
        "null": "INSERT INTO consent_log (id) VALUES (1)",
        "foreign key": "INSERT INTO consent_tile VALUES (99, 0, 0, x'00')",
        "syntax": "SELEC",
        "parameter": "SELECT :nobody_gave_this",
    }
    for statement in statements.values():
        with pytest.raises(ConsentKitError), database.write() as connection:
            connection.execute(sa.text(statement))


def test_what_is_read_within_a_write_is_read_by_the_same_connection(
    database: Database,
) -> None:
    """Or twenty threads, each with one connection, would wait for a second for ever."""
    with database.write() as connection:
        add_log(connection)
        with database.read() as reading:
            assert reading is connection
            assert reading.scalar(sa.select(schema.log.c.origin)) == "log"
    with database.read() as reading:
        assert reading is not connection


@pytest.mark.parametrize("uri", ["no address", "postgresql://db.example:port/consent"])
def test_an_address_that_is_none_is_an_error_of_the_configuration(uri: str) -> None:
    with pytest.raises(ConfigurationError, match="CONSENTKIT_DATABASE_URI must be"):
        Database(uri)
    with pytest.raises(ConfigurationError, match="CONSENTKIT_REPLICA_URI must be"):
        Replica(uri, Connections())


def test_a_write_whose_transaction_was_ended_on_the_way_is_no_success(
    database: Database,
) -> None:
    ended = pytest.raises(LogUnavailableError, match="was ended")
    with ended, database.write() as connection:
        add_log(connection)
        connection.exec_driver_sql("ROLLBACK")
    with database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count(schema.log.c.id))) == 0
