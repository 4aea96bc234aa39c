"""Kill the primary under load, promote the standby, and see who was lied to.

Over and over, for longer than a test has time:
``python -m tests.web.failing_over SECONDS``.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.standby import serve_pair
from tests.web.keeping_promises import Auditor
from tests.web.promised import Load
from tests.web.served_wallet import installation_of
from tests.web.served_wallet import serve_wallet

if TYPE_CHECKING:
    from tests.web.promised import Told

__all__ = ["UNAVAILABLE", "fail_over"]

UNAVAILABLE = {(503, "unavailable"), (503, "page"), (503, "not-published")}
"""What a request may be answered with meanwhile."""

_THREADS = 3


def fail_over(folder: Path, *, before: int, after: int) -> Told:
    """So many acts before and after the primary died; whoever was lied to fails it."""
    with serve_pair() as pair:
        uri = pair.new_tables()
        auditor = Auditor.of(installation_of(folder, uri))
        with (
            serve_wallet(folder, uri) as port,
            Load(port, threads=_THREADS) as load,
        ):
            load.wait_for(before)
            pair.primary.crash()
            published = auditor.size()
            pair.standby.promote()
            load.wait_for(after)
        told = load.told
        assert set(told.refusals) <= UNAVAILABLE, told.refusals
        assert (503, "unavailable") in told.refusals
        assert not told.broken, told.broken
        auditor.check(told, installation_of(folder, uri))
        assert auditor.size() >= published + after
        return told


def main(seconds: float) -> None:
    """Rounds until the time is over, each with new servers and at another moment."""
    until = time.monotonic() + seconds
    chance = random.Random(seconds)  # noqa: S311  when to kill
    while time.monotonic() < until:
        with tempfile.TemporaryDirectory() as folder:
            before = chance.randrange(20, 400)
            told = fail_over(Path(folder), before=before, after=100)
        sys.stdout.write(f"killed after {before} acts: {told}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(float(sys.argv[1]))
