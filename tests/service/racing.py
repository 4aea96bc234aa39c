"""A send and a revocation that race, each in a process of its own, to a third one.

In each round Alice agrees, one process is about to send inside a share, the other
revokes. Each notes when, by the one clock that all processes of a machine share. More
rounds than a test has time for, on each kind of database and through a pooler:
``python -m tests.service.racing 10000``.
"""

from __future__ import annotations

import http.client
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from dataclasses import field
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from consentkit.errors import ConsentDeniedError
from consentkit.service.guarding import Guard
from tests.pooler import serve_pooler
from tests.postgres_server import serve_postgres
from tests.processes import at_once
from tests.processes import counter
from tests.processes import meeting
from tests.service.guarded import CLIENTS
from tests.service.guarded import led_to
from tests.service.guarded import shared
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.sharedctypes import Synchronized
    from multiprocessing.synchronize import Barrier

__all__ = ["Race", "race"]

_JITTER = 0.004  # seconds that both wait at first, at most
_DAWDLE = 0.001  # seconds before each write
_PATIENCE = 60.0


@dataclass(frozen=True)
class Race:
    """What three processes noted, by round.

    ``sent`` is when the last byte of a request was handed to the kernel, None where
    nothing was sent; ``ended`` when the revocation had returned; ``arrived`` are the
    rounds whose whole request reached the recipient.
    """

    sent: list[int | None]
    ended: list[int]
    arrived: list[int]

    @property
    def late(self) -> list[int]:
        """The rounds in which something was sent after the revocation had returned."""
        return [
            number
            for number, (sent, ended) in enumerate(
                zip(self.sent, self.ended, strict=True)
            )
            if sent is not None and sent > ended
        ]

    def __str__(self) -> str:
        through = sum(each is not None for each in self.sent)
        return (
            f"{len(self.sent)} rounds: {through} sent before the revocation returned, "
            f"{len(self.sent) - through} stopped by it, {len(self.late)} sent after it"
        )


@dataclass(frozen=True)
class _Course:
    """What the processes have in common; ``port`` is 0 until the server listens."""

    folder: Path
    uri: str
    seconds: float
    rounds: int
    port: Synchronized[int]
    over: Synchronized[int]
    agreed: Barrier
    ready: Barrier
    done: Barrier

    def wallet(self) -> Wallet:
        while not self.port.value:
            time.sleep(0.01)
        url = f"http://127.0.0.1:{self.port.value}"
        return Wallet(self.folder, declared=led_to(url), uri=self.uri)

    def call_off(self) -> None:
        """Let nobody wait for one that has failed."""
        self.over.value = 1
        for each in (self.agreed, self.ready, self.done):
            each.abort()


def race(folder: Path, uri: str = "", *, rounds: int, seconds: float) -> Race:
    """Race so many rounds, or for so long, whichever is over first.

    ``uri`` is a PostgreSQL database, empty for a file in the folder.
    """
    course = _Course(
        folder,
        uri,
        seconds,
        rounds,
        counter(),
        counter(),
        meeting(2),
        meeting(2),
        meeting(2),
    )
    arrived, sent, ended = at_once(
        _play, [(course, part) for part in ("receive", "send", "revoke")]
    )
    return Race(sent, ended, arrived)


def _play(course: _Course, part: str) -> list[Any]:
    parts: dict[str, Callable[[_Course], list[Any]]]
    parts = {"receive": _receive, "send": _send, "revoke": _revoke}
    try:
        return parts[part](course)
    except BaseException:
        course.call_off()
        raise


def _receive(course: _Course) -> list[int]:
    arrived: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) == length:
                arrived.append(int(body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """A test's output is its own."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.timeout = 0.1
        course.port.value = server.server_port
        while not course.over.value:
            server.handle_request()
    return arrived


@dataclass
class _Wire:
    """Notes when bytes were handed to the kernel, at the lowest point of http.client.

    That is below the guard, so whatever the guard does comes before. It dawdles there,
    so that the moment between the last look and the wire is one that can be hit.
    """

    written: int | None = None
    _send: Any = field(default=http.client.HTTPConnection.send)

    def tap(self) -> None:
        def send(connection: http.client.HTTPConnection, data: Any) -> None:
            time.sleep(_DAWDLE)
            self._send(connection, data)
            self.written = time.monotonic_ns()

        http.client.HTTPConnection.send = send  # type: ignore[assignment,method-assign]  # a tap


def _send(course: _Course) -> list[int | None]:
    wallet, chance, wire = course.wallet(), random.Random(1), _Wire()  # noqa: S311  when to send
    wire.tap()
    post = CLIENTS["requests"](Guard(wallet.declared))
    url = f"http://127.0.0.1:{course.port.value}/scores"
    sent: list[int | None] = []
    reach = _JITTER
    while _goes_on(course):
        with shared(wallet):
            course.ready.wait(_PATIENCE)
            wire.written = None
            time.sleep(chance.uniform(0, reach))
            try:
                post(url, b"%d" % len(sent))
            except ConsentDeniedError:
                assert wire.written is None, "its head went, and not its body"
            sent.append(wire.written)
        # Whoever wins waits longer: on any machine both win about as often, and close.
        reach *= 0.9 if wire.written is None else 1.1
        course.done.wait(_PATIENCE)
    return sent


def _revoke(course: _Course) -> list[int]:
    wallet, chance = course.wallet(), random.Random(2)  # noqa: S311  when to revoke
    end = time.monotonic() + course.seconds
    ended: list[int] = []
    while len(ended) < course.rounds and time.monotonic() < end:
        wallet.answer("alice", CREDIT_SCORE)
        course.agreed.wait(_PATIENCE)
        course.ready.wait(_PATIENCE)
        time.sleep(chance.uniform(0, _JITTER))
        assert wallet.revoke("alice").ended
        ended.append(time.monotonic_ns())
        course.done.wait(_PATIENCE)
    course.over.value = 1
    course.agreed.wait(_PATIENCE)
    return ended


def _goes_on(course: _Course) -> bool:
    course.agreed.wait(_PATIENCE)
    return not course.over.value


def _race_on(rounds: int, new_database: Callable[[], str]) -> Race:
    """Race after race, each in a log of its own and for a minute at most."""
    whole = Race([], [], [])
    while len(whole.sent) < rounds:
        with tempfile.TemporaryDirectory() as place:
            left = rounds - len(whole.sent)
            found = race(Path(place), new_database(), rounds=left, seconds=60)
        whole.sent.extend(found.sent)
        whole.ended.extend(found.ended)
        sys.stderr.write(f"{found}\n")
    return whole


def main(rounds: int) -> bool:
    """Race on each kind of database, and say whether nothing was late."""
    with serve_postgres() as server, serve_pooler(server) as pooler:
        engines: dict[str, Callable[[], str]] = {
            "SQLite": str,
            "PostgreSQL": server.new_tables,
            "pgbouncer": lambda: pooler.through(server.new_tables()),
        }
        totals = {name: _race_on(rounds, new) for name, new in engines.items()}
    for name, total in totals.items():
        sys.stdout.write(f"{name}, {total}\n")
    return not any(total.late for total in totals.values())


if __name__ == "__main__":
    sys.exit(not main(int(sys.argv[1])))
