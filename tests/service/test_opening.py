"""One period ends and the next begins, in one go or not at all."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import State
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.errors import MalformedError
from consentkit.errors import StaleProcessError
from consentkit.service.administering import Official
from consentkit.service.background import elected
from consentkit.service.closing import close_log
from consentkit.service.key_texts import parse_text_uri
from consentkit.service.opening import PERIOD_OVER
from consentkit.service.opening import open_next
from consentkit.service.publishing import publish_all
from consentkit.service.rotating import make_key_files
from consentkit.service.signers import KeySources
from consentkit.service.signers import TextSource
from consentkit.store.rights import Rights
from tests.service.crashing import crash
from tests.service.periods import FIRST
from tests.service.periods import OFFICER
from tests.service.periods import SECOND
from tests.service.periods import THIRD
from tests.service.periods import new_wallet
from tests.service.periods import next_period
from tests.service.periods import periods
from tests.service.periods import prove
from tests.service.periods import restart
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENGINES = ("sqlite", "postgresql")


@pytest.fixture
def wallet(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> Iterator[Wallet]:
    wallet = new_wallet(tmp_path / "wallet", engine, request)
    wallet.answer("alice", CREDIT_SCORE)
    yield wallet
    Wallet.close_all()


def goes_on(wallet: Wallet) -> bool:
    """Whether nothing was closed, and people are still heard."""
    wallet.clock.now += 1
    wallet.answer("bob", CREDIT_SCORE, said=State.REFUSED)
    return periods(wallet)[FIRST].closed is None and len(periods(wallet)) == 1


def test_the_next_log_begins_in_the_same_go(wallet: Wallet) -> None:
    first = wallet.logs
    done = open_next(wallet.installation, SECOND, by=OFFICER)

    assert done.closed
    assert done.closed.finished
    assert done.closed.closure == (PERIOD_OVER, SECOND)
    found = periods(wallet)
    assert list(found) == [FIRST, SECOND]
    assert found[FIRST].closed == wallet.clock.now
    assert found[FIRST].size == done.closed.size
    assert found[SECOND].closed is None
    with pytest.raises(StaleProcessError, match=SECOND):
        wallet.answer("bob", CREDIT_SCORE)  # by a process that runs on

    restart(wallet, SECOND)
    assert wallet.installation.keyring.vkeys == done.keys
    wallet.share("alice", CREDIT_SCORE)
    prove(wallet, first)


@pytest.mark.sqlite
def test_to_open_what_was_opened_changes_nothing(wallet: Wallet) -> None:
    next_period(wallet)
    before = wallet.contents()
    done = open_next(wallet.installation, SECOND, by=OFFICER)
    assert done.closed is None
    assert done.keys == wallet.installation.keyring.vkeys
    assert wallet.contents() == before


@pytest.mark.sqlite
def test_three_periods_follow_one_another(wallet: Wallet) -> None:
    folders = [wallet.logs]
    next_period(wallet)
    wallet.answer("alice", CREDIT_SCORE)
    folders.insert(0, wallet.logs)
    next_period(wallet, THIRD)
    wallet.share("alice", CREDIT_SCORE)
    prove(wallet, *folders)
    assert [each.closed is None for each in periods(wallet).values()] == [
        False,
        False,
        True,
    ]


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "name",
    ["with space", FIRST, ".", "..", "a/../b", "wallet.example/consent_2026"],
)
def test_a_name_that_cannot_be_leaves_the_log_open(wallet: Wallet, name: str) -> None:
    with pytest.raises(InvalidRequestError):
        open_next(wallet.installation, name, by=OFFICER)
    assert goes_on(wallet)


@pytest.mark.sqlite
def test_a_reason_that_is_no_word_leaves_the_log_open(wallet: Wallet) -> None:
    with pytest.raises(MalformedError):
        open_next(wallet.installation, SECOND, by=Official("dpo", "the year is over"))
    assert goes_on(wallet)


@pytest.mark.sqlite
def test_without_the_next_keys_production_leaves_the_log_open(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    wallet.installation.keyring.__dict__["production"] = True
    with pytest.raises(ConfigurationError, match=f"keys new --successor {SECOND}"):
        open_next(wallet.installation, SECOND, by=OFFICER)
    assert goes_on(wallet)

    made = make_key_files(wallet.places.keys, successor=SECOND)
    assert len(made) == 2
    with pytest.raises(ConfigurationError, match="development key"):
        open_next(wallet.installation, SECOND, by=OFFICER)  # the secret is one still
    assert goes_on(wallet)


@pytest.mark.sqlite
def test_keys_of_the_log_in_use_leave_it_open(wallet: Wallet) -> None:
    folder = wallet.places.keys
    with pytest.raises(ConfigurationError, match="a key of the log"):
        open_next(
            wallet.installation,
            SECOND,
            by=OFFICER,
            log=TextSource(parse_text_uri(str(folder / "log.pem"), label="--log-key")),
        )
    assert goes_on(wallet)


@pytest.mark.sqlite
def test_keys_elsewhere_are_named_for_the_next_log(wallet: Wallet) -> None:
    folder = wallet.places.keys
    old = TextSource(parse_text_uri(str(folder / "log.pem"), label="old"))
    wallet.sources = KeySources(log=(old,))
    restart(wallet, FIRST)
    with pytest.raises(ConfigurationError, match="--log-key"):
        open_next(wallet.installation, SECOND, by=OFFICER)
    assert goes_on(wallet)

    path = make_key_files(folder / "token", successor=SECOND)[-1]
    new = TextSource(parse_text_uri(str(path), label="--log-key"))
    done = open_next(wallet.installation, SECOND, by=OFFICER, log=new)
    wallet.sources = KeySources(log=(new,))
    wallet.clock.now += 1
    restart(wallet, SECOND)
    assert wallet.installation.keyring.vkeys == done.keys


@pytest.mark.sqlite
def test_what_cannot_be_published_is_not_closed(wallet: Wallet) -> None:
    publish_all(wallet.installation)  # nothing waits that would tell it by itself
    wallet.installation.close()
    (wallet.places.keys / "log.pem").rename(wallet.folder / "elsewhere")
    begin_again = Wallet(wallet.folder, publishes=False)
    with pytest.raises(ConfigurationError, match="is not there"):
        open_next(begin_again.installation, SECOND, by=OFFICER)
    assert goes_on(begin_again)


@pytest.mark.sqlite
def test_whoever_may_make_no_tables_leaves_the_log_open(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    rights = Rights(
        role="wallet_web",
        owner="wallet_owner",
        owns=False,
        numbers=True,
        changes_leaves=False,
        deletes_leaves=False,
        truncates_leaves=False,
    )
    monkeypatch.setattr("consentkit.store.periods.find_rights", lambda _: rights)
    with pytest.raises(ConfigurationError, match="wallet_owner"):
        open_next(wallet.installation, SECOND, by=OFFICER)
    assert goes_on(wallet)


@pytest.mark.sqlite
def test_while_another_process_publishes_the_log_is_only_closed(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    with elected(wallet.logs, "lock") as mine:
        assert mine
        done = open_next(wallet.installation, SECOND, by=OFFICER)
    assert done.keys == ()
    assert done.closed
    assert not done.closed.finished
    assert len(waited) == 29
    assert open_next(wallet.installation, SECOND, by=OFFICER).keys


@pytest.mark.sqlite
def test_a_log_that_was_closed_for_another_is_not_followed_by_this(
    wallet: Wallet,
) -> None:
    close_log(wallet.installation, successor=THIRD, reason="stolen", by=OFFICER)
    with pytest.raises(InvalidRequestError, match=THIRD):
        open_next(wallet.installation, SECOND, by=OFFICER)


@pytest.mark.sqlite
def test_wherever_it_is_killed_it_can_be_finished(tmp_path: Path) -> None:
    killed, at = True, 5
    while killed:
        wallet = Wallet(tmp_path / str(at))
        wallet.answer("alice", CREDIT_SCORE)
        killed = crash(
            lambda _tell, wallet=wallet: open_next(  # type: ignore[misc]
                wallet.installation, SECOND, by=OFFICER
            ),
            at=at,
        ).killed
        first = wallet.logs
        if periods(wallet)[FIRST].closed is None:
            assert goes_on(wallet)
        if len(periods(wallet)) == 1:
            assert open_next(wallet.installation, SECOND, by=OFFICER).keys
        wallet.clock.now += 60_000
        restart(wallet, SECOND)
        prove(wallet, first)
        Wallet.close_all()
        at += 41
