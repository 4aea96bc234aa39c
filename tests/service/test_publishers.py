"""Many may publish, one does; and whoever dies, the next one catches up."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.errors import LogUnavailableError
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.tiles import parse_tile_path
from consentkit.service import background
from consentkit.service import publishing
from consentkit.service.background import stop_threads
from consentkit.service.publishing import PublisherThread
from consentkit.service.publishing import publish_all
from consentkit.store.publications import Publications
from tests.processes import at_once
from tests.processes import in_fork
from tests.service.contending import publish
from tests.service.log_files import check_tree
from tests.service.log_files import files
from tests.service.log_files import say
from tests.service.log_files import verify_prefix
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable


def test_publishers_at_once_make_one_tree(wallet: Wallet) -> None:
    """Each process writes and publishes; those not elected have nothing to do."""
    elected = at_once(publish, [(wallet.folder, 8)] * 4)
    assert sum(elected) > 0
    publish_all(wallet.installation)
    check_tree(wallet)
    assert len(wallet.leaves("choice")) == 32


def test_publishers_without_an_election_make_one_tree_too(wallet: Wallet) -> None:
    """The database alone keeps the numbers straight, should the lock file fail."""
    wallet.verify()
    publications = wallet.installation.publications
    key = wallet.installation.keyring.log
    failures: list[BaseException] = []

    def number() -> None:
        try:
            for _ in range(10):
                publications.publish(
                    lambda checkpoint, _prefixes: sign_checkpoint(checkpoint, key),
                    now=wallet.clock(),
                )
        except BaseException as error:  # noqa: BLE001  shown by the main thread
            failures.append(error)

    threads = [threading.Thread(target=number) for _ in range(4)]
    for thread in threads:
        thread.start()
    say(wallet, times=20)
    for thread in threads:
        thread.join()
    assert failures == []
    publish_all(wallet.installation)
    check_tree(wallet)


def test_who_is_not_elected_does_nothing(wallet: Wallet) -> None:
    say(wallet)
    before = wallet.contents()
    lock = wallet.logs.with_name(f".{wallet.logs.name}.lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert publish_all(wallet.installation) is None
        assert in_fork(lambda: publish_all(wallet.installation)).value is None
    assert wallet.contents() == before
    assert not wallet.logs.exists()


# Killed at any point: what is committed is published by whoever comes next.


def killed_at(wallet: Wallet, module: object, name: str, call: int) -> bool:
    """Publish in a fork that dies at one call of a function; whether it came to it."""

    def publish_and_die() -> None:
        original = getattr(module, name)
        calls = 0

        def deadly(*arguments: object, **options: object) -> object:
            nonlocal calls
            calls += 1
            if calls == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments, **options)

        setattr(module, name, deadly)
        publish_all(wallet.installation)

    return in_fork(publish_and_die).signal == signal.SIGKILL


DEATHS: dict[str, tuple[object, str]] = {
    "before the numbers are committed": (Publications, "_keep"),
    "between commit and files": (publishing, "write_files"),
    "before a file": (publishing, "_write_once"),
    "before a file gets its name": (publishing, "replace_file"),
    "before a file is flushed": (os, "fsync"),
}


@pytest.mark.parametrize(("module", "name"), DEATHS.values(), ids=DEATHS)
@pytest.mark.parametrize("grow", [False, True], ids=["at once", "with more to come"])
def test_after_a_killed_publisher_the_next_one_catches_up(
    wallet: Wallet, module: object, name: str, *, grow: bool
) -> None:
    say(wallet)
    wallet.verify()
    call = 0
    killed = True
    while killed:
        call += 1
        say(wallet, times=2)
        killed = killed_at(wallet, module, name, call)
        for path in files(wallet.logs):
            assert path == "checkpoint" or parse_tile_path(path)  # and no drafts
        if (wallet.logs / "checkpoint").exists():
            # Half of the files may be there; what the checkpoint speaks of, all is.
            verify_prefix(wallet)
        if grow:
            say(wallet)
        wallet.prove()
        check_tree(wallet)
    assert call > 1


def test_no_checkpoint_that_was_signed_is_ever_lost(wallet: Wallet) -> None:
    say(wallet)
    wallet.verify()
    for call in (1, 2, 3):
        say(wallet)
        killed_at(wallet, publishing, "write_files", 1)
        assert len(wallet.sql("SELECT 1 FROM consent_checkpoint")) == call + 1
    sizes = [row[0] for row in wallet.sql("SELECT size FROM consent_checkpoint")]
    assert all(one < other for one, other in pairwise(sizes))


def test_the_publisher_thread_outlives_every_error(wallet: Wallet) -> None:
    """In a fork, which ends with its thread."""
    errors = [LogUnavailableError("down"), OSError(28, "disk full"), RuntimeError("?")]

    def go_on() -> bool:
        calls: list[None] = []

        def fail(_installation: object) -> None:
            calls.append(None)
            raise errors[len(calls) % 3]

        publish_often(publish_all=fail)
        logging.disable()
        PublisherThread(wallet.installation).ensure_running()
        return becomes(lambda: len(calls) > 6)

    assert in_fork(go_on).value


def test_there_is_one_publisher_thread_a_process_and_one_in_each_fork(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one beside it that rewrites the file after an erasure."""
    started: list[int] = []
    monkeypatch.setattr(
        threading.Thread, "start", lambda _thread: started.append(os.getpid())
    )
    publisher = PublisherThread(wallet.installation)
    for _ in range(3):
        publisher.ensure_running()
    assert started == [os.getpid()] * 2

    def again() -> int:
        for _ in range(3):
            publisher.ensure_running()
        return len(started)

    assert in_fork(again).value == 4


def test_the_publisher_thread_publishes_what_comes_in(wallet: Wallet) -> None:
    def write_and_wait() -> bool:
        publish_often()
        PublisherThread(wallet.installation).ensure_running()
        published = True
        for _ in range(3):
            say(wallet)
            published &= becomes(lambda: not wallet.installation.publications.pending())
        return published

    assert in_fork(write_and_wait).value
    assert becomes((wallet.logs / "checkpoint").exists)


def publish_often(**names: Any) -> None:
    """Shorten the rest and replace names of the module for good, as a fork may."""
    for module, name, value in (
        (background, "_INTERVAL", 0.001),
        *((publishing, name, value) for name, value in names.items()),
    ):
        setattr(module, name, value)


def becomes(condition: Callable[[], bool]) -> bool:
    """Whether it comes true within ten seconds."""
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


def test_threads_that_were_stopped_are_started_anew_by_the_next_request(
    wallet: Wallet,
) -> None:
    def stop_and_go_on() -> list[bool]:
        publish_often()
        publisher = PublisherThread(wallet.installation)
        started = [publisher.ensure_running(), publisher.ensure_running()]
        stop_threads()
        names = {each.name for each in threading.enumerate()}
        started.append(not any(name.startswith("consentkit-") for name in names))
        started.append(publisher.ensure_running())
        say(wallet)
        pending = wallet.installation.publications.pending
        started.append(becomes(lambda: not pending()))
        return started

    assert in_fork(stop_and_go_on).value == [True, False, True, True, True]
