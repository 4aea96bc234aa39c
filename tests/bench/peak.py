"""The memory of one verification, in a process that does nothing else.

Signatures are taken for good: they leave nothing behind, and take an hour of the two.
"""

from __future__ import annotations

import itertools
import re
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from consentkit.audit import signatures
from consentkit.audit.bundle import FolderSource
from consentkit.audit.report import Layer
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log

__all__ = ["Verified", "peak", "peak_of", "verified_in"]

_STATUS = Path("/proc/self/status")
_KIB = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes there


class Verified(NamedTuple):
    """What one verification took: MiB at most, and seconds without the start."""

    peak: float
    seconds: float


def peak_of(folder: Path, vkey: str) -> float:
    """MiB at most, from the start of Python to the last entry."""
    return verified_in(folder, vkey).peak


def verified_in(
    folder: Path, vkey: str, *, records: bool = True, every: int = 0
) -> Verified:
    """What a verification takes, of the log alone or of the ``records`` too.

    Of the signatures each ``every``-th is checked, none where that is 0.
    """
    options = ["records" if records else "log", str(every)]
    command = [sys.executable, "-m", "tests.bench.peak", str(folder), vkey, *options]
    root = Path(__file__).parents[2]
    told = subprocess.run(  # noqa: S603 (this very module)
        command, cwd=root, check=True, stdout=subprocess.PIPE, text=True
    )
    return Verified(*map(float, told.stdout.split()))


def main(argv: Sequence[str]) -> None:
    """Verify log and records, then say what it took."""
    folder, vkey, layers, every = argv
    source, trust = FolderSource(Path(folder)), Trust.of([vkey])
    holds, numbers = signatures.holds, itertools.count(1)

    def sampled(claim: signatures.Claim) -> bool:
        return not int(every) or bool(next(numbers) % int(every)) or holds(claim)

    signatures.holds = sampled
    started = time.perf_counter()
    more = [Layer.RECORDS] if layers == "records" else []
    verify_log(source, trust=trust, layers=[Layer.LOG, *more])
    seconds = time.perf_counter() - started
    sys.stdout.write(f"{peak() / 2**20:.1f} {seconds:.3f}\n")


def peak() -> int:
    """Bytes, of this process.

    What ``getrusage`` says on Linux begins with the process that forked.
    """
    if _STATUS.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
        assert found is not None
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB


if __name__ == "__main__":
    main(sys.argv[1:])
