"""Several processes, started fresh, that all work on the same few consents."""

from __future__ import annotations

import random
import signal
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.laid_tables import lay_tables
from tests.processes import meeting
from tests.processes import started
from tests.service.linear_history import Recorder
from tests.service.linear_history import read_history
from tests.service.linear_worker import Place
from tests.service.linear_worker import Worker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

    from tests.service.linear_history import Operation

__all__ = ["Load", "run_load"]

_LONGEST = 3_600.0  # seconds; only a hang lasts longer


@dataclass(frozen=True)
class Load:
    """What so many processes are to do in one place.

    ``victim`` is the one that is killed when it is half through, None for nobody.
    """

    place: Place
    processes: int
    operations: int
    seed: int = 1
    victim: int | None = None

    @property
    def files(self) -> list[Path]:
        """Where each process notes what it does."""
        return [self.place.folder / f"{each}.history" for each in range(self.processes)]

    @property
    def share(self) -> int:
        """How much each of them does, so that all of it gets done."""
        whole = self.processes - (0 if self.victim is None else 0.5)
        return int(self.operations / whole) + 1


def run_load(load: Load) -> list[Operation]:
    """What they did, and were told."""
    place = load.place
    if not place.uri:
        lay_tables(place.folder / "consentkit" / "consent.sqlite3")
    notices = place.begin()
    ready = meeting(load.processes)
    running = started(
        _work, [(load, each, notices, ready) for each in range(load.processes)]
    )
    for number, each in enumerate(running):
        each.join(_LONGEST)
        expected = -signal.SIGKILL if number == load.victim else 0
        assert each.exitcode == expected, f"process {number}: {each.exitcode}"
    return read_history(load.files)


def _work(load: Load, number: int, notices: Mapping[str, str], ready: Barrier) -> None:
    app, consent = load.place.open_app()
    with closing(Recorder(load.files[number], number)) as recorder:
        dice = random.Random(load.seed * 1_000 + number)  # noqa: S311  of a test
        worker = Worker(app, consent, recorder, dice, notices)
        ready.wait(_LONGEST)
        worker.work(load.share, dies=number == load.victim)
