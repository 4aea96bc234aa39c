"""Between the last look and the wire there is no moment that a revocation can miss."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from consentkit.service import sending
from consentkit.service.sending import Sends
from tests.service.racing import race

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.requirement("R55", "R68")
def test_nothing_is_sent_after_a_revocation_has_returned(tmp_path: Path) -> None:
    """As many rounds as fit; ``python -m tests.service.racing 10000`` runs more."""
    found = race(tmp_path, rounds=10_000, seconds=10)

    assert found.late == [], found
    assert set(found.arrived) == {
        number for number, sent in enumerate(found.sent) if sent is not None
    }
    stopped = sum(each is None for each in found.sent)
    # Were one of them always first, this would be no race.
    assert stopped > len(found.sent) / 20, found
    assert len(found.sent) - stopped > len(found.sent) / 20, found


@pytest.mark.requirement("R68")
def test_an_end_waits_for_what_has_begun_to_leave_and_for_nobody_else(
    tmp_path: Path,
) -> None:
    sends = Sends(tmp_path / "sends")
    began, out = threading.Event(), threading.Event()

    def send() -> None:
        with sends.held("alice"):
            began.set()
            time.sleep(0.2)
            out.set()

    thread = threading.Thread(target=send)
    thread.start()
    began.wait()
    with sends.settled("bob"):
        pass
    assert not out.is_set()
    with sends.held("alice"):
        assert not out.is_set(), "sends do not wait for each other"
    with sends.settled("alice"):
        assert not out.is_set(), "what ends it does not wait, only its return"
    assert out.is_set()
    thread.join()


def test_a_send_that_hangs_does_not_keep_an_end_from_returning(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sending, "PATIENCE", 0.05)
    sends = Sends(tmp_path / "sends")

    with sends.held("alice"), sends.settled():
        pass

    assert "had begun before a consent ended" in caplog.text


def test_an_end_that_failed_waits_for_nothing(tmp_path: Path) -> None:
    sends = Sends(tmp_path / "sends")
    before = time.monotonic()

    with sends.held("alice"), pytest.raises(OSError, match="full"):  # noqa: SIM117  the order is the point
        with sends.settled("alice"):
            raise OSError(28, "the disk is full")

    assert time.monotonic() - before < sending.PATIENCE
