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
def _fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_SECOND", 0.01)


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

    following.follow(lambda: None, in_turn("3 entries", away, away, "4 entries"))

    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "3 entries",
        "the consent database did not answer; trying again",
        "4 entries",
    ]
    assert told.err == "stopped\n"


def test_what_is_no_news_is_not_said_again(capsys: pytest.CaptureFixture[str]) -> None:
    following.follow(lambda: None, in_turn("3 entries", "3 entries", "", "3 entries"))

    assert capsys.readouterr().out == "3 entries\n3 entries\n"


def test_a_fault_of_our_own_ends_the_command() -> None:
    with pytest.raises(ZeroDivisionError):
        following.follow(lambda: None, in_turn(ZeroDivisionError(), ""))


def test_what_the_first_work_raises_is_not_tried_again() -> None:
    def first() -> None:
        raise LogUnavailableError("away")

    with pytest.raises(LogUnavailableError):
        following.follow(first, in_turn(""))
