"""A database in a folder of its own, its tables made by the migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consentkit.store.database import Database
from tests.laid_tables import lay_tables

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "consent.sqlite3"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    lay_tables(file)
    found = Database(f"sqlite:///{file}")
    yield found
    found.dispose()
