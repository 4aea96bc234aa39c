"""Once a no has been told, no process tells a yes, until somebody agrees anew.

Eight processes on PostgreSQL and four on SQLite work on the same few consents; what
each was told is held against every order that the clock leaves open. ``python -m
tests.service.linearizing postgres 500000`` runs longer.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from consentkit.service.rebuilding import differences
from consentkit.web.state import KEY
from tests.service.linear_checker import NotLinearizableError
from tests.service.linear_checker import check_history
from tests.service.linear_history import KINDS
from tests.service.linear_load import Load
from tests.service.linear_load import run_load
from tests.service.linear_worker import Place

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres_server import PostgresServer

ENGINES = ("sqlite", "postgresql")
_PROCESSES = {"sqlite": 4, "postgresql": 8}
_OPERATIONS = {"sqlite": 50_000, "postgresql": 50_000}


@pytest.fixture
def place(tmp_path: Path, engine: str, request: pytest.FixtureRequest) -> Place:
    if engine == "sqlite":
        return Place(tmp_path)
    server: PostgresServer = request.getfixturevalue("postgres")
    return Place(tmp_path, server.new_tables())


@pytest.mark.requirement("R55", "R66")
def test_no_yes_is_told_after_a_no_whoever_asks_whom(place: Place, engine: str) -> None:
    """Not even while one of the processes is killed."""
    load = Load(place, _PROCESSES[engine], _OPERATIONS[engine], victim=1)

    history = run_load(load)

    verdict = check_history(history)
    assert verdict.operations >= _OPERATIONS[engine]
    assert verdict.unknown <= 1, "only what the killed one was at is not known"
    # Were one over before the next begins, there would be one order, and no race.
    assert verdict.overlapping > verdict.operations / 20, verdict
    told = Counter(each.outcome for each in history if each.kind == "check")
    assert min(told["withdrawn"], told["suspended"]) > 100, told
    assert len(told) > 100, "most yeses rest on a grant of their own"
    assert {each.kind for each in history} == KINDS
    app, _ = place.open_app()
    assert list(differences(app.extensions[KEY].installation)) == []
    app.extensions[KEY].installation.close()


@pytest.mark.requirement("R55")
def test_a_reader_that_remembers_for_50_ms_is_found_out(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    uri = ""
    if engine == "postgresql":
        uri = request.getfixturevalue("postgres").new_tables()
    load = Load(Place(tmp_path, uri, remembers=0.05), _PROCESSES[engine], 2_000)

    history = run_load(load)

    with pytest.raises(NotLinearizableError, match="-> "):
        check_history(history)
