"""Two machines, one database: each has files of its own, and neither forks the log."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.verify import verify_log
from consentkit.log.tiles import tiles_for_size
from tests.postgres_server import PostgresServer
from tests.served.people import crowd
from tests.served.proving import check_kept
from tests.served.servers import Served
from tests.served.servers import becomes
from tests.served.servers import serve
from tests.served.servers import wait_for_all
from tests.service.contending import Host
from tests.service.log_files import files
from tests.service.wallet import ORIGIN
from tests.service.wallet import Clock
from tests.service.wallet import Wallet

SERVER = "gunicorn gthread, preloaded"
MACHINES = "one", "other"
ACCEPT = [
    *(sys.executable, "-m", "flask", "--app", "tests.served.wallet_app"),
    *("consent", "publish", "--accept-high-water"),
]


def machine(stack: ExitStack, folder: Path, database: str, name: str) -> Served:
    """A server of that name: same keys, but log folder and high-water file its own.

    One that joins a log that is there already is to be told that this is the newest.
    """
    own = {
        "CONSENTKIT_LOG_FOLDER": str(folder / name),
        "CONSENTKIT_HIGH_WATER": str(folder / f"{name}.mark"),
    }
    if name != MACHINES[0]:
        with serve(ACCEPT, folder, database=database, **own) as command:
            assert command.process.wait(60) == 0, command.output
    served = stack.enter_context(serve(SERVER, folder, database=database, **own))
    wait_for_all(served)
    return served


def published(folder: Path) -> dict[str, bytes]:
    """Every file that a machine has published."""
    return files(folder / ORIGIN.replace("/", "_"))


def all_is_on_both(wallet: Wallet) -> bool:
    """Whether nothing waits, and both machines show the newest checkpoint."""
    done = wallet.installation.publications.latest()
    if wallet.installation.publications.pending() or done is None:
        return False
    shown = [published(wallet.folder / name) for name in MACHINES]
    return all(each.get("checkpoint") == done[1] for each in shown)


@pytest.mark.requirement("R119")
def test_both_publish_and_if_one_is_killed_the_other_goes_on(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    database = postgres.new_tables()
    with ExitStack() as stack:
        one, other = (machine(stack, tmp_path, database, name) for name in MACHINES)
        with crowd(other.port, threads=3) as lived:
            with crowd(one.port, threads=3, family="q") as at_first:
                assert becomes(lambda: len(at_first.promised) > 10)
                one.kill()
            before = len(lived.promised)
            assert becomes(lambda: len(lived.promised) > before + 10)
        one.start()
        wait_for_all(one)
        wallet = Host(
            tmp_path,
            clock=Clock(int(time.time() * 1000)),
            uri=database,
            logs_folder=MACHINES[0],
            high_water=f"{MACHINES[0]}.mark",
        )
        assert becomes(lambda: all_is_on_both(wallet)), one.output
        for served in (one, other):
            served.end()
    assert not lived.faults
    assert not at_first.faults
    check_kept(wallet, lived)
    check_kept(wallet, at_first)
    mine, theirs = (published(tmp_path / name) for name in MACHINES)
    # Each has all that its checkpoint needs, and nothing that the other has otherwise;
    # a partial tile of a size that the other published is no part of that.
    needed = {tile.path for tile in tiles_for_size(wallet.verify().size)}
    assert needed | {"checkpoint"} <= set(mine) & set(theirs)
    assert all(mine[path] == theirs[path] for path in set(mine) & set(theirs))
    for name in MACHINES:
        folder = tmp_path / name / ORIGIN.replace("/", "_")
        found = verify_log(FolderSource(folder), trust=wallet.trust)
        assert found.size == wallet.verify().size
    postgres.drop_database(database)
