"""One check beside what else a Python app could ask, each with the same answers.

The rivals are of the extra ``bench``: pip install -e '.[bench]'. One that is not
installed is named and left out. All but dpdpkit hold everything in the memory of one
process, so that none of theirs sees what another process was told.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from consentkit.core.decision import ShareRequest
from consentkit.service import checking
from consentkit.store.sqlite import journal_mode
from tests.bench.check import DATA
from tests.bench.check import ask_raw
from tests.bench.check import filled
from tests.bench.check import person
from tests.bench.measure import Line
from tests.bench.measure import Samples
from tests.bench.measure import arguments
from tests.bench.measure import circumstances
from tests.bench.measure import one_by_one
from tests.bench.measure import race_calls
from tests.bench.measure import report
from tests.bench.measure import write
from tests.bench.rival_engines import RIVALS
from tests.bench.rival_engines import Ask
from tests.bench.rival_engines import Rival
from tests.bench.world import World
from tests.bench.world import open_raw
from tests.declared import CREDIT
from tests.declared import SCORE

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SMOKE_SIZES = (100,)
CALLS, SLOW_CALLS = 300, 3
RAW, SERVICE, PUBLIC = "raw SELECT", "checking.check", "consent.check"


@contextlib.contextmanager
def _asked(
    size: int, rivals: Sequence[Rival]
) -> Iterator[tuple[dict[str, Ask], list[str]]]:
    """Everybody who can be asked, and the people about whom the answer is yes."""
    with ExitStack() as stack:
        made = stack.enter_context(filled(size))
        raw = stack.enter_context(open_raw(made.path))
        stack.enter_context(made.app.app_context())
        ours = _ours(made)
        agreed = [each for each in map(person, range(size)) if ours[SERVICE](each)]
        asks: dict[str, Ask] = {RAW: lambda each: bool(ask_raw(raw, each)), **ours}
        for rival in rivals:
            folder = stack.enter_context(TemporaryDirectory(prefix="consentkit-bench-"))
            asks[rival.name] = rival.make(agreed, Path(folder))
        yield asks, agreed


def _ours(made: World) -> dict[str, Ask]:
    def service(each: str) -> bool:
        request = ShareRequest(each, SCORE.id, CREDIT.id, DATA)
        return bool(checking.check(made.installation, request))

    def public(each: str) -> bool:
        return bool(made.consent.check(each, SCORE, recipient=CREDIT, data=DATA))

    return {SERVICE: service, PUBLIC: public}


def _agreement(asks: dict[str, Ask], agreed: set[str], people: Sequence[str]) -> str:
    """A line that says who was compared; stops at an answer that differs."""
    for name, ask in asks.items():
        for each in people if name != RAW else ():  # it finds a row, and has no rule
            if ask(each) is not (each in agreed):
                raise SystemExit(f"{name} answers otherwise for {each}")
    names = ", ".join(name for name in asks if name != RAW)
    return f"same answers of {names}: {len(people)} people"


def _race(asks: dict[str, Ask], people: Sequence[str], rounds: int) -> Samples:
    """Seconds for one answer; of whoever is slow, fewer are asked for in each round."""
    few = {rival.name for rival in RIVALS if rival.because}
    asked = {name: people[: SLOW_CALLS if name in few else None] for name in asks}

    batches = {name: partial(one_by_one, asks[name], asked[name]) for name in asks}
    return race_calls(batches, rounds=rounds)


def _compare(size: int, calls: int, rounds: int) -> None:
    fit = [each for each in RIVALS if each.is_installed and size <= each.largest]
    for left in (each for each in RIVALS if each.is_installed and each not in fit):
        write(f"{left.name} is not run with {size:,} people: {left.because}")
    draw = random.Random(7)  # noqa: S311  the same people in each run
    with _asked(size, fit) as (asks, agreed):
        people = [person(number) for number in draw.sample(range(size), calls)]
        write(_agreement(asks, set(agreed), people), "")
        samples = _race(asks, people, rounds)
    table = {f"{name}, {size:,} people": taken for name, taken in samples.items()}
    write(report(table, list(_lines(size, fit))))


def _lines(size: int, rivals: Sequence[Rival]) -> Iterator[Line]:
    people = f"{size:,} people"
    yield Line(f"{RAW}, {people}")
    for name in (SERVICE, PUBLIC):
        yield Line(f"{name}, {people}", f"{RAW}, {people}", 1.8)
    for rival in rivals:
        yield Line(f"{rival.name}, {people}", f"{PUBLIC}, {people}")


def main(argv: Sequence[str] | None = None) -> None:
    """Compare answers, then times, at each size."""
    asked = arguments(argv, __doc__, rounds=30)
    for rival in RIVALS:
        if not rival.is_installed:
            write(f"{rival.name} is not installed: pip install -e '.[bench]'")
    write(circumstances(journal_mode(), asked.rounds))
    for size in SMOKE_SIZES if asked.smoke else SIZES:
        _compare(size, 20 if asked.smoke else CALLS, asked.rounds)


if __name__ == "__main__":
    main()
