"""The database dies under load, and comes back or is taken over: nobody was lied to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.postgres_server import serve_postgres
from tests.web.failing_over import UNAVAILABLE
from tests.web.failing_over import fail_over
from tests.web.keeping_promises import Auditor
from tests.web.promised import Load
from tests.web.served_wallet import installation_of
from tests.web.served_wallet import serve_wallet

if TYPE_CHECKING:
    from pathlib import Path

ACTS = 40  # before and after


@pytest.mark.requirement("R49", "R58", "R119")
def test_nothing_that_was_answered_is_lost_when_a_synchronous_standby_takes_over(
    tmp_path: Path,
) -> None:
    told = fail_over(tmp_path, before=ACTS, after=ACTS)
    assert len(told.promises) >= 2 * ACTS
    assert told.proofs
    assert len(told.checkpoints) > 1


@pytest.mark.requirement("R49", "R119")
def test_every_receipt_holds_after_the_database_was_killed_and_came_back(
    tmp_path: Path,
) -> None:
    with serve_postgres({"fsync": "on"}) as server:
        uri = server.new_tables()
        auditor = Auditor.of(installation_of(tmp_path, uri))
        with serve_wallet(tmp_path, uri) as port, Load(port, threads=3) as load:
            for _ in range(2):
                load.wait_for(ACTS // 2)
                server.crash()
                server.start()
            load.wait_for(ACTS // 2)
        told = load.told

        assert set(told.refusals) <= UNAVAILABLE, told.refusals
        assert not told.broken
        auditor.check(told, installation_of(tmp_path, uri))
        assert told.proofs
