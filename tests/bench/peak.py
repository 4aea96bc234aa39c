"""The memory of one verification, in a process that does nothing else.

Signatures are taken for good: they leave nothing behind, and take an hour of the two.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from consentkit.audit import signatures
from consentkit.audit.bundle import FolderSource
from consentkit.audit.report import Layer
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log

__all__ = ["peak_of"]

_STATUS = Path("/proc/self/status")
_KIB = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes there


def peak_of(folder: Path, vkey: str) -> float:
    """MiB at most, from the start of Python to the last entry."""
    command = [sys.executable, "-m", "tests.bench.peak", str(folder), vkey]
    root = Path(__file__).parents[2]
    told = subprocess.run(  # noqa: S603 (this very module)
        command, cwd=root, check=True, capture_output=True, text=True
    )
    return float(told.stdout)


def main(argv: Sequence[str]) -> None:
    """Verify log and records, then say what it took."""
    source, trust = FolderSource(Path(argv[0])), Trust.of([argv[1]])
    signatures.holds = lambda claim: True  # noqa: ARG005 (the same name)
    verify_log(source, trust=trust, layers=[Layer.LOG, Layer.RECORDS])
    sys.stdout.write(f"{_peak() / 2**20:.1f}\n")


def _peak() -> int:
    """Bytes. What ``getrusage`` says on Linux begins with the process that forked."""
    if _STATUS.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
        assert found is not None
        return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB


if __name__ == "__main__":
    main(sys.argv[1:])
