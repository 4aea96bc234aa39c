"""Workers of eight threads each, on one SQLite file: no write is lost, none fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.served.crowding import write_at_once

WORKERS, CLIENTS, SECONDS = 4, 16, 3


@pytest.mark.requirement("R119")
def test_many_workers_of_eight_threads_lose_and_fail_no_write(tmp_path: Path) -> None:
    lived, _ = write_at_once(
        tmp_path, workers=WORKERS, clients=CLIENTS, seconds=SECONDS
    )
    assert not lived.faults
    assert lived.broken == 0
    assert len(lived.promised) >= CLIENTS
