"""Rounds, medians and ratios: what every benchmark here is measured and printed with.

Absolute times drift by half from run to run on a shared machine; the ratio of two
things that were timed side by side holds. So every round runs all contenders once, each
round beginning with another one, and a ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "Arguments",
    "Line",
    "Samples",
    "arguments",
    "circumstances",
    "compare",
    "one_by_one",
    "p99",
    "race",
    "race_calls",
    "report",
    "report_tails",
    "write",
]

Samples = Mapping[str, Sequence[float]]
"""Seconds for one operation of each contender, one figure a round."""


@dataclass(frozen=True)
class Line:
    """One line of the table: a contender, and what it is held against.

    ``reach`` is the highest ratio to be content with, or, for a line that is held
    against nothing, the longest time in seconds.
    """

    name: str
    against: str = ""
    reach: float | None = None


@dataclass(frozen=True)
class Arguments:
    """How large and how long: ``smoke`` is for the test that the thing runs at all.

    ``share`` is the part of the usual sizes that somebody in a hurry asks for.
    """

    smoke: bool
    rounds: int
    share: float = 1.0


def arguments(
    argv: Sequence[str] | None, about: str | None, *, rounds: int, shares: bool = False
) -> Arguments:
    """What was asked for on the command line; never fewer than five rounds.

    ``shares`` permits ``--share``, where the sizes are large.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--smoke", action="store_true", help="tiny: does it run?")
    parser.add_argument("--rounds", type=int, default=rounds, metavar="N")
    if shares:
        parser.add_argument("--share", type=float, default=1.0, metavar="0.1")
    asked = parser.parse_args(argv)
    rounds = max(5, 5 if asked.smoke else asked.rounds)
    return Arguments(asked.smoke, rounds, getattr(asked, "share", 1.0))


def race(
    contenders: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    calls: int = 1,
    prepare: Callable[[], object] = lambda: None,
) -> Samples:
    """Each contender once a round, after one round that nobody counts.

    A contender does ``calls`` operations in one go; ``prepare`` comes before each
    round and is not timed.
    """
    samples: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(-1, rounds):
        prepare()
        for name in _from(number, list(contenders)):
            started = time.perf_counter()
            contenders[name]()
            seconds = time.perf_counter() - started
            if number >= 0:
                samples[name].append(seconds / calls)
    return samples


def race_calls(
    batches: Mapping[str, Callable[[], Sequence[float]]], *, rounds: int
) -> Samples:
    """As ``race``, of calls that take microseconds: each batch tells what each took.

    A round's figure is their median. Whoever else works on the machine takes the
    processor for milliseconds: that spoils few calls, and not the median.
    """
    samples: dict[str, list[float]] = {name: [] for name in batches}
    for number in range(-1, rounds):
        for name in _from(number, list(batches)):
            taken = statistics.median(batches[name]())
            if number >= 0:
                samples[name].append(taken)
    return samples


def _from(number: int, names: list[str]) -> list[str]:
    """The names in their order, but beginning with another one each round."""
    first = number % len(names)
    return names[first:] + names[:first]


def compare(samples: Samples, line: Line) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(
        ours / theirs
        for ours, theirs in zip(samples[line.name], samples[line.against], strict=True)
    )


def report(samples: Samples, lines: Sequence[Line]) -> str:
    """The table, in Markdown."""
    head = ("what", "median", "middle half", "ratio", "reach")
    rows = [head, tuple("---" for _ in head), *(_row(samples, line) for line in lines)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(samples: Samples, line: Line) -> tuple[str, ...]:
    low, median, high = statistics.quantiles(samples[line.name], n=4)
    ratio = f"{compare(samples, line):.2f} of {line.against}" if line.against else ""
    reach = "" if line.reach is None else _reach(line)
    return line.name, _time(median), f"{_time(low)} - {_time(high)}", ratio, reach


def _reach(line: Line) -> str:
    assert line.reach is not None
    return f"≤ {line.reach:.2f}" if line.against else f"≤ {_time(line.reach)}"


def one_by_one(ask: Callable[[str], object], people: Sequence[str]) -> list[float]:
    """Seconds for each single call."""
    taken = []
    for each in people:
        started = time.perf_counter()
        ask(each)
        taken.append(time.perf_counter() - started)
    return taken


def report_tails(samples: Samples, *, reach: float | None = None) -> str:
    """A table of how long the slowest hundredth of the calls takes, in Markdown."""
    head = ("one by one", "calls", "median", "p99", "p99 : median", "reach")
    rows = [head, tuple("---" for _ in head)]
    for name, taken in samples.items():
        median, slow = statistics.median(taken), p99(taken)
        limit = f"≤ {reach:.2f}" if reach else ""
        times = _time(median), _time(slow), f"{slow / median:.2f}"
        rows.append((name, f"{len(taken):,}", *times, limit))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def p99(taken: Sequence[float]) -> float:
    """What ninety-nine of a hundred calls do not exceed."""
    return statistics.quantiles(taken, n=100, method="inclusive")[-1]


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def write(*texts: str) -> None:
    """Put lines on standard output."""
    sys.stdout.write("\n".join(texts) + "\n")


def circumstances(mode: str, rounds: int) -> str:
    """What the figures below were taken on."""
    return (
        f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version} "
        f"(journal mode {mode.upper()}), {rounds} rounds\n"
    )
