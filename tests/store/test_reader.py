"""The hot read: always the newest commit, from any thread, of any process."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING
from typing import Any

import pytest
from sqlalchemy.engine import URL

from consentkit.core.act import Assurance
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.decision import Standing
from consentkit.core.status import Status
from consentkit.errors import LogUnavailableError
from consentkit.store.database import Database
from consentkit.store.reader import SqliteReader
from tests.processes import at_once
from tests.store.answers import SCOPE
from tests.store.answers import put
from tests.store.answers import withdraw

if TYPE_CHECKING:
    from pathlib import Path

KEY = ("alice", "score", "acme")


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


@pytest.fixture
def reader(database: Database) -> SqliteReader:
    return SqliteReader(database.path)


def state(reader: SqliteReader) -> State | None:
    status = reader.standing(*KEY).status
    return status.state if status else None


def execute(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file, timeout=30)) as connection, connection:
        connection.execute(statement)


def test_a_row_comes_back_as_it_was_written(reader: SqliteReader, file: Path) -> None:
    put(file, *KEY)
    assert reader.standing(*KEY) == Standing(
        status=Status(
            state=State.GIVEN,
            data=frozenset({"city", "spending"}),
            until=Millis(2_000),
            scope=SCOPE,
            assurance=Assurance.SESSION,
            record="1" * 32,
            since=Millis(1_000),
            notice="2" * 64,
        )
    )


@pytest.mark.requirement("R62")
@pytest.mark.requirement("R63")
@pytest.mark.parametrize("place", [0, 1, 2], ids=["subject", "purpose", "recipient"])
def test_nothing_is_known_of_a_key_that_differs_in_one_place(
    reader: SqliteReader, file: Path, place: int
) -> None:
    put(file, *KEY)
    for other in ("", "ALICE", KEY[place] + " ", KEY[place][:-1] + "%", "*"):
        key = [*KEY]
        key[place] = other
        assert reader.standing(*key) == Standing()


@pytest.mark.requirement("R55")
def test_the_next_read_sees_what_another_process_committed(
    reader: SqliteReader, file: Path
) -> None:
    put(file, *KEY)
    assert state(reader) is State.GIVEN
    at_once(withdraw, [(file, *KEY)])
    assert state(reader) is State.WITHDRAWN


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
    reader = SqliteReader(file)
    assert state(reader) is State.GIVEN
    with closing(sqlite3.connect(file, timeout=0)) as writer, writer:
        writer.execute("UPDATE consent_state SET state = 'withdrawn'")
    assert state(reader) is State.WITHDRAWN
    assert len(opened) == 1  # held, not opened anew
    reader.close()


@pytest.mark.requirement("R66")
@pytest.mark.parametrize(
    ("purpose", "recipient", "stopped"),
    [
        ("score", "acme", True),
        ("score", "", True),
        ("", "acme", True),
        ("", "", True),
        ("other", "acme", False),
        ("score", "other", False),
        ("other", "", False),
    ],
)
@pytest.mark.parametrize("answered", [True, False], ids=["answered", "never asked"])
def test_a_suspension_is_seen_with_or_without_an_answer(
    reader: SqliteReader,
    file: Path,
    purpose: str,
    recipient: str,
    *,
    stopped: bool,
    answered: bool,
) -> None:
    if answered:
        put(file, *KEY)
    with closing(sqlite3.connect(file)) as connection, connection:
        row = (purpose, recipient, 0, "")
        connection.execute("INSERT INTO consent_suspension VALUES (?, ?, ?, ?)", row)
    for transfer in ("", "score.cross-border"):
        assert reader.standing(*KEY, transfer).suspended is stopped


@pytest.mark.requirement("R71")
def test_the_transfer_answer_comes_with_the_other_one(
    reader: SqliteReader, file: Path
) -> None:
    transfer = "score.cross-border"
    assert reader.standing(*KEY, transfer) == Standing()
    put(file, *KEY)
    assert reader.standing(*KEY, transfer).transfer is None
    put(file, "alice", transfer, "acme", state="refused")
    found = reader.standing(*KEY, transfer)
    assert found.status
    assert found.status.state is State.GIVEN
    assert found.transfer
    assert found.transfer.state is State.REFUSED
    assert reader.standing(*KEY).transfer is None


def test_share_and_transfer_are_read_at_one_instant(
    reader: SqliteReader, file: Path
) -> None:
    """They change places all the time and are never both given: no read may say so."""
    transfer = "score.cross-border"
    put(file, *KEY)
    put(file, "alice", transfer, "acme", state="refused")
    done = threading.Event()

    def change_places() -> None:
        with closing(sqlite3.connect(file, timeout=30)) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            while not done.is_set():
                with connection:
                    connection.execute(
                        "UPDATE consent_state SET state = "
                        "CASE state WHEN 'given' THEN 'refused' ELSE 'given' END"
                    )

    thread = threading.Thread(target=change_places)
    thread.start()
    seen = set()
    end = time.monotonic() + 1
    while time.monotonic() < end:
        found = reader.standing(*KEY, transfer)
        assert found.status
        assert found.transfer
        seen.add((found.status.state, found.transfer.state))
    done.set()
    thread.join()
    assert seen == {(State.GIVEN, State.REFUSED), (State.REFUSED, State.GIVEN)}


def test_each_thread_reads_by_a_connection_of_its_own(
    reader: SqliteReader, file: Path, opened: list[str]
) -> None:
    put(file, *KEY)
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(200):
                assert state(reader) is State.GIVEN
            reader.close()
        except BaseException as error:  # noqa: BLE001  shown by the main thread
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(opened) == sorted(thread.name for thread in threads)


def test_a_missing_file_is_an_error_and_is_never_created(tmp_path: Path) -> None:
    missing = tmp_path / "missing.sqlite3"
    reader = SqliteReader(missing)
    for _ in range(2):
        with pytest.raises(LogUnavailableError, match="cannot be read"):
            reader.standing(*KEY)
    assert list(tmp_path.iterdir()) == []


def test_a_read_after_a_failure_opens_the_file_again(tmp_path: Path) -> None:
    file = tmp_path / "late.sqlite3"
    reader = SqliteReader(file)
    with pytest.raises(LogUnavailableError):
        reader.standing(*KEY)
    database = Database(f"sqlite:///{file}")
    database.upgrade()
    database.dispose()
    put(file, *KEY)
    assert state(reader) is State.GIVEN


def test_a_path_full_of_signs_is_read_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "köln #1 100%25 a b&c=d?e" / "consent.sqlite3"
    database = Database(URL.create("sqlite", database=str(file)).render_as_string())
    database.upgrade()
    database.dispose()
    put(file, *KEY)
    assert state(SqliteReader(database.path)) is State.GIVEN


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


@pytest.mark.parametrize(
    "subject", ["'; DROP TABLE consent_state; --", "\x00", "é" * 1000, "\udcff"]
)
def test_a_hostile_subject_is_data_and_nothing_else(
    reader: SqliteReader, file: Path, subject: str
) -> None:
    put(file, *KEY)
    try:
        assert reader.standing(subject, *KEY[1:]) == Standing()
    except LogUnavailableError:
        assert subject == "\udcff"  # no text at all
    assert state(reader) is State.GIVEN
