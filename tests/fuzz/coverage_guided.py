"""Coverage-guided fuzzing of every reader: ``make fuzz``, or ``ARGS="60 leaf proof"``.

Seconds for each target, then the names of some of them; all unless told. One process
for each target, as libFuzzer never returns: it watches which branches of consentkit
an input reaches and keeps what reaches new ones. A finding is printed as bytes, ready
for a test, and ends the run of its target with an error.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

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


def fuzz(name: str, seconds: int) -> Outcome:
    """Fuzz one target for so many seconds, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.fuzz.coverage_guided", "--inside"]
        done = subprocess.run(  # noqa: S603  our own module, a name of our own table
            [*command, folder, str(seconds), name],
            cwd=HOUSE,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        findings = [each.read_bytes() for each in Path(folder).glob("*-*")]
    runs = _RUNS.search(done.stderr)
    count = int(runs[1]) if runs else 0
    if done.returncode == 0 and count and not findings:
        return Outcome(name, count)
    log = f"{done.stderr}\n{done.stdout}\nIt ended with {done.returncode}."
    return Outcome(name, count, findings[0] if findings else None, log)


def _inside(folder: Path, seconds: int, name: str) -> None:
    """Become the fuzzer; the process ends with it."""
    import atheris  # noqa: PLC0415  only this process needs it, and before what it watches

    with atheris.instrument_imports(include=["consentkit"]):
        from .targets import TARGETS  # noqa: PLC0415  imported here to be watched
    target = TARGETS[name]
    seeds = folder / "seeds"
    seeds.mkdir()
    for number, seed in enumerate(target.seeds):
        (seeds / str(number)).write_bytes(seed)
    options = {
        "max_total_time": seconds,
        "max_len": _MAX_LENGTH,
        "timeout": _SECONDS_FOR_ONE_INPUT,
        "artifact_prefix": f"{folder}/",
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
    parser.add_argument("seconds", type=int, nargs="?", default=10)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if not has_atheris():
        sys.stderr.write(f"{NO_ATHERIS}\n")
        return 2
    if options.inside:
        _inside(options.inside, options.seconds, options.names[0])
    from .targets import TARGETS  # noqa: PLC0415  not before `_inside` has begun to watch

    found = 0
    for name in options.names or TARGETS:
        outcome = fuzz(name, options.seconds)
        sys.stdout.write(f"{_report(outcome)}\n")
        sys.stdout.flush()
        found += bool(outcome.log)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
