"""A route behind gunicorn: bare, with a check in its view, and behind ``require``.

The view does nothing else, so that this is the most that either can cost. A check
reads. ``require`` shares: it writes a signed line to the ledger, and that is on the
disk before the view runs. Requests come from wrk where it is installed, else from
threads of this process, which take more of the processor from the server.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path

from consentkit.store.sqlite import journal_mode
from tests.bench.act import Acts
from tests.bench.measure import Line
from tests.bench.measure import Samples
from tests.bench.measure import arguments
from tests.bench.measure import circumstances
from tests.bench.measure import report
from tests.bench.measure import write
from tests.bench.served import ANSWER
from tests.bench.served import FOLDER
from tests.bench.served import PEOPLE
from tests.bench.world import world
from tests.postgres_server import serve_postgres

WORKERS, CLIENTS = 2, 4
SECONDS, SMOKE_REQUESTS = 1, 4
PLAIN, CHECKED, GATED = "bare", "a check in the view", "behind require"
_PATHS = {PLAIN: "/plain", CHECKED: "/checked", GATED: "/gated"}
_REACH = 1 / 0.8
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
_BAD = re.compile(r"Non-2xx|Socket errors")


@contextmanager
def _served(folder: Path, database: str, workers: int) -> Iterator[int]:
    """The port of gunicorn with the app of that folder; it ends with the block."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=128)) as bound:
        handle = bound.fileno()
        given = {**os.environ, FOLDER: str(folder)}
        if database:
            given["FLASK_CONSENTKIT_DATABASE_URI"] = database
        command = (
            *(sys.executable, "-m", "gunicorn", "tests.bench.served:create_app()"),
            *("--workers", str(workers), "--bind", f"fd://{handle}"),
            *("--log-level", "error", "--no-control-socket"),
        )
        with subprocess.Popen(command, pass_fds=[handle], env=given) as server:  # noqa: S603  our own arguments
            try:
                yield bound.getsockname()[1]
            finally:
                server.terminate()


def _get(port: int, path: str) -> object:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as one:
        one.request("GET", path)
        answer = one.getresponse()
        return answer.status, json.loads(answer.read())


def _agreement(port: int) -> str:
    """A line that says what came; stops if it is not the same on all three ways."""
    for name, path in _PATHS.items():
        found = _get(port, path)
        if found != (200, ANSWER):
            raise SystemExit(f"{name}: {found}")
    return f"same answer on {len(_PATHS)} ways"


def _by_wrk(port: int, path: str) -> float:
    """Seconds for one request, as many as fit into the time."""
    command = "wrk", "-t1", f"-c{CLIENTS}", f"-d{SECONDS}s"
    done = subprocess.run(  # noqa: S603  our own arguments
        (*command, f"http://127.0.0.1:{port}{path}"),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rate = _RATE.search(done)
    if rate is None or _BAD.search(done):
        raise SystemExit(f"wrk says: {done}")
    return 1 / float(rate[1])


def _by_threads(port: int, path: str, requests: int) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        for answer in pool.map(lambda _: _get(port, path), range(requests)):
            if answer != (200, ANSWER):
                raise SystemExit(f"{path} answers {answer}")
    return (time.perf_counter() - started) / requests


def _race(port: int, rounds: int, *, smoke: bool) -> Samples:
    use_wrk = shutil.which("wrk") and not smoke
    requests = SMOKE_REQUESTS if smoke else 1_000
    samples: dict[str, list[float]] = {name: [] for name in _PATHS}
    names = list(_PATHS)
    for number in range(-1, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            path = _PATHS[name]
            taken = (
                _by_wrk(port, path) if use_wrk else _by_threads(port, path, requests)
            )
            if number >= 0:
                samples[name].append(taken)
    return samples


def _compare(database: str, rounds: int, *, smoke: bool) -> str:
    """The table of one kind of database."""
    with world(database=database) as made:
        folder = Path(made.app.instance_path)
        acts = Acts(made, 4 if smoke else 200)
        (folder / PEOPLE).write_text(json.dumps(acts.agreeing))
        made.installation.close()
        with _served(folder, database, 1 if smoke else WORKERS) as port:
            agreed = _agreement(port)
            samples = _race(port, rounds, smoke=smoke)
    kind = "PostgreSQL" if database else "SQLite"
    named = {f"{name}, {kind}": taken for name, taken in samples.items()}
    bare = f"{PLAIN}, {kind}"
    lines = [Line(f"{name}, {kind}", bare, _REACH) for name in (CHECKED, GATED)]
    return f"{agreed}\n\n{report(named, [Line(bare), *lines])}"


def main(argv: Sequence[str] | None = None) -> None:
    """Compare answers, then times for one request, of all clients together."""
    asked = arguments(argv, __doc__, rounds=9)
    load = "wrk" if shutil.which("wrk") and not asked.smoke else "threads of Python"
    write(
        f"gunicorn, {WORKERS} sync workers; {CLIENTS} clients at once, by {load}",
        circumstances(journal_mode(), asked.rounds),
    )
    write(_compare("", asked.rounds, smoke=asked.smoke))
    if not asked.smoke:
        with serve_postgres({"fsync": "on", "shared_buffers": "256MB"}) as server:
            write(_compare(server.new_database(), asked.rounds, smoke=False))


if __name__ == "__main__":
    main()
