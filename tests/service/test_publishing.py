"""Numbers in the order of commits, a tree that only grows, files that can be remade."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import threading
from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.verify import verify_log
from consentkit.core.act import Kind
from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.log.checkpoint import open_checkpoint
from consentkit.log.checkpoint import sign_checkpoint
from consentkit.log.merkle import root_of
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import tiles_for_size
from consentkit.service import publishing
from consentkit.service.publishing import PublisherThread
from consentkit.service.publishing import publish_all
from consentkit.service.recording import sign_plain_leaf
from consentkit.store.publications import Publications
from tests.processes import at_once
from tests.processes import in_fork
from tests.service.contending import publish
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def say(wallet: Wallet, *, times: int = 1) -> None:
    """Some acts of some people."""
    for number in range(times):
        wallet.clock.now += 1
        wallet.answer(f"person-{number % 7}", CREDIT_SCORE)


def fill(wallet: Wallet, *, times: int) -> None:
    """Many leaves in one transaction."""
    fields = {"action": "test", "target": "nothing", "evidence": "e" * 64}
    with wallet.installation.ledger.write() as transaction:
        for _ in range(times):
            transaction.append(
                sign_plain_leaf(
                    wallet.installation, Kind.ADMIN, fields, now=wallet.clock()
                )
            )


def check_tree(wallet: Wallet) -> None:
    """Numbers without a gap in the order of commits, and every checkpoint a prefix."""
    rows = wallet.sql("SELECT idx, hash FROM consent_leaf ORDER BY position")
    numbered = [row for row in rows if row[0] is not None]
    assert [row[0] for row in numbered] == list(range(len(numbered)))
    assert rows[: len(numbered)] == numbered  # nothing was passed over
    sizes = []
    for size, note in wallet.sql(
        "SELECT size, note FROM consent_checkpoint ORDER BY size"
    ):
        checkpoint = open_checkpoint(note, wallet.trust.log)
        assert checkpoint.size == size
        assert checkpoint.root == root_of([row[1] for row in numbered[:size]])
        sizes.append(size)
    assert wallet.sql("SELECT size FROM consent_log") == [(sizes[-1],)]
    assert sizes[-1] == len(numbered)


def test_leaves_are_numbered_in_the_order_of_their_commits(wallet: Wallet) -> None:
    dice = random.Random(7)  # noqa: S311  dice of a test
    total = 0
    while total < 300:  # past the first full tile
        count = dice.choice([1, 2, 40, 120])
        fill(wallet, times=count)
        total += count
        assert publish_all(wallet.installation) == len(wallet.leaves())
        check_tree(wallet)
    entries = [
        entry
        for tile in tiles_for_size(len(wallet.leaves()))
        if tile.level == "entries"
        for entry in decode_bundle(
            (wallet.logs / tile.path).read_bytes(), count=tile.width
        )
    ]
    assert entries == [leaf.data for leaf in wallet.leaves()]
    assert wallet.verify().size == len(entries)


def test_with_nothing_new_nothing_is_signed(wallet: Wallet) -> None:
    wallet.verify()
    before, on_disk = wallet.contents(), files(wallet.logs)
    wallet.clock.now += 1_000
    assert publish_all(wallet.installation) == len(wallet.leaves())
    assert wallet.contents() == before
    assert files(wallet.logs) == on_disk


def test_files_that_were_deleted_come_back_byte_for_byte(wallet: Wallet) -> None:
    fill(wallet, times=260)
    wallet.verify()
    before = files(wallet.logs)
    shutil.rmtree(wallet.logs)
    publish_all(wallet.installation)
    assert files(wallet.logs) == before


def test_a_single_lost_file_comes_back_with_the_checkpoint(wallet: Wallet) -> None:
    say(wallet, times=3)
    wallet.verify()
    before = files(wallet.logs)
    for path in before:
        (wallet.logs / path).unlink()
        (wallet.logs / "checkpoint").unlink(missing_ok=True)
        publish_all(wallet.installation)
        assert files(wallet.logs) == before


@pytest.mark.parametrize("grow", [False, True], ids=["same size", "grown"])
def test_a_changed_file_stops_the_publisher_and_stays_as_it_is(
    wallet: Wallet, *, grow: bool
) -> None:
    say(wallet, times=3)
    wallet.verify()
    (tile,) = (wallet.logs / "tile" / "0").rglob("[0-9]*.p/*")
    data = tile.read_bytes()
    tile.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    (wallet.logs / "checkpoint").unlink()  # so that all files are made again
    if grow:
        size = int(tile.name)
        fill(wallet, times=1)
        clash = tile.with_name(str(size + 1))
        clash.write_bytes(b"x")
    before = files(wallet.logs)
    with pytest.raises(LogConflictError, match="nothing was overwritten"):
        publish_all(wallet.installation)
    after = files(wallet.logs)
    assert {path: after[path] for path in before} == before
    assert "checkpoint" not in after
    tile.write_bytes(data)
    if grow:
        clash.unlink()


CHECKPOINTS: dict[str, Callable[[bytes], bytes]] = {
    "one byte": lambda note: note.replace(b"\n4\n", b"\n5\n", 1) + b"\n",
    "cut short": lambda note: note[:-9],
    "nothing": lambda _: b"",
}


@pytest.mark.parametrize("change", CHECKPOINTS.values(), ids=CHECKPOINTS)
def test_a_changed_checkpoint_stops_the_publisher_and_stays_as_it_is(
    wallet: Wallet, change: Callable[[bytes], bytes]
) -> None:
    say(wallet)
    wallet.verify()
    path = wallet.logs / "checkpoint"
    good = path.read_bytes()
    path.write_bytes(change(good))
    changed = path.read_bytes()
    say(wallet)
    for _ in range(2):
        before = wallet.contents()
        with pytest.raises(LogConflictError, match="nothing was signed"):
            publish_all(wallet.installation)
        assert path.read_bytes() == changed
        assert wallet.contents() == before
    path.write_bytes(good)


def test_a_database_put_back_from_a_backup_does_not_fork_the_log(
    wallet: Wallet,
) -> None:
    """Attack or accident: yesterday's file, under a log that others saw grow."""
    wallet.damaged = True
    say(wallet)
    wallet.verify()
    backup = wallet.file.read_bytes()
    say(wallet, times=2)
    wallet.verify()
    seen = files(wallet.logs)
    wallet.file.write_bytes(backup)
    restored = Wallet(wallet.folder, clock=wallet.clock)
    say(restored)  # the people of today, whom the backup does not know
    before = restored.contents()
    with pytest.raises(LogConflictError, match="older copy of the database"):
        publish_all(restored.installation)
    assert files(wallet.logs) == seen
    assert restored.contents() == before


