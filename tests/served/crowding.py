"""Many workers of eight threads on one SQLite file: does a write fail, or wait long?

``python -m tests.served.crowding SECONDS [WORKERS …]`` says how long the slowest answer
took, with as many people at once as there are threads; docs/serving.md has the table.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.served.people import crowd
from tests.served.proving import check_kept
from tests.served.proving import wallet_in
from tests.served.servers import serve
from tests.served.servers import wait_for_all
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from tests.served.people import Crowd

__all__ = ["write_at_once"]

_THREADS = "8"
_SERVER = "gunicorn gthread, preloaded"


def write_at_once(
    folder: Path, *, workers: int, clients: int, seconds: float
) -> tuple[Crowd, float]:
    """Who lived, and for how long; everything they were answered is proven."""
    more = ("--threads", _THREADS, "--workers", str(workers))
    with serve(_SERVER, folder, more=more) as served:
        wait_for_all(served)
        began = time.monotonic()
        with crowd(served.port, threads=clients) as lived:
            time.sleep(seconds)
        took = time.monotonic() - began
        served.end()
    check_kept(wallet_in(folder), lived)
    Wallet.close_all()
    return lived, took


def main(seconds: float, numbers: list[int]) -> None:
    """A row for each number of workers, with as many clients as all their threads."""
    sys.stdout.write("| workers | clients | acts/s | slowest answer | failed |\n")
    for workers in numbers or [2, 4, 8]:
        clients = workers * int(_THREADS)
        with TemporaryDirectory() as folder:
            lived, took = write_at_once(
                Path(folder), workers=workers, clients=clients, seconds=seconds
            )
        failed = lived.broken + lived.faults.total()
        sys.stdout.write(
            f"| {workers} | {clients} | {len(lived.promised) / took:.0f} "
            f"| {lived.longest:.1f} s | {failed} |\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main(float(sys.argv[1]), [int(each) for each in sys.argv[2:]])
