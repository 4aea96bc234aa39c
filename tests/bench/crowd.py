"""Acts on PostgreSQL by 1, 8 and 32 connections at once: how many, how slow at worst.

As a web server does it: processes that were forked from one, at most four, with threads
in each. The reference is one INSERT and COMMIT of one kibibyte by psycopg, on as many
held connections, from as many threads of as many processes, in turns with ours.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

import psycopg

from consentkit.service.rebuilding import differences
from tests.bench.act import Acts
from tests.bench.measure import Line
from tests.bench.measure import arguments
from tests.bench.measure import p99
from tests.bench.measure import report
from tests.bench.measure import report_tails
from tests.bench.measure import write
from tests.bench.postgres import DURABLE
from tests.bench.postgres import insert_one
from tests.bench.world import World
from tests.bench.world import world
from tests.postgres_server import on_postgres
from tests.postgres_server import serve_postgres

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier

CONNECTIONS = (1, 8, 32)
PROCESSES = 4
ACTS, SMOKE_ACTS = 400, 16
PEOPLE = 4
RAW, GRANT = "raw INSERT + COMMIT, 1 KiB", "choose: a grant"
_LONGEST = 600.0  # seconds, of one turn

_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Turn:
    """What one thread did in one turn; times are of the clock that processes share."""

    number: int
    name: str
    began: float
    ended: float
    taken: list[float]


@dataclass(frozen=True)
class Crowd:
    """So many threads in so many processes; each does ``acts`` of a kind in a turn."""

    made: World
    uri: str
    processes: int
    threads: int
    acts: int
    rounds: int

    def turns(self) -> list[Turn]:
        """Everything that all of them did."""
        gate = _FORK.Barrier(self.processes * self.threads)
        told, tell = zip(
            *(_FORK.Pipe(duplex=False) for _ in range(self.processes)), strict=True
        )
        running = [
            _FORK.Process(target=self._process, args=(gate, number, pipe))
            for number, pipe in enumerate(tell)
        ]
        for each in running:
            each.start()
        found = [turn for pipe in told for turn in pipe.recv()]
        for each in running:
            each.join()
        return found

    def _process(self, gate: Barrier, process: int, pipe: Any) -> None:
        done: list[Turn] = []
        names = [f"{process}-{number}-" for number in range(self.threads)]
        threads = [
            threading.Thread(target=self._thread, args=(gate, name, done))
            for name in names
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.made.installation.close()
        pipe.send(done)

    def _thread(self, gate: Barrier, name: str, done: list[Turn]) -> None:
        acts = Acts(self.made, PEOPLE, prefix=name)
        with psycopg.connect(self.uri, autocommit=True) as connection:
            kinds: Mapping[str, Callable[[], object]] = {
                RAW: lambda: insert_one(connection),
                GRANT: acts.renew,
            }
            for number in range(-1, self.rounds):
                for kind in (RAW, GRANT) if number % 2 else (GRANT, RAW):
                    gate.wait(_LONGEST)
                    done.append(self._turn(number, kind, kinds[kind]))
        self.made.installation.reader.close()

    def _turn(self, number: int, kind: str, act: Callable[[], object]) -> Turn:
        taken = []
        began = time.monotonic()
        for _ in range(self.acts):
            started = time.monotonic()
            act()
            taken.append(time.monotonic() - started)
        return Turn(number, kind, began, time.monotonic(), taken)


def _samples(turns: Sequence[Turn], kind: str, rounds: int) -> list[float]:
    """Seconds of everybody's time for one act, a figure a round: 1 / throughput."""
    found = []
    for number in range(rounds):
        mine = [each for each in turns if (each.number, each.name) == (number, kind)]
        lasted = max(each.ended for each in mine) - min(each.began for each in mine)
        found.append(lasted / sum(len(each.taken) for each in mine))
    return found


def _taken(turns: Sequence[Turn], kind: str) -> list[float]:
    counted = (each for each in turns if each.number >= 0 and each.name == kind)
    return [seconds for each in counted for seconds in each.taken]


@contextlib.contextmanager
def _place(uri: str) -> Iterator[World]:
    """An app whose database has a table for the reference."""
    on_postgres(uri, "CREATE TABLE bare (id bigserial PRIMARY KEY, data bytea)")
    with world(database=uri) as made:
        made.installation.close()  # nothing is open when processes are forked
        yield made
        wrong = list(differences(made.installation))
        made.installation.close()
        if wrong:
            raise SystemExit("\n".join(wrong))


def _compare(uri: str, connections: int, acts: int, rounds: int) -> str:
    """The tables of so many connections."""
    processes = min(PROCESSES, connections)
    threads = connections // processes
    with _place(uri) as made:
        each = max(1, acts // connections)
        turns = Crowd(made, uri, processes, threads, each, rounds).turns()
    names = {kind: f"{kind}, {connections} at once" for kind in (RAW, GRANT)}
    samples = {name: _samples(turns, kind, rounds) for kind, name in names.items()}
    tails = {name: _taken(turns, kind) for kind, name in names.items()}
    # 0.45 of its throughput is asked for where there are many.
    reach = 1 / 0.45 if connections == max(CONNECTIONS) else None
    lines = [Line(names[RAW]), Line(names[GRANT], names[RAW], reach)]
    slowest = p99(tails[names[GRANT]]) / p99(tails[names[RAW]])
    return (
        f"{processes} processes of {threads} threads; none failed, the log agrees with "
        f"the answers\n\n{report(samples, lines)}\n{report_tails(tails)}"
        f"\np99 of a grant: {slowest:.2f} of the reference's (reach ≤ 4)\n"
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Time them, and hold the log against the answers afterwards."""
    asked = arguments(argv, __doc__, rounds=5)
    with serve_postgres(DURABLE) as server:
        for connections in (2,) if asked.smoke else CONNECTIONS:
            acts = SMOKE_ACTS if asked.smoke else ACTS
            write(_compare(server.new_database(), connections, acts, asked.rounds))


if __name__ == "__main__":
    main()
