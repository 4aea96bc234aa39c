"""The memory of a process that serves an app, and nothing else.

It checks, shows the centre, takes an answer and publishes, as a web process does, and
then says what it took at most.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.growing import Contender
from tests.bench.peak import peak
from tests.bench.world import World
from tests.bench.world import reopened

__all__ = ["footprint_of"]

_CHECKS, _PAGES = 1_000, 50


def footprint_of(made: World, people: int) -> float:
    """MiB at most, from the start of Python to the last answer."""
    asked = {
        "folder": made.app.instance_path,
        "database": made.app.config.get("CONSENTKIT_DATABASE_URI", ""),
        "people": people,
    }
    told = subprocess.run(  # noqa: S603 (this very module)
        [sys.executable, "-m", "tests.bench.footprint", json.dumps(asked)],
        cwd=Path(__file__).parents[2],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(told.stdout)


def main(argv: Sequence[str]) -> None:
    """Serve, then say what it took."""
    asked = json.loads(argv[0])
    made = reopened(Path(asked["folder"]), database=asked["database"])
    served = Contender(made, asked["people"])
    served.checks(_CHECKS)
    served.centres(_PAGES)
    served.grants(_PAGES)
    served.publish()
    sys.stdout.write(f"{peak() / 2**20:.1f}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
