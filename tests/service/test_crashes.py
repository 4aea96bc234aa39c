"""Attack or accident: killed at any point. No promise is lost, no number is doubled.

Every place where a request or the publisher meets the world is a place to die at:
each is tried once, then many are tried at random, and times between them.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import State
from consentkit.errors import ConsentDeniedError
from consentkit.service.publishing import publish_all
from tests.service.crashing import check_left
from tests.service.crashing import check_recovered
from tests.service.crashing import crash
from tests.service.log_files import fill
from tests.service.log_files import on_disk
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import NIGHT
from tests.service.wallet import OWN_OFFERS
from tests.service.wallet import SHOPS
from tests.service.wallet import TRANSFER
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

Promise = Callable[[str], None]
Script = Callable[[Wallet, Promise], None]


def choosing(wallet: Wallet, promise: Promise) -> None:
    promise(wallet.answer("alice", SHOPS, OWN_OFFERS).id)


def revoking(wallet: Wallet, promise: Promise) -> None:
    leaf = wallet.revoke("alice").leaf
    promise(leaf.id if leaf else "nothing was there to revoke")


def sharing(wallet: Wallet, promise: Promise) -> None:
    promise(wallet.share("alice", CREDIT_SCORE).disclosure)


def being_refused(wallet: Wallet, _: Promise) -> None:
    with pytest.raises(ConsentDeniedError):
        wallet.share("bob", CREDIT_SCORE)


def publishing(wallet: Wallet, _: Promise) -> None:
    publish_all(wallet.installation)


def everything(wallet: Wallet, promise: Promise) -> None:
    """A day: new people, yes, no, shares, a revocation, and two publications."""
    promise(wallet.answer("carol", NIGHT, TRANSFER).id)
    promise(wallet.answer("dave", CREDIT_SCORE, said=State.REFUSED).id)
    sharing(wallet, promise)
    publish_all(wallet.installation)
    revoking(wallet, promise)
    promise(wallet.answer("alice", CREDIT_SCORE).id)
    being_refused(wallet, promise)
    publish_all(wallet.installation)


REQUESTS: dict[str, Script] = {
    "choosing": choosing,
    "revoking": revoking,
    "sharing": sharing,
    "being refused": being_refused,
}


@pytest.mark.requirement("R119")
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_a_request_that_is_killed_at_any_point_is_done_or_not_begun(
    wallet: Wallet, request_: Script
) -> None:
    rounds = 0
    killed = True
    while killed:
        rounds += 1
        kept = [wallet.answer("alice", CREDIT_SCORE).id]
        before = wallet.contents()
        killed, promised = crash(lambda promise: request_(wallet, promise), at=rounds)
        if killed and not promised and wallet.contents() == before:
            continue  # not begun: what there is was proven in an earlier round
        check_left(wallet)
        check_recovered(wallet, kept + promised)
    assert rounds > 10
    assert bool(promised) is (request_ is not being_refused)


# How many leaves are published before, and how far apart the points to die at are:
# every point is tried once, every third and fifth where there is something before.
PUBLISHED: dict[str, tuple[int | None, int]] = {
    "the first time": (None, 1),
    "again": (0, 3),
    "past a full tile": (247, 5),
}


@pytest.mark.requirement("R119")
@pytest.mark.parametrize(("published", "step"), PUBLISHED.values(), ids=PUBLISHED)
def test_a_publisher_that_is_killed_at_any_point_is_caught_up_with(
    tmp_path: Path, published: int | None, step: int
) -> None:
    wallet = Wallet(tmp_path / "wallet")
    if published is not None:
        fill(wallet, times=published)
        publish_all(wallet.installation)
    promised: list[str] = []
    choosing(wallet, promised.append)
    revoking(wallet, promised.append)
    fill(wallet, times=3)
    wallet.installation.ledger._database.dispose()
    at = 1
    while _survives(wallet, tmp_path / "copy", at, promised):
        at += step
    assert at > 60


def _survives(wallet: Wallet, folder: Path, at: int, promised: list[str]) -> bool:
    """Publish a copy and be killed there; False if it never came to that point."""
    shutil.rmtree(folder, ignore_errors=True)
    copy = Wallet(shutil.copytree(wallet.folder, folder))
    killed = crash(lambda promise: publishing(copy, promise), at=at).killed
    check_left(copy, proven=on_disk(wallet))
    more = [copy.answer("bob", CREDIT_SCORE).id] if at % 2 else []
    check_recovered(copy, promised + more)
    return killed


@pytest.mark.requirement("R119")
@pytest.mark.parametrize("seed", range(2))
def test_whoever_is_killed_anywhere_within_a_day_breaks_no_promise(
    tmp_path: Path, seed: int
) -> None:
    """In the midst of statements as well, and by a clock that knows of none."""
    dice = random.Random(seed)  # noqa: S311  dice of a test
    wallet = Wallet(tmp_path)
    promised = [wallet.answer("alice", CREDIT_SCORE).id]
    killed = 0
    for number in range(40):
        if number % 2:
            died = crash(
                lambda promise: everything(wallet, promise),
                at=dice.randrange(1, 700),
                within_statements=True,
            )
        else:
            died = crash(
                lambda promise: everything(wallet, promise),
                after=dice.uniform(0.0, 0.08),
            )
        killed += died.killed
        promised += died.promised
        check_left(wallet)
        promised.append(wallet.answer("alice", CREDIT_SCORE).id)
        check_recovered(wallet, promised)
    assert killed > 10
