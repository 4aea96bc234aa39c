"""A check is one read and a rule: always the newest answer, and no in any doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.core.act import Actor
from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.core.decision import ShareRequest
from consentkit.core.registry import Registry
from consentkit.service.checking import check
from consentkit.service.revoking import Ending
from consentkit.service.revoking import revoke
from consentkit.store.sqlite_reader import SqliteReader
from tests.declared import CREDIT
from tests.declared import OFFERS
from tests.declared import SCORE
from tests.declared import SHOP
from tests.declared import WALLET
from tests.service.hostile import HOSTILE
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import NIGHT
from tests.service.wallet import OWN_OFFERS
from tests.service.wallet import SHOPS
from tests.service.wallet import TRANSFER
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.requirement("R35")
@pytest.mark.parametrize("state", State)
def test_only_given_and_renewed_say_yes(wallet: Wallet, state: State) -> None:
    wallet.damaged = True
    wallet.answer("alice", CREDIT_SCORE)
    wallet.sql("UPDATE consent_state SET state = ?", state.value)
    assert bool(wallet.check("alice", CREDIT_SCORE)) is (state in {"given", "renewed"})


@pytest.mark.requirement("R86")
def test_a_yes_holds_until_the_instant_it_ends_and_not_at_it(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    wallet.clock.now += 365 * DAY - 1
    decision = wallet.check("alice", CREDIT_SCORE)
    assert decision
    assert decision.until_ms == wallet.clock.now + 1
    wallet.clock.now += 1
    assert wallet.check("alice", CREDIT_SCORE).reason is Reason.EXPIRED
    assert wallet.sql("SELECT state FROM consent_state") == [("given",)]  # no job ran


@pytest.mark.requirement("R63")
def test_a_yes_to_one_recipient_says_nothing_about_another(wallet: Wallet) -> None:
    wallet.answer("alice", OWN_OFFERS)
    assert wallet.check("alice", OWN_OFFERS)
    for key in (SHOPS, CREDIT_SCORE, NIGHT):
        assert wallet.check("alice", key).reason is Reason.NOT_ASKED
    assert wallet.check("bob", OWN_OFFERS).reason is Reason.NOT_ASKED


@pytest.mark.requirement("R71")
@pytest.mark.parametrize("said", [State.REFUSED, State.DEFERRED, None])
def test_a_recipient_abroad_needs_the_second_yes(
    wallet: Wallet, said: State | None
) -> None:
    answers = {NIGHT: State.GIVEN} | ({TRANSFER: said} if said else {})
    wallet.submit(wallet.form("alice", answers))
    decision = wallet.check("alice", NIGHT)
    assert decision.reason is Reason.CROSS_BORDER_CONSENT_MISSING
    wallet.answer("alice", TRANSFER)
    assert wallet.check("alice", NIGHT)
    assert not wallet.check("alice", TRANSFER)  # no purpose by itself


@pytest.mark.requirement("R64")
def test_data_beyond_the_yes_is_named(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    decision = wallet.check("alice", CREDIT_SCORE, {"spending", "city", "iban"})
    assert decision.reason is Reason.DATA_NOT_COVERED
    assert decision.missing == {"city", "iban"}
    assert decision.data == frozenset()


def test_data_left_out_means_all_that_the_purpose_declares(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    decision = check(wallet.installation, ShareRequest("alice", *CREDIT_SCORE))
    assert decision.missing == {"city"}


@pytest.mark.requirement("R65")
def test_an_inactive_recipient_gets_nothing_on_a_yes_that_stands(
    wallet: Wallet,
) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    resting = replace(SCORE, recipients=[replace(CREDIT, active=False)])
    later = Wallet(wallet.folder, declared=Registry(WALLET, [resting]))
    assert later.check("alice", CREDIT_SCORE).reason is Reason.RECIPIENT_INACTIVE
    dropped = replace(SCORE, recipients=[SHOP])
    later = Wallet(wallet.folder, declared=Registry(WALLET, [dropped]))
    assert later.check("alice", CREDIT_SCORE).reason is Reason.RECIPIENT_UNKNOWN
    later = Wallet(wallet.folder, declared=Registry(WALLET, [OFFERS]))
    assert later.check("alice", CREDIT_SCORE).reason is Reason.PURPOSE_UNKNOWN


@pytest.mark.requirement("R87")
def test_a_yes_does_not_cover_what_the_purpose_has_become(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    longer = Registry(WALLET, [replace(SCORE, retention="P2Y")])
    later = Wallet(wallet.folder, declared=longer)
    assert later.check("alice", CREDIT_SCORE).reason is Reason.SCOPE_CHANGED


def test_what_somebody_else_ended_is_told_apart(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    revoke(wallet.installation, Ending("alice", actor=Actor.AUTHORITY))
    assert wallet.check("alice", CREDIT_SCORE).reason is Reason.REVOKED


def test_a_stronger_assurance_than_there_is_was_never_given(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    for least in Assurance:
        request = ShareRequest("alice", *CREDIT_SCORE, frozenset({"spending"}), least)
        decision = check(wallet.installation, request)
        assert bool(decision) is (least in {"asserted", "session"})


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("ids", HOSTILE.values(), ids=HOSTILE)
def test_no_id_however_odd_finds_another_ones_yes(
    wallet: Wallet, ids: tuple[Any, ...]
) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    before = wallet.contents()
    subject, purpose, recipient = ids
    request = ShareRequest(subject, purpose, recipient, frozenset({"spending"}))
    assert not check(wallet.installation, request)
    assert wallet.contents() == before


def break_clock(wallet: Wallet) -> None:
    wallet.clock.broken = True


def take_file_away(wallet: Wallet) -> None:
    wallet.file.rename(wallet.folder / "gone")


def spoil_file(wallet: Wallet) -> None:
    wallet.file.write_bytes(b"not a database " * 1000)


def corrupt_row(wallet: Wallet) -> None:
    wallet.sql("UPDATE consent_state SET until = 'for ever'")


def drop_table(wallet: Wallet) -> None:
    wallet.sql("DROP TABLE consent_suspension")


@pytest.mark.requirement("R62")
@pytest.mark.parametrize(
    "damage", [break_clock, take_file_away, spoil_file, corrupt_row, drop_table]
)
def test_whatever_is_broken_the_answer_is_no(
    wallet: Wallet, damage: Callable[[Wallet], None]
) -> None:
    wallet.damaged = True
    wallet.answer("alice", CREDIT_SCORE)
    damage(wallet)
    assert isinstance(wallet.installation.reader, SqliteReader)
    wallet.installation.reader.close()  # as in a process that has not read before
    decision = wallet.check("alice", CREDIT_SCORE)
    assert decision.reason is Reason.STORE_UNAVAILABLE


@pytest.mark.requirement("R66")
@pytest.mark.parametrize("stopped", [("credit-score", ""), ("", "acme-credit")])
def test_a_stop_is_seen_by_the_next_check_and_so_is_its_end(
    wallet: Wallet, stopped: tuple[str, str]
) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    wallet.sql("INSERT INTO consent_suspension VALUES (?, ?, 0, '')", *stopped)
    for subject in ("alice", "never-seen"):
        assert wallet.check(subject, CREDIT_SCORE).reason is Reason.SUSPENDED
    wallet.sql("DELETE FROM consent_suspension")
    assert wallet.check("alice", CREDIT_SCORE)


def test_a_check_writes_nothing(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    before = wallet.contents()
    for subject in ("alice", "bob"):
        for key in (CREDIT_SCORE, SHOPS, ("nothing", "nobody")):
            wallet.check(subject, key)
    assert wallet.contents() == before
