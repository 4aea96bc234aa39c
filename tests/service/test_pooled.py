"""Everything that people do, through a pgbouncer that hands out connections by turn."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.sending import Sends
from consentkit.store.connections import Connections
from consentkit.store.database import Database
from tests.pooler import serve_pooler
from tests.service.racing import race
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet
from tests.service.wallet import denied

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.pooler import Pooler
    from tests.postgres_server import PostgresServer

_THREADS = 8


@pytest.fixture(scope="module")
def tight(postgres: PostgresServer) -> Iterator[Pooler]:
    """Two sessions of the server, however many want one."""
    with serve_pooler(postgres, size=2) as found:
        yield found


@pytest.fixture
def wallet(tmp_path: Path, tight: Pooler, postgres: PostgresServer) -> Iterator[Wallet]:
    found = Wallet(tmp_path, uri=tight.through(postgres.new_tables()))
    yield found
    found.prove()
    Wallet.close_all()


def test_the_whole_life_of_an_answer_through_a_pooler(wallet: Wallet) -> None:
    asked = wallet.answer("alice", CREDIT_SCORE, said=State.DEFERRED)
    assert denied(wallet) is Reason.DEFERRED
    wallet.answer("alice", CREDIT_SCORE)
    assert wallet.check("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    assert wallet.revoke("alice").ended
    assert denied(wallet) is Reason.WITHDRAWN
    erased = erase(wallet.installation, Erasing(subject="alice", reason="request"))
    assert erased.leaf is not None
    assert erased.swept
    assert denied(wallet) is Reason.NOT_ASKED
    assert asked.id in {leaf.id for leaf in wallet.leaves()}


@pytest.mark.requirement("R55", "R119")
def test_eight_threads_act_and_check_by_two_sessions(wallet: Wallet) -> None:
    """Each sees what it has just done; none meets what another one left behind."""
    wallet.notice("credit-score")
    wallet.notice("shop-offers")
    limits = Connections(sends=1)
    database = Database(wallet.uri, connections=limits)
    sends = Sends(database.send_locks())
    wallet.installation = replace(wallet.installation, sends=sends)
    meet = threading.Barrier(_THREADS)

    def live(number: int) -> int:
        subject, acts = f"person {number}", 0
        meet.wait()
        for key in (CREDIT_SCORE, SHOPS) * 3:
            wallet.answer(subject, key)
            assert wallet.check(subject, key)
            wallet.share(subject, key)
            with sends.held(subject):
                assert wallet.check(subject, key)
            assert wallet.revoke(subject, *key).ended
            assert not wallet.check(subject, key)
            acts += 3
        wallet.installation.reader.close()
        return acts

    with ThreadPoolExecutor(_THREADS) as threads:
        done = sum(threads.map(live, range(_THREADS)))
    kinds = ("choice", "revocation", "disclosure")
    assert len(wallet.leaves(*kinds)) == done
    sends.close()
    database.dispose()


@pytest.mark.requirement("R55", "R68")
def test_nothing_is_sent_through_a_pooler_after_a_revocation_has_returned(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    """More rounds: ``python -m tests.service.racing 10000``."""
    with serve_pooler(postgres) as pooler:
        uri = pooler.through(postgres.new_tables())
        found = race(tmp_path, uri, rounds=300, seconds=8)
    assert found.late == [], found
    stopped = sum(each is None for each in found.sent)
    assert 0 < stopped < len(found.sent), found
