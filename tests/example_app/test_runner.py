"""``python -m example_app`` for real: three addresses that answer, and a clean end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING
from typing import Any

import pytest
import urllib3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADDRESSES = ("wallet", "affiliate", "partner")

Runner = tuple[subprocess.Popen[str], dict[str, Any]]


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    command = [sys.executable, "-m", "example_app", "--json", "--port", "47410"]
    with subprocess.Popen(  # noqa: S603  our own interpreter, our own arguments
        [*command, "--instance", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process, json.loads(process.stdout.readline())
        finally:
            process.terminate()


def get(url: str) -> int:
    return urllib3.request("GET", url, retries=False, timeout=60.0).status


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_all_three_answer_until_they_are_told_to_stop(
    runner: Runner, number: signal.Signals
) -> None:
    process, said = runner
    assert len(said["people"]) >= 4
    assert len(said["auditor"]) == 32
    assert len({said[name] for name in ADDRESSES}) == 3
    for name in ADDRESSES:
        assert said[name].startswith("http://127.0.0.1:")
        assert get(said[name]) == 200
    process.send_signal(number)
    assert process.wait(30) == 0
    assert process.stderr is not None
    assert process.stderr.read() == "stopped\n"
    for name in ADDRESSES:
        with pytest.raises(urllib3.exceptions.HTTPError):
            get(said[name])


def test_a_start_that_fails_shows_why_and_leaves_nothing_running(
    tmp_path: Path,
) -> None:
    wallet = tmp_path / "wallet"
    wallet.mkdir()
    (wallet / "consentkit").write_text("a file where a folder should be")
    done = subprocess.run(  # noqa: S603  our own interpreter, our own arguments
        [
            *(sys.executable, "-m", "example_app", "--port", "47510"),
            *("--instance", str(tmp_path)),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "'flask consent init' failed" in done.stderr