@pytest.mark.parametrize("which", ["idx = 1", "idx IS NULL"], ids=["old", "waiting"])
@pytest.mark.parametrize(
    "bad", ["CAST(bytes || ' ' AS BLOB)", "'text'", "10e12", "x''"]
)
def test_a_leaf_that_was_changed_behind_our_back_stops_the_publisher(
    wallet: Wallet, which: str, bad: str
) -> None:
    wallet.damaged = True
    say(wallet, times=2)
    wallet.verify()
    say(wallet)
    wallet.sql("DROP TRIGGER consent_leaf_no_update")
    wallet.sql(f"UPDATE consent_leaf SET bytes = {bad} WHERE {which}")  # noqa: S608  as below
    latest = wallet.installation.publications.latest()
    with pytest.raises(LogConflictError, match="nothing was signed"):
        publish_all(wallet.installation)
    assert wallet.installation.publications.latest() == latest


def test_publishers_at_once_make_one_tree(wallet: Wallet) -> None:
    """Each process writes and publishes; those not elected have nothing to do."""
    elected = at_once(publish, [(wallet.folder, 8)] * 4)
    assert sum(elected) > 0
    publish_all(wallet.installation)
    check_tree(wallet)
    assert len(wallet.leaves("choice")) == 32


def test_publishers_without_an_election_make_one_tree_too(wallet: Wallet) -> None:
    """The database alone keeps the numbers straight, should the lock file fail."""
    publications = wallet.installation.publications
    key = wallet.installation.keyring.log
    failures: list[BaseException] = []

    def number() -> None:
        try:
            for _ in range(10):
                publications.publish(
                    lambda checkpoint: sign_checkpoint(checkpoint, key),
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
    "before a file gets its name": (publishing, "_replace"),
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
        if (wallet.logs / "checkpoint").exists():
            # Half of the files may be there; what the checkpoint speaks of, all is.
            verify_prefix(wallet)
        if grow:
            say(wallet)
        wallet.prove()
        check_tree(wallet)
    assert call > 1


def verify_prefix(wallet: Wallet) -> None:
    """The folder holds what its checkpoint says, whatever else lies there."""
    checkpoint = open_checkpoint(
        (wallet.logs / "checkpoint").read_bytes(), wallet.trust.log
    )
    needed = {tile.path for tile in tiles_for_size(checkpoint.size)} | {"checkpoint"}
    copy = wallet.folder / "copy"
    for path in needed:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(wallet.logs / path, copy / path)
    assert verify_log(FolderSource(copy), trust=wallet.trust).size == checkpoint.size
    shutil.rmtree(copy)


def test_no_checkpoint_that_was_signed_is_ever_lost(wallet: Wallet) -> None:
    say(wallet)
    wallet.verify()
    for call in (1, 2, 3):
        say(wallet)
        killed_at(wallet, publishing, "write_files", 1)
        assert len(wallet.sql("SELECT 1 FROM consent_checkpoint")) == call + 1
    sizes = [row[0] for row in wallet.sql("SELECT size FROM consent_checkpoint")]
    assert all(one < other for one, other in pairwise(sizes))


def test_a_folder_that_cannot_be_written_is_said_and_made_up_for(
    wallet: Wallet,
) -> None:
    (wallet.folder / "logs").write_text("in the way")
    say(wallet)
    with pytest.raises(LogUnavailableError, match="folder of published logs"):
        publish_all(wallet.installation)
    (wallet.folder / "logs").unlink()
    (wallet.folder / "logs").mkdir()
    wallet.logs.write_text("in the way")
    with pytest.raises(LogUnavailableError):
        publish_all(wallet.installation)
    wallet.logs.unlink()
    assert wallet.verify().size == len(wallet.leaves())


def test_the_publisher_thread_outlives_every_error(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    errors = [LogUnavailableError("down"), OSError(28, "disk full"), RuntimeError("?")]
    done = threading.Event()

    def fail(_installation: object) -> None:
        if errors:
            raise errors.pop(0)
        done.set()
        raise SystemExit  # ends the thread, and this test with it

    monkeypatch.setattr(publishing, "publish_all", fail)
    monkeypatch.setattr(publishing, "_INTERVAL", 0.001)
    PublisherThread(wallet.installation).ensure_running()
    assert done.wait(10)
    assert caplog.text.count("publishing failed, trying again") == 3


def test_there_is_one_publisher_thread_a_process_and_one_in_each_fork(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []
    monkeypatch.setattr(
        threading.Thread, "start", lambda _thread: started.append(os.getpid())
    )
    publisher = PublisherThread(wallet.installation)
    for _ in range(3):
        publisher.ensure_running()
    assert started == [os.getpid()]

    def again() -> int:
        for _ in range(3):
            publisher.ensure_running()
        return len(started)

    assert in_fork(again).value == 2


def test_the_publisher_thread_publishes(wallet: Wallet) -> None:
    say(wallet)
    done = threading.Event()
    publisher = PublisherThread(wallet.installation)
    rest = threading.Event.wait

    def stop_after_one(self: threading.Event, timeout: float | None = None) -> bool:
        if threading.current_thread().name == "consentkit-publisher":
            done.set()
            raise SystemExit
        return rest(self, timeout)

    with suppress(SystemExit), pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Event, "wait", stop_after_one)
        publisher.ensure_running()
        assert done.wait(10)
    assert wallet.installation.publications.pending() == 0
    assert (wallet.logs / "checkpoint").exists()
