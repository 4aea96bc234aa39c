"""The hot read: always the newest commit, from any thread, of any process."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL

from consentkit.core.act import State
from consentkit.errors import LogUnavailableError
from consentkit.store.addresses import format_url
from consentkit.store.database import Database
from consentkit.store.sqlite_reader import SqliteReader
from tests.store.answers import put
from tests.store.reader_contract import KEY
from tests.store.reader_contract import ReaderContract
from tests.store.reader_contract import read_in_threads
from tests.store.reader_contract import state


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The connections that are opened from now on, by the thread that opened them."""
    connect: Any = sqlite3.connect
    found: list[str] = []

    def counted(*arguments: Any, **options: Any) -> sqlite3.Connection:
        if options.get("uri"):  # the reader's own; tests open files by their path
            found.append(threading.current_thread().name)
        connection: sqlite3.Connection = connect(*arguments, **options)
        return connection

    monkeypatch.setattr(sqlite3, "connect", counted)
    return found


def opened_reader(file: Path) -> SqliteReader:
    return SqliteReader(file, timeout=30)


@pytest.fixture
def reader(file: Path, database: Database) -> SqliteReader:
    del database  # has made the tables
    return opened_reader(file)


class TestSqliteReader(ReaderContract):
    """What holds on every engine."""

    @pytest.fixture
    def place(self, file: Path) -> Path:
        return file


def execute(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file, timeout=30)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_no_earlier_read_holds_a_later_one_back(
    file: Path, journal: str, opened: list[str]
) -> None:
    """A half-read cursor freezes what its connection sees, and stops writers."""
    database = Database(f"sqlite:///{file}")
    database.upgrade()
    database.dispose()
    execute(file, f"PRAGMA journal_mode={journal}")
    put(file, *KEY)
    reader = opened_reader(file)
    assert state(reader) is State.GIVEN
    with closing(sqlite3.connect(file, timeout=0)) as writer, writer:
        writer.execute("UPDATE consent_state SET state = 'withdrawn'")
    assert state(reader) is State.WITHDRAWN
    assert len(opened) == 1  # held, not opened anew
    reader.close()


def test_each_thread_reads_by_a_connection_of_its_own(
    reader: SqliteReader, file: Path, opened: list[str]
) -> None:
    put(file, *KEY)
    threads = read_in_threads(reader)
    assert sorted(opened) == threads


def test_a_missing_file_is_an_error_and_is_never_created(tmp_path: Path) -> None:
    missing = tmp_path / "missing.sqlite3"
    reader = opened_reader(missing)
    for _ in range(2):
        with pytest.raises(LogUnavailableError, match="cannot be read"):
            reader.standing(*KEY)
    assert list(tmp_path.iterdir()) == []


def test_a_read_after_a_failure_opens_the_file_again(tmp_path: Path) -> None:
    file = tmp_path / "late.sqlite3"
    reader = opened_reader(file)
    with pytest.raises(LogUnavailableError):
        reader.standing(*KEY)
    database = Database(f"sqlite:///{file}")
    database.upgrade()
    database.dispose()
    put(file, *KEY)
    assert state(reader) is State.GIVEN


def test_a_path_full_of_signs_is_read_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "köln #1 100%25 a b&c=d?e" / "consent.sqlite3"
    database = Database(format_url(URL.create("sqlite", database=str(file))))
    database.upgrade()
    database.dispose()
    put(file, *KEY)
    assert state(opened_reader(file)) is State.GIVEN


CORRUPTIONS = {
    "unknown state": "state = 'maybe'",
    "state in capitals": "state = 'GIVEN'",
    "state as bytes": "state = x'676976656e'",
    "until is text": "until = 'tomorrow'",
    "until is endless": "until = 9e999",
    "since is bytes": "since = x'00'",
    "unknown assurance": "assurance = 'sworn'",
    "text that is no UTF-8": "scope = CAST(x'ff' AS TEXT)",
}


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("change", CORRUPTIONS.values(), ids=CORRUPTIONS)
@pytest.mark.parametrize("purpose", ["score", "score.cross-border"])
def test_a_corrupt_row_is_an_error_and_not_an_answer(
    reader: SqliteReader, file: Path, change: str, purpose: str
) -> None:
    put(file, *KEY)
    put(file, "alice", "score.cross-border", "acme")
    execute(file, f"UPDATE consent_state SET {change} WHERE purpose = '{purpose}'")  # noqa: S608  written above
    with pytest.raises(LogUnavailableError) as caught:
        reader.standing(*KEY, "score.cross-border")
    assert "alice" not in str(caught.value)
