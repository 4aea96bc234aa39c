"""Numbers in the order of commits, a tree that only grows, files that can be remade."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest

from consentkit.errors import LogConflictError
from consentkit.errors import LogUnavailableError
from consentkit.log.tiles import decode_bundle
from consentkit.log.tiles import tiles_for_size
from consentkit.service.publishing import publish_all
from tests.service.log_files import check_tree
from tests.service.log_files import files
from tests.service.log_files import fill
from tests.service.log_files import say
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable


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
    wallet.unguard("update")
    wallet.sql(f"UPDATE consent_leaf SET bytes = {bad} WHERE {which}")  # noqa: S608  as below
    latest = wallet.installation.publications.latest()
    with pytest.raises(LogConflictError, match="nothing was signed"):
        publish_all(wallet.installation)
    assert wallet.installation.publications.latest() == latest


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
