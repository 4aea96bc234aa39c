"""What several end at the same moment ends once, and is told to one of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from typing import TypeVar

import pytest

from consentkit.core.act import Assurance
from consentkit.service.honouring import honour
from consentkit.service.revoking import Ending
from consentkit.service.revoking import revoke
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import SHOPS

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Sequence

    from tests.service.wallet import Wallet

T = TypeVar("T")

ENGINES = ("sqlite", "postgresql")


def _all_at_once(wallet: Wallet, acts: Sequence[Callable[[], T]]) -> list[T]:
    """What each returns; none gets at Alice's row before all have asked for it."""
    with ThreadPoolExecutor(len(acts)) as pool:
        with wallet.installation.ledger.write() as transaction:
            assert transaction.eraser.lock_known("alice") is not None
            begun = [pool.submit(act) for act in acts]
            if wallet.uri:
                _until_waiting(wallet, len(acts))
        return [each.result() for each in begun]


def _until_waiting(wallet: Wallet, count: int) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while wallet.sql(f"{query} AND datname = current_database()")[0][0] < count:
        pass


@pytest.mark.requirement("R55")
def test_what_two_revoke_at_the_same_moment_ends_once(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    installation = wallet.installation
    one, other = (
        lambda: revoke(installation, Ending("alice")),
        lambda: revoke(installation, Ending("alice", *CREDIT_SCORE)),
    )

    ended = _all_at_once(wallet, [one, other])

    (leaf,) = wallet.leaves("revocation")
    assert sorted(each.ended for each in ended) == [(), (CREDIT_SCORE,)]
    assert [each.leaf for each in ended if each.leaf] == [leaf]


@pytest.mark.requirement("R55")
def test_a_signal_that_meets_a_revocation_ends_nothing_twice(wallet: Wallet) -> None:
    wallet.answer("alice", SHOPS)
    installation = wallet.installation
    signal, revocation = (
        lambda: honour(
            installation, "alice", assurance=Assurance.SESSION, facts={"locale": "en"}
        ),
        lambda: revoke(installation, Ending("alice")).leaf,
    )

    ended = _all_at_once(wallet, [signal, revocation])

    assert [each for each in ended if each] == wallet.leaves("revocation")
    assert len(wallet.leaves("revocation")) == 1
