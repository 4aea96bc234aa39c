"""The wallet's app behind a server, as it is put to work: real processes, real HTTP."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import urllib3

from tests.served.wallet_app import FOLDER
from tests.served.wallet_app import LOADED

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Mapping
    from collections.abc import Sequence

__all__ = ["SERVERS", "Served", "becomes", "serve", "wait_for_all"]

_PATIENCE = 60.0  # seconds for something that takes a moment on an idle machine
_APP = "tests.served.wallet_app:create_app"


def _gunicorn(*more: str) -> Callable[[str, int], list[str]]:
    def command(app: str, port: int) -> list[str]:
        return [
            *(sys.executable, "-m", "gunicorn", f"{app}()", "--no-control-socket"),
            *("--bind", f"127.0.0.1:{port}", "--graceful-timeout", "20", *more),
        ]

    return command


def _granian(app: str, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", app, "--factory", "--interface", "wsgi"),
        *("--port", str(port), "--workers", "2", "--blocking-threads", "4"),
        *("--respawn-failed-workers", "--respawn-interval", "0.1"),
        *("--workers-kill-timeout", "20"),
    ]


SERVERS: dict[str, Callable[[str, int], list[str]]] = {
    "gunicorn sync": _gunicorn("-w", "2"),
    "gunicorn sync, preloaded": _gunicorn("-w", "2", "--preload"),
    "gunicorn gthread": _gunicorn("-w", "2", "-k", "gthread", "--threads", "4"),
    "gunicorn gthread, preloaded": _gunicorn(
        "-w", "2", "-k", "gthread", "--threads", "4", "--preload"
    ),
    "granian": _granian,
}
"""The command lines of docs/serving.md, by what a test is called after them."""


@dataclass
class Served:
    """A server that runs, the app of which lies in ``folder``."""

    folder: Path
    port: int
    command: Sequence[str]
    surroundings: Mapping[str, str]

    def start(self) -> None:
        """Let it serve; also once more, after it has ended."""
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603  our own arguments
                self.command,
                env=self.surroundings,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End it and all of its workers without a word."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(_PATIENCE)

    @property
    def has_ended(self) -> bool:
        """Whether it is not there any more."""
        return self.process.poll() is not None

    @property
    def loads(self) -> int:
        """How many of its processes load the app."""
        return 1 if "--preload" in self.command else 2

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return (self.folder / "output").read_text()

    def workers(self) -> list[int]:
        """Its worker processes, as they are now."""
        process = self.process.pid
        children = Path(f"/proc/{process}/task/{process}/children")
        try:
            return [int(each) for each in children.read_text().split()]
        except FileNotFoundError:
            return []

    def get(self, path: str) -> tuple[int, bytes]:
        """Status and body of an address of the app."""
        address = f"http://127.0.0.1:{self.port}{path}"
        answer = urllib3.request("GET", address, retries=False, timeout=_PATIENCE)
        return answer.status, answer.data

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end, and return how it ended."""
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE)


@contextlib.contextmanager
def serve(
    server: str | Sequence[str],
    folder: Path,
    *,
    database: str = "",
    app: str = _APP,
    more: Sequence[str] = (),
    **settings: str,
) -> Iterator[Served]:
    """Run one of the servers until the block ends; ``database`` is of PostgreSQL.

    ``settings`` are keys of the app's configuration.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = SERVERS[server](app, port) if isinstance(server, str) else server
    given = {**os.environ, FOLDER: str(folder), "PYTHONUNBUFFERED": "1"}
    given |= {f"FLASK_{name}": value for name, value in settings.items()}
    if database:
        given["FLASK_CONSENTKIT_DATABASE_URI"] = database
    folder.mkdir(parents=True, exist_ok=True)
    filled = [each.replace("{port}", str(port)) for each in (*command, *more)]
    served = Served(folder, port, filled, given)
    served.start()
    try:
        yield served
    finally:
        served.kill()


def wait_for_all(served: Served) -> None:
    """Return once so many processes have loaded the app, and one of them answers."""

    def answers() -> bool:
        assert not served.has_ended, served.output
        if served.output.count(LOADED) < served.loads:
            return False
        try:
            return served.get("/consent/health/ready")[0] == 200
        except urllib3.exceptions.HTTPError:
            return False

    assert becomes(answers), served.output


def becomes(condition: Callable[[], bool], *, within: float = _PATIENCE) -> bool:
    """Whether it comes true in time."""
    end = time.monotonic() + within
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()
