"""What the hot read is on every engine: the newest commit, all of it at one instant.

A class of tests for each engine inherits them, and gives ``place`` and ``reader``.
"""

from __future__ import annotations

import threading
import time
import traceback
from pathlib import Path
from typing import TypeAlias

import pytest

from consentkit.core.act import Assurance
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.decision import Standing
from consentkit.core.status import Status
from consentkit.errors import LogUnavailableError
from consentkit.store.engine import Reader
from tests.processes import at_once
from tests.store.answers import SCOPE
from tests.store.answers import put
from tests.store.answers import run
from tests.store.answers import withdraw

__all__ = ["KEY", "ReaderContract", "read_in_threads", "state"]

Place: TypeAlias = Path | str
"""An SQLite file, or the URI of a PostgreSQL database."""

KEY = ("alice", "score", "acme")
_WHO = "ann-9"
# So that the driver repeats a value.
_SPOIL = "UPDATE consent_state SET record = CAST(x'616e6e2d39ff' AS TEXT)"
_SPOIL_POSTGRES = (
    "ALTER TABLE consent_coming_of_age RENAME TO consent_gone; "
    "CREATE VIEW consent_coming_of_age AS SELECT who AS subject, who::bigint AS at "
    "FROM (VALUES ('ann-9'::varchar)) AS of_age (who)"
)


def state(reader: Reader) -> State | None:
    """What stands under ``KEY``."""
    status = reader.standing(*KEY).status
    return status.state if status else None


def read_in_threads(reader: Reader) -> list[str]:
    """Read what stands from eight threads at once; the sorted names of those."""
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(100):
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
    return sorted(thread.name for thread in threads)


class ReaderContract:
    """To be inherited."""

    def test_a_row_comes_back_as_it_was_written(
        self, reader: Reader, place: Place
    ) -> None:
        put(place, *KEY)
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
    @pytest.mark.parametrize("part", [0, 1, 2], ids=["subject", "purpose", "recipient"])
    def test_nothing_is_known_of_a_key_that_differs_in_one_place(
        self, reader: Reader, place: Place, part: int
    ) -> None:
        put(place, *KEY)
        for other in ("", "ALICE", KEY[part] + " ", KEY[part][:-1] + "%", "*"):
            key = [*KEY]
            key[part] = other
            assert reader.standing(*key) == Standing()

    @pytest.mark.requirement("R55")
    def test_the_next_read_sees_what_another_process_committed(
        self, reader: Reader, place: Place
    ) -> None:
        put(place, *KEY)
        assert state(reader) is State.GIVEN
        at_once(withdraw, [(place, *KEY)])
        assert state(reader) is State.WITHDRAWN

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
        self,
        reader: Reader,
        place: Place,
        purpose: str,
        recipient: str,
        *,
        stopped: bool,
        answered: bool,
    ) -> None:
        if answered:
            put(place, *KEY)
        row = (purpose, recipient, 0, "")
        run(place, "INSERT INTO consent_suspension VALUES (?, ?, ?, ?)", *row)
        for transfer in ("", "score.cross-border"):
            assert reader.standing(*KEY, transfer).suspended is stopped

    @pytest.mark.requirement("R71")
    def test_the_transfer_answer_comes_with_the_other_one(
        self, reader: Reader, place: Place
    ) -> None:
        transfer = "score.cross-border"
        assert reader.standing(*KEY, transfer) == Standing()
        put(place, *KEY)
        assert reader.standing(*KEY, transfer).transfer is None
        put(place, "alice", transfer, "acme", state="refused")
        found = reader.standing(*KEY, transfer)
        assert found.status
        assert found.status.state is State.GIVEN
        assert found.transfer
        assert found.transfer.state is State.REFUSED
        assert reader.standing(*KEY).transfer is None

    def test_share_and_transfer_are_read_at_one_instant(
        self, reader: Reader, place: Place
    ) -> None:
        """They change places all the time; no read may say that both are given."""
        transfer = "score.cross-border"
        put(place, *KEY)
        put(place, "alice", transfer, "acme", state="refused")
        done = threading.Event()

        def change_places() -> None:
            while not done.is_set():
                run(
                    place,
                    "UPDATE consent_state SET state = "
                    "CASE state WHEN 'given' THEN 'refused' ELSE 'given' END",
                )

        thread = threading.Thread(target=change_places)
        thread.start()
        seen = set()
        begun = time.monotonic()
        while len(seen) < 2 or time.monotonic() < begun + 1:
            assert time.monotonic() < begun + 30, "they did not change places"
            found = reader.standing(*KEY, transfer)
            assert found.status
            assert found.transfer
            seen.add((found.status.state, found.transfer.state))
        done.set()
        thread.join()
        assert seen == {(State.GIVEN, State.REFUSED), (State.REFUSED, State.GIVEN)}

    @pytest.mark.parametrize(
        "subject",
        [
            *("'; DROP TABLE consent_state; --", "é" * 1000),
            *("\x00", "alice\x00", "alice\x00bob", "\udcff"),
        ],
    )
    def test_a_hostile_subject_is_data_and_nothing_else(
        self, reader: Reader, place: Place, subject: str
    ) -> None:
        put(place, *KEY)
        try:
            assert reader.standing(subject, *KEY[1:]) == Standing()
        except LogUnavailableError:
            # no text for every database
            assert "\x00" in subject or subject == "\udcff"
        assert state(reader) is State.GIVEN

    @pytest.mark.requirement("R45")
    def test_a_value_that_the_driver_repeats_is_in_no_traceback(
        self, reader: Reader, place: Place
    ) -> None:
        key = _WHO, *KEY[1:]
        put(place, *key)
        run(place, _SPOIL_POSTGRES if isinstance(place, str) else _SPOIL)
        with pytest.raises(LogUnavailableError) as caught:
            reader.standing(*key)
        assert _WHO in str(caught.value.__context__)
        assert _WHO not in "".join(traceback.format_exception(caught.value))

    def test_threads_read_while_others_do(self, reader: Reader, place: Place) -> None:
        put(place, *KEY)
        read_in_threads(reader)
