"""Commands that go on: what they say, what they outlive, and how they end."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from consentkit.errors import LogUnavailableError
from consentkit.web import following

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def _every_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_SECOND", 0.001)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_under_way_is_finished_and_the_end_is_told(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    done: list[str] = []

    def work() -> str:
        done.append("begun")
        if len(done) > 3:
            os.kill(os.getpid(), number)
        done.append("finished")
        return ""

    following.follow(lambda: done.append("first") or "", work)

    assert done == ["first", *["begun", "finished"] * 2]
    assert capsys.readouterr().err == "stopped\n"
    assert signal.getsignal(number) is before


def test_a_signal_during_the_first_work_is_heard_as_well() -> None:
    done: list[str] = []

    def first() -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        done.append("finished")
        return ""

    following.follow(first, lambda: done.append("more") or "")

    assert done == ["finished"]


def test_a_second_signal_ends_it_at_once() -> None:
    def work() -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("it went on")

    with pytest.raises(KeyboardInterrupt):
        following.follow(lambda: "", work)


def test_what_fails_ends_it_and_leaves_the_signals_as_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def fail() -> str:
        raise OSError(28, "disk full")

    with pytest.raises(OSError, match="disk full"):
        following.follow(lambda: "", fail)

    assert signal.getsignal(signal.SIGTERM) is before


def in_turn(*said: str | Exception) -> Callable[[], str]:
    """Work that says, or raises, these one after the other; with the last it ends."""
    left = list(said)

    def work() -> str:
        now = left.pop(0)
        if not left:
            os.kill(os.getpid(), signal.SIGTERM)
        if isinstance(now, Exception):
            raise now
        return now

    return work


def test_a_database_that_is_away_is_waited_for_and_named_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    away = LogUnavailableError("the consent database did not answer")

    following.follow(lambda: "", in_turn("3 entries", away, away, "4 entries"))

    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "3 entries",
        "the consent database did not answer; trying again",
        "4 entries",
    ]
    assert told.err == "stopped\n"


def test_what_is_no_news_is_not_said_again(capsys: pytest.CaptureFixture[str]) -> None:
    following.follow(lambda: "", in_turn("3 entries", "3 entries", "", "3 entries"))

    assert capsys.readouterr().out == "3 entries\n3 entries\n"


def test_what_the_first_work_has_said_is_no_news(
    capsys: pytest.CaptureFixture[str],
) -> None:
    following.follow(lambda: "3 entries", in_turn("3 entries", "4 entries"))

    assert capsys.readouterr().out == "4 entries\n"


def test_a_fault_of_our_own_ends_the_command() -> None:
    with pytest.raises(ZeroDivisionError):
        following.follow(lambda: "", in_turn(ZeroDivisionError(), ""))


def test_what_the_first_work_raises_is_not_tried_again() -> None:
    def first() -> str:
        raise LogUnavailableError("away")

    with pytest.raises(LogUnavailableError):
        following.follow(first, in_turn(""))
