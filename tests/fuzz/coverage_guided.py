"""Coverage-guided fuzzing of every reader: ``make fuzz``, or ``ARGS="60 leaf proof"``.

Seconds for each target, then the names of some of them; all unless told. One process
for each target, as libFuzzer never returns: it watches which branches of consentkit
an input reaches and keeps what reaches new ones. A finding is printed as bytes, ready
for a test, and ends the run of its target with an error.

To make consentkit watchable takes longer than a short search: it is done once, in a
process that forks for each target.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from typing import NamedTuple
from typing import NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .target import Target

__all__ = ["Outcome", "fuzz", "has_atheris"]

HOUSE = Path(__file__).parents[2]
NO_ATHERIS = (
    "atheris is not installed; it has wheels for CPython on Linux x86-64 alone, and "
    "`pip install atheris` builds it elsewhere where clang with libFuzzer is"
)
_RUNS = re.compile(r"stat::number_of_executed_units: (\d+)")

# Larger inputs only slow the search down; Hypothesis tries the large ones.
_MAX_LENGTH = 4096
_SECONDS_FOR_ONE_INPUT = 10
_NO_LIMIT = -1  # libFuzzer's own word for it


class Outcome(NamedTuple):
    """How often one target was run; what it could not take, and what was said of it.

    A ``log`` without a ``finding`` is of a fuzzer that ended before its time.
    """

    name: str
    runs: int
    finding: bytes | None = None
    log: str = ""


def has_atheris() -> bool:
    """Whether the fuzzer is there to be imported."""
    return importlib.util.find_spec("atheris") is not None


def fuzz(names: Sequence[str], seconds: int, *, runs: int = _NO_LIMIT) -> list[Outcome]:
    """Fuzz each target for so many seconds or runs, whichever it has done first."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.fuzz.coverage_guided"]
        limits = [f"--runs={runs}", "--inside", folder, str(seconds)]
        done = subprocess.run(  # noqa: S603  our own module, names of our own table
            [*command, *limits, *names],
            cwd=HOUSE,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        said = f"{done.stderr}\n{done.stdout}"
        return [
            _outcome(name, Path(folder) / str(number), said)
            for number, name in enumerate(names)
        ]


def _outcome(name: str, place: Path, said: str) -> Outcome:
    """What one search left in its folder; ``said`` is of the process around it."""
    if not (place / "status").exists():
        return Outcome(name, 0, log=f"{said}\nThere was no search.")
    log = (place / "log").read_text(errors="replace")
    status = (place / "status").read_text()
    findings = [each.read_bytes() for each in place.glob("*-*")]
    runs = _RUNS.search(log)
    count = int(runs[1]) if runs else 0
    if status == "0" and count and not findings:
        return Outcome(name, count)
    log = f"{log}\nIt ended with {status}."
    return Outcome(name, count, findings[0] if findings else None, log)


def _inside(folder: Path, names: Sequence[str], limits: dict[str, int]) -> None:
    """Make consentkit watchable, then search for one target after the other."""
    import atheris  # noqa: PLC0415  only this process needs it, and before what it watches

    with atheris.instrument_imports(include=["consentkit"]):
        from .targets import TARGETS  # noqa: PLC0415  imported here to be watched
    for number, target in enumerate([TARGETS[name] for name in names]):
        place = folder / str(number)
        place.mkdir()
        pid = os.fork()
        if pid == 0:
            _search(target, limits, place)
        _, status = os.waitpid(pid, 0)
        ended = os.waitstatus_to_exitcode(status)
        (place / "status").write_text(str(ended))


def _search(target: Target, limits: dict[str, int], place: Path) -> NoReturn:
    """Become the fuzzer, which says what it has to say in the folder's ``log``."""
    with (place / "log").open("wb") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    _fuzz(target, limits, place)
    sys.exit()  # libFuzzer writes what it found when the interpreter ends


def _fuzz(target: Target, limits: dict[str, int], place: Path) -> None:
    import atheris  # noqa: PLC0415  as above

    seeds = place / "seeds"
    seeds.mkdir()
    for number, seed in enumerate(target.seeds):
        (seeds / str(number)).write_bytes(seed)
    options = {
        **limits,
        "max_len": _MAX_LENGTH,
        "timeout": _SECONDS_FOR_ONE_INPUT,
        "artifact_prefix": f"{place}/",
        "print_final_stats": 1,
        "verbosity": 0,
    }
    arguments = [f"-{key}={value}" for key, value in options.items()]
    atheris.Setup([sys.argv[0], *arguments, str(seeds)], target.accepts)
    atheris.Fuzz()


def _report(outcome: Outcome) -> str:
    if not outcome.log:
        return f"{outcome.name}: {outcome.runs:,} runs, nothing found"
    return (
        f"{outcome.name}: FOUND {outcome.finding!r} after {outcome.runs:,} runs\n"
        f"{outcome.log[-4000:]}"
    )


def main() -> int:
    """Fuzz what the command line names; 0 if nothing was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=_NO_LIMIT, help=argparse.SUPPRESS)
    parser.add_argument("seconds", type=int, nargs="?", default=10)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if not has_atheris():
        sys.stderr.write(f"{NO_ATHERIS}\n")
        return 2
    if options.inside:
        limits = {"max_total_time": options.seconds, "runs": options.runs}
        _inside(options.inside, options.names, limits)
        return 0
    from .targets import TARGETS  # noqa: PLC0415  not before `_inside` has begun to watch

    found = 0
    for name in options.names or TARGETS:
        (outcome,) = fuzz([name], options.seconds)
        sys.stdout.write(f"{_report(outcome)}\n")
        sys.stdout.flush()
        found += bool(outcome.log)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
