"""``max_staleness`` as an app says it: a length of time, never where data leaves."""

from __future__ import annotations

import inspect
import logging
from datetime import timedelta
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit import ConsentKit
from consentkit import DeclarationError
from consentkit import ShareRequest
from tests import declared
from tests.web.hosts import host

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres_server import PostgresServer

_BOUND = timedelta(seconds=10)
_NOWHERE = "postgresql://ck@/nothing?host=/nowhere"


@pytest.mark.parametrize(
    "wrong", [timedelta(), timedelta(seconds=-1), 10, 0.5, "PT10S", True]
)
def test_what_is_no_length_of_time_is_refused(tmp_path: Path, wrong: Any) -> None:
    shop = host(tmp_path)
    request = ShareRequest("alice", declared.SCORE.id, declared.CREDIT.id)
    with shop.app.app_context():
        with pytest.raises(DeclarationError, match="max_staleness"):
            shop.consent.check(
                "alice", declared.SCORE, recipient=declared.CREDIT, max_staleness=wrong
            )
        with pytest.raises(DeclarationError, match="max_staleness"):
            shop.consent.check_many([request], max_staleness=wrong)


def test_a_replica_that_is_not_there_is_not_missed(
    tmp_path: Path, postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    shop = host(
        tmp_path,
        CONSENTKIT_DATABASE_URI=postgres.new_tables(),
        CONSENTKIT_REPLICA_URI=_NOWHERE,
        CONSENTKIT_DATABASE_POOL_SIZE=2,
    )
    request = ShareRequest("alice", declared.SCORE.id, declared.CREDIT.id)
    with shop.app.app_context(), caplog.at_level(logging.WARNING):
        found = shop.consent.check(
            "alice", declared.SCORE, recipient=declared.CREDIT, max_staleness=_BOUND
        )
        assert shop.consent.check_many([request], max_staleness=_BOUND) == [found]
    assert found.reason == "not_asked"
    assert caplog.text.count("the replica cannot be read") == 1
    assert "alice" not in caplog.text
    shop.state.installation.close()


@pytest.mark.requirement("R55")
def test_only_a_check_can_be_behind() -> None:
    taking = {
        name
        for name, method in inspect.getmembers(ConsentKit, inspect.isfunction)
        if "max_staleness" in inspect.signature(method).parameters
    }
    assert taking == {"check", "check_many"}
