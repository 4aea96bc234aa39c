"""Commands that go on: a signal ends them in good order, a second one at once."""

from __future__ import annotations

import os
import signal

import pytest

from consentkit.web import following


@pytest.fixture(autouse=True)
def _every_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "_SECOND", 0.001)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_under_way_is_finished_and_the_end_is_told(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    done: list[str] = []

    def work() -> None:
        done.append("begun")
        if len(done) > 3:
            os.kill(os.getpid(), number)
        done.append("finished")

    following.follow(lambda: done.append("first"), work)

    assert done == ["first", *["begun", "finished"] * 2]
    assert capsys.readouterr().err == "stopped\n"
    assert signal.getsignal(number) is before


def test_a_signal_during_the_first_work_is_heard_as_well() -> None:
    done: list[str] = []

    def first() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        done.append("finished")

    following.follow(first, lambda: done.append("more"))

    assert done == ["finished"]


def test_a_second_signal_ends_it_at_once() -> None:
    def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("it went on")

    with pytest.raises(KeyboardInterrupt):
        following.follow(lambda: None, work)


def test_what_fails_ends_it_and_leaves_the_signals_as_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def fail() -> None:
        raise OSError(28, "disk full")

    with pytest.raises(OSError, match="disk full"):
        following.follow(lambda: None, fail)

    assert signal.getsignal(signal.SIGTERM) is before
