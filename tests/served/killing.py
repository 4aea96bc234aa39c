"""Kill -9 in the middle of load: any worker, and the publisher in its transaction.

``python -m tests.served.killing SECONDS [SERVER …]`` does it for longer, on SQLite and
on PostgreSQL, to every server or those that are named. Afterwards all that was answered
with 2xx has to be there, and every receipt to verify.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.postgres_server import serve_postgres
from tests.served.people import crowd
from tests.served.proving import check_kept
from tests.served.proving import wallet_in
from tests.served.servers import SERVERS
from tests.served.servers import becomes
from tests.served.servers import serve
from tests.served.servers import wait_for_all
from tests.served.wallet_app import STALL
from tests.served.wallet_app import STALLED
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from tests.served.people import Crowd
    from tests.served.servers import Served

__all__ = ["Killed", "kill_and_prove", "kill_publisher"]

_FEWEST = 2  # kills, however slow the machine is


@dataclass(frozen=True)
class Killed:
    """Who lived, and how many processes did not."""

    lived: Crowd
    workers: int
    publishers: int

    def __str__(self) -> str:
        lived = self.lived
        return (
            f"killed {self.workers} workers and {self.publishers} publishers; "
            f"{lived.requests} requests, {lived.broken} without an answer, "
            f"{len(lived.promised)} acts answered, all of them kept"
        )


def kill_and_prove(
    server: str, folder: Path, *, seconds: float, database: str = ""
) -> Killed:
    """Let people live while workers and publishers die, and prove what was promised."""
    dice = random.Random()  # noqa: S311  dice of a test
    workers = publishers = 0
    with serve(server, folder, database=database) as served:
        wait_for_all(served)
        with crowd(served.port) as lived:
            end = time.monotonic() + seconds
            while time.monotonic() < end or workers + publishers < _FEWEST:
                time.sleep(dice.uniform(0.1, 0.4))
                before = len(lived.promised)
                if dice.random() < 0.4:
                    publishers += kill_publisher(served) is not None
                else:
                    workers += _kill(dice.choice(served.workers() or [0]))
                goes_on = partial(_goes_on, served, lived, before)
                assert becomes(goes_on), served.output
        served.end()
    wallet = wallet_in(folder, database)
    check_kept(wallet, lived)
    assert not lived.faults, lived.faults
    Wallet.close_all()
    return Killed(lived, workers, publishers)


def kill_publisher(served: Served) -> int | None:
    """Kill a publisher that holds its locks and has signed; which process, if any."""
    stall, stalled = served.folder / STALL, served.folder / STALLED
    stalled.unlink(missing_ok=True)
    stall.touch()
    try:
        if not becomes(stalled.exists, within=5):
            return None
        process = int(stalled.read_text() or 0)
        return process if _kill(process) else None
    finally:
        stall.unlink()


def _goes_on(served: Served, lived: Crowd, before: int) -> bool:
    """Whether people were answered again: else the next kill would hit nobody."""
    if served.has_ended:
        served.start()  # as a supervisor does: granian gives up in the end
    return len(lived.promised) > before + 3


def _kill(process: int) -> bool:
    if not process:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
        return True
    return False


def main(seconds: float, names: list[str]) -> None:
    """Do it on both kinds of database, and say how it went."""
    with serve_postgres({"fsync": "on"}) as postgres:
        for server in names or list(SERVERS):
            for kind in ("SQLite", "PostgreSQL"):
                database = "" if kind == "SQLite" else postgres.new_tables()
                with TemporaryDirectory() as folder:
                    killed = kill_and_prove(
                        server, Path(folder), seconds=seconds, database=database
                    )
                sys.stdout.write(f"{server}, {kind}: {killed}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
