"""A longer run than a test has time for: ``python -m tests.service.linearizing``.

``postgres 500000`` has eight processes do so much on a server of its own, ``sqlite
500000`` four on a file. A round has at most fifty thousand operations and a log of its
own; in each, one process is killed in the middle.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.postgres_server import serve_postgres
from tests.service.linear_checker import check_history
from tests.service.linear_load import Load
from tests.service.linear_load import run_load
from tests.service.linear_worker import Place

PROCESSES = {"postgres": 8, "sqlite": 4}
_ROUND = 50_000


def main(argv: Sequence[str] | None = None) -> None:
    """Run round after round; the first answer that nothing explains ends it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engine", choices=PROCESSES)
    parser.add_argument("operations", type=int)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10_000)
    asked = parser.parse_args(argv)
    with ExitStack() as stack:
        new: Callable[[], str] = str
        if asked.engine == "postgres":
            new = stack.enter_context(serve_postgres()).new_tables
        for done in range(0, asked.operations, _ROUND):
            size = min(_ROUND, asked.operations - done)
            _run(asked.engine, new(), size, asked.seed + done // _ROUND)


def _run(engine: str, uri: str, operations: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), uri)
        load = Load(place, PROCESSES[engine], operations, seed=seed, victim=1)
        began = time.monotonic()
        history = run_load(load)
        seconds = time.monotonic() - began
    sys.stdout.write(f"{engine}, seed {seed}: {check_history(history)}; ")
    sys.stdout.write(f"{seconds:.0f} s\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
