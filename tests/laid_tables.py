"""The tables of SQLite made once in a process: whoever needs them gets a copy.

``tests/store/test_migrations.py`` shows that the migrations make them.
"""

from __future__ import annotations

import contextlib
import os
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from tempfile import TemporaryDirectory

from consentkit.store.database import Database

__all__ = ["lay_tables"]


def lay_tables(file: Path) -> None:
    """Put a database with empty tables there, unless there is one already.

    Whole or not at all: several processes may come to the same place at once.
    """
    if file.exists():
        return
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=file.parent) as draft:
        draft.write(_tables())
        draft.flush()
        with contextlib.suppress(FileExistsError):
            os.link(draft.name, file)


@lru_cache(maxsize=1)
def _tables() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "consent.sqlite3"
        database = Database(f"sqlite:///{file}")
        database.upgrade()
        database.dispose()
        return file.read_bytes()
