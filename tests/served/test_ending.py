"""The end in good order: what was begun is answered, what was answered is published."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from consentkit.service.opening import open_next
from tests.served.people import crowd
from tests.served.proving import check_kept
from tests.served.proving import wallet_in
from tests.served.servers import Served
from tests.served.servers import becomes
from tests.served.servers import serve
from tests.served.servers import wait_for_all
from tests.service.periods import OFFICER
from tests.service.periods import SECOND
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

FLASK = (sys.executable, "-m", "flask", "--app", "tests.served.wallet_app")
PATIENCE = 60


@contextmanager
def slow_request(served: Served) -> Iterator[list[int]]:
    """The status of a request that takes a second, once the block is over."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(served.get("/slow")[0]))
    thread.start()
    yield found
    thread.join(PATIENCE)


@pytest.mark.parametrize("server", ["gunicorn gthread, preloaded", "granian"])
def test_a_server_that_is_asked_to_end_answers_and_publishes_first(
    server: str, tmp_path: Path
) -> None:
    """Its publishers rest meanwhile: only the end publishes what came last."""
    with serve(server, tmp_path, REST="3600") as served:
        wait_for_all(served)
        with crowd(served.port, threads=3) as lived, slow_request(served) as status:
            assert becomes(lambda: len(lived.promised) > 10)
            assert served.end() == 0
    assert status == [200]
    assert not lived.faults  # whoever came too late got no answer, and no 5xx
    wallet = wallet_in(tmp_path)
    assert wallet.installation.publications.pending() == 0
    check_kept(wallet, lived)


def test_a_reload_under_load_fails_no_request(tmp_path: Path) -> None:
    with serve("gunicorn gthread", tmp_path) as served:
        wait_for_all(served)
        first = set(served.workers())
        with crowd(served.port, threads=3) as lived:
            assert becomes(lambda: len(lived.promised) > 10)
            served.process.send_signal(signal.SIGHUP)
            assert becomes(lambda: not first & set(served.workers()))
            before = len(lived.promised)
            assert becomes(lambda: len(lived.promised) > before + 10)
        served.end()
    assert not lived.faults
    assert lived.broken == 0
    check_kept(wallet_in(tmp_path), lived)


def test_workers_that_are_replaced_after_some_requests_fail_none(
    tmp_path: Path,
) -> None:
    more = ("--max-requests", "20", "--max-requests-jitter", "10")
    with serve("gunicorn sync, preloaded", tmp_path, more=more) as served:
        wait_for_all(served)
        first = set(served.workers())
        with crowd(served.port, threads=3) as lived:
            assert becomes(lambda: not first & set(served.workers()))
            assert becomes(lambda: len(lived.promised) > 30)
        served.end()
    assert not lived.faults
    assert lived.broken == 0
    check_kept(wallet_in(tmp_path), lived)


def following(wallet: Wallet) -> subprocess.Popen[str]:
    """``flask consent publish --follow`` on the wallet's folder."""
    return subprocess.Popen(  # noqa: S603  our own arguments
        [*FLASK, "consent", "publish", "--follow"],
        env={"CONSENTKIT_SERVED_FOLDER": str(wallet.folder), "PYTHONPATH": "."},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def publishes(wallet: Wallet) -> bool:
    """Whether somebody publishes what is said now."""
    wallet.clock.now = int(time.time() * 1000)
    wallet.answer("alice", CREDIT_SCORE)
    return becomes(lambda: not wallet.installation.publications.pending())


def test_a_publisher_of_its_own_is_killed_started_again_and_ended(
    tmp_path: Path,
) -> None:
    wallet = wallet_in(tmp_path)
    with following(wallet) as process:
        assert publishes(wallet)
        process.kill()
    with following(wallet) as process:
        assert publishes(wallet)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0
    lines = re.findall(r"published: \d+ entries\n", said)
    assert len(lines) == len(set(lines)), "each size is told once"
    assert said.endswith(f"{lines[-1]}stopped\n"), said
    wallet.prove()


def test_a_publisher_whose_log_has_ended_says_so_and_ends_for_its_supervisor(
    tmp_path: Path,
) -> None:
    wallet = wallet_in(tmp_path)
    with following(wallet) as process:
        assert publishes(wallet)
        assert open_next(wallet.installation, SECOND, by=OFFICER).keys
        said = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 1
    assert f"publishes {SECOND}\n" in said.splitlines(keepends=True)[-1]
    assert "Traceback" not in said
