"""Archive the first log of a wallet to object storage; killed when told to be.

``python -m tests.service.archiver FOLDER ADDRESS PUTS``: after so many objects it kills
itself. A process of its own, since obstore's threads survive no fork.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from consentkit.service.archive_places import open_archive
from consentkit.service.archiving import archive_log
from consentkit.service.starting import Places
from consentkit.service.starting import start
from tests.declared import registry
from tests.service.periods import FIRST
from tests.service.periods import OFFICER
from tests.service.periods import SECOND

if TYPE_CHECKING:
    from consentkit.service.archive import Archive


class _Killed:
    """An archive that takes so many files, and then this process is no more."""

    def __init__(self, archive: Archive, puts: int) -> None:
        self._archive = archive
        self._left = puts
        self.place = archive.place

    def put(self, path: str, data: bytes) -> bool:
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1
        return self._archive.put(path, data)

    def get(self, path: str) -> bytes | None:
        return self._archive.get(path)


def main(folder: Path, address: str, puts: int) -> None:
    """See the module."""
    places = Places(
        database_uri=f"sqlite:///{folder / 'consent.sqlite3'}",
        keys=folder / "keys",
        logs=folder / "logs",
    )
    installation = start(registry(), places, origin=SECOND)
    archive = _Killed(open_archive(address, FIRST), puts)
    archive_log(installation, FIRST, archive, by=OFFICER)
    installation.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
