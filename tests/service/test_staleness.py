"""Checks that may be a moment behind: a real replica answers them, or the database."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import Millis
from consentkit.core.decision import Reason
from consentkit.service.checking import check
from consentkit.service.checking_many import check_many
from consentkit.service.installation import system_clock
from consentkit.service.staleness import Mirror
from consentkit.service.staleness import follow_heartbeat
from consentkit.store.connections import Connections
from consentkit.store.heartbeat import Heartbeat
from consentkit.store.postgres_replica import Replica
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import NIGHT
from tests.service.wallet import TRANSFER
from tests.service.wallet import Wallet
from tests.service.wallet import denied
from tests.standby import join_standby
from tests.standby import serve_pair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.service.installation import Installation
    from tests.standby import Pair

BOUND = Millis(10_000)
_ROUNDS = 3


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with serve_pair({"fsync": "off"}, synchronous=False) as found:
        yield found


@pytest.fixture
def wallet(tmp_path: Path, pair: Pair) -> Iterator[Wallet]:
    """Alice agreed, the replica knows, and it was said so just now."""
    uri = pair.primary.new_tables()
    found = Wallet(tmp_path, uri=uri)
    found.installation = _mirrored(found, pair.on_standby(uri))
    found.answer("alice", CREDIT_SCORE)
    _beat(found)
    pair.standby.wait_until_caught_up()
    yield found
    pair.standby.resume_replay()
    Wallet.close_all()


def _mirrored(wallet: Wallet, replica: str) -> Installation:
    found = wallet.installation
    limits = Connections(connect_wait=2)
    mirror = Mirror(Replica(replica, limits), Heartbeat(found.database))
    wallet.opened[-1].installation = installation = replace(found, mirror=mirror)
    return installation


def _beat(wallet: Wallet) -> None:
    assert wallet.installation.mirror
    wallet.installation.mirror.heartbeat.beat(wallet.clock())


def _ask(wallet: Wallet, bound: int | None = BOUND) -> Reason:
    request = wallet.request("alice", CREDIT_SCORE)
    found = None if bound is None else Millis(bound)
    one = check(wallet.installation, request, bound=found)
    (many,) = check_many(wallet.installation, [request], bound=found)
    assert one == many
    return one.reason


@pytest.mark.requirement("R55")
def test_only_who_said_so_may_get_an_answer_that_is_behind(
    wallet: Wallet, pair: Pair
) -> None:
    pair.standby.pause_replay()
    wallet.revoke("alice")

    assert _ask(wallet) is Reason.GRANTED
    assert _ask(wallet, None) is Reason.WITHDRAWN
    assert denied(wallet) is Reason.WITHDRAWN, "a share never rests on a replica"


@pytest.mark.requirement("R55")
def test_a_replica_that_is_further_behind_than_that_is_not_believed(
    wallet: Wallet, pair: Pair
) -> None:
    pair.standby.pause_replay()
    wallet.revoke("alice")
    wallet.clock.now += BOUND
    assert _ask(wallet) is Reason.GRANTED
    wallet.clock.now += 1
    assert _ask(wallet) is Reason.WITHDRAWN
    _beat(wallet)  # which the replica does not show
    assert _ask(wallet) is Reason.WITHDRAWN

    pair.standby.resume_replay()
    pair.standby.wait_until_caught_up()
    pair.standby.pause_replay()
    wallet.answer("alice", CREDIT_SCORE)
    assert _ask(wallet, 1) is Reason.WITHDRAWN, "it caught up, and is believed again"
    assert _ask(wallet, None) is Reason.GRANTED


@pytest.mark.parametrize("late", [1, 86_400_000, 10**15])
def test_a_moment_that_is_still_to_come_proves_nothing(
    wallet: Wallet, pair: Pair, late: int
) -> None:
    assert wallet.installation.mirror
    wallet.installation.mirror.heartbeat.beat(Millis(wallet.clock.now + late))
    pair.standby.wait_until_caught_up()
    pair.standby.pause_replay()
    wallet.revoke("alice")

    assert _ask(wallet) is Reason.WITHDRAWN


def test_a_replica_that_was_never_told_a_moment_proves_nothing(
    wallet: Wallet, pair: Pair
) -> None:
    wallet.sql("DELETE FROM consent_heartbeat")
    pair.standby.wait_until_caught_up()
    pair.standby.pause_replay()
    wallet.revoke("alice")

    assert _ask(wallet) is Reason.WITHDRAWN


def test_both_answers_of_a_recipient_abroad_come_from_the_replica(
    wallet: Wallet, pair: Pair
) -> None:
    wallet.answer("alice", NIGHT)
    wallet.answer("alice", TRANSFER)
    pair.standby.wait_until_caught_up()
    pair.standby.pause_replay()
    wallet.revoke("alice")
    request = wallet.request("alice", NIGHT)

    one = check(wallet.installation, request, bound=BOUND)
    assert one.reason is Reason.GRANTED
    assert check_many(wallet.installation, [request] * 3, bound=BOUND) == [one] * 3
    assert not check(wallet.installation, request)


def test_a_replica_that_is_down_is_not_missed(wallet: Wallet, pair: Pair) -> None:
    assert _ask(wallet) is Reason.GRANTED
    pair.standby.kill()
    try:
        wallet.revoke("alice")
        assert _ask(wallet) is Reason.WITHDRAWN
        mirror = wallet.installation.mirror
        assert mirror
        assert mirror.rests_until > time.monotonic(), "it is asked again at each check"
    finally:
        pair.standby.start()
    mirror.rests_until = 0.0
    wallet.answer("alice", CREDIT_SCORE)
    pair.standby.wait_until_streaming()
    pair.standby.wait_until_caught_up()
    assert _ask(wallet) is Reason.GRANTED


@pytest.mark.requirement("R62")
def test_when_the_database_is_down_a_replica_answers_for_as_long_as_it_may(
    wallet: Wallet, pair: Pair
) -> None:
    assert _ask(wallet) is Reason.GRANTED
    pair.primary.kill()
    try:
        assert _ask(wallet) is Reason.GRANTED
        assert _ask(wallet, None) is Reason.STORE_UNAVAILABLE
        wallet.clock.now += BOUND + 1
        assert _ask(wallet) is Reason.STORE_UNAVAILABLE
    finally:
        pair.primary.start()
        pair.standby.wait_until_streaming()
    assert _ask(wallet) is Reason.GRANTED


@pytest.mark.requirement("R55")
def test_a_replica_that_was_promoted_and_forgotten_is_not_believed(
    wallet: Wallet, pair: Pair
) -> None:
    with join_standby(pair.primary, "forgotten", synchronous=False) as other:
        address = f"{wallet.uri.partition('?')[0]}?host={other.folder}"
        wallet.installation = _mirrored(wallet, address)
        other.promote()
        wallet.revoke("alice")
        _beat(wallet)
        assert _ask(wallet) is Reason.GRANTED, "within the bound it may"
        wallet.clock.now += BOUND + 1
        _beat(wallet)
        assert _ask(wallet) is Reason.WITHDRAWN
        wallet.installation.close()


def test_without_a_replica_the_database_is_asked(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    wallet.answer("alice", CREDIT_SCORE)
    assert _ask(wallet) is Reason.GRANTED
    wallet.revoke("alice")
    assert _ask(wallet) is Reason.WITHDRAWN
    follow_heartbeat(wallet.installation)  # nothing to follow
    assert wallet.sql("SELECT at FROM consent_heartbeat") == []
    Wallet.close_all()


def test_who_publishes_says_once_a_second_that_it_is_the_primary(
    wallet: Wallet,
) -> None:
    wallet.clock.now += 5_000
    follow_heartbeat(wallet.installation)
    deadline = time.monotonic() + 20
    while wallet.sql("SELECT at FROM consent_heartbeat") != [(wallet.clock.now,)]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.requirement("R55", "R68")
def test_no_yes_comes_later_than_the_bound_after_a_revocation(
    wallet: Wallet, pair: Pair
) -> None:
    """By real clocks, while the replica falls behind at every revocation."""
    bound, over = Millis(1_000), threading.Event()
    wallet.installation = installation = replace(
        wallet.installation, clock=system_clock
    )
    assert installation.mirror
    heartbeat = installation.mirror.heartbeat

    def beat() -> None:
        while not over.wait(0.02):
            heartbeat.beat(system_clock())

    def rounds() -> Iterator[list[int]]:
        """When checks that said yes began, since the revocation had returned."""
        request = wallet.request("alice", CREDIT_SCORE)
        while True:
            wallet.answer("alice", CREDIT_SCORE)
            pair.standby.wait_until_caught_up()
            pair.standby.pause_replay()
            wallet.revoke("alice")
            ended = system_clock()
            yes = []
            while (begun := system_clock()) < ended + 1.5 * bound:
                if check(installation, request, bound=bound):
                    yes.append(begun - ended)
            pair.standby.resume_replay()
            yield yes

    thread = threading.Thread(target=beat)
    thread.start()
    seen = 0
    try:
        for number, yes in enumerate(rounds(), 1):
            assert max(yes, default=0) <= bound
            seen += bool(yes)
            if number >= _ROUNDS and seen:
                break
            assert number < 5 * _ROUNDS, "the replica never answered: nothing shown"
    finally:
        over.set()
        thread.join()
