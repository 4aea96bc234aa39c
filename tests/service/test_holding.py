"""A legal hold: what is kept of somebody who was erased, why, and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import Millis
from consentkit.errors import InvalidRequestError
from consentkit.errors import VerificationError
from consentkit.service.administering import Official
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.holding import list_holds
from consentkit.service.holding import open_hold
from consentkit.service.holding import release_hold
from consentkit.service.rebuilding import differences
from tests.service.forgotten import ALICE
from tests.service.forgotten import FACTS
from tests.service.forgotten import found
from tests.service.forgotten import live
from tests.service.forgotten import secrets_of
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY

if TYPE_CHECKING:
    from consentkit.service.erasing import Erasure
    from tests.service.wallet import Wallet

OFFICER = Official("dpo@wallet.example", "a claim is pending")


def hold(wallet: Wallet, *, days: int = 30) -> Erasure:
    until = Millis(wallet.clock() + days * DAY)
    return erase(
        wallet.installation, Erasing(ALICE, "closed", by=OFFICER, hold_until=until)
    )


def evidence(wallet: Wallet) -> list[tuple[object, ...]]:
    """Whose evidence is stored, but what officials say."""
    return wallet.sql("SELECT handle FROM consent_evidence WHERE handle <> ''")


@pytest.mark.requirement("R92")
def test_a_hold_keeps_the_sealed_evidence_and_nothing_that_says_whose(
    wallet: Wallet,
) -> None:
    handle = live(wallet).leaf.subject
    wanted = secrets_of(wallet, ALICE)

    hold(wallet)

    for table in ("subject", "state", "disclosure"):
        assert wallet.contents()[f"consent_{table}"] == []
    assert evidence(wallet) == [(handle,)]
    assert found(wallet, wanted) == set()
    (admin,) = wallet.leaves("admin")
    assert (admin.body["action"], admin.body["target"]) == ("hold", handle)
    (held,) = list_holds(wallet.installation)
    assert (held.handle, held.reason) == (handle, "closed")
    assert held.until - held.since == 30 * DAY


def test_the_everyday_key_does_not_open_what_is_held(wallet: Wallet) -> None:
    live(wallet)
    hold(wallet)
    keyring = wallet.installation.keyring
    assert keyring.hold_key != keyring.key_encryption_key
    wallet.sql("UPDATE consent_hold SET data_key = zeroblob(60)")
    ((handle,),) = wallet.sql("SELECT handle FROM consent_hold")
    wallet.damaged = True
    with pytest.raises(VerificationError):
        open_hold(wallet.installation, handle, by=OFFICER)


@pytest.mark.requirement("R92")
def test_what_is_held_can_be_opened_for_the_claim_and_that_stands_in_the_log(
    wallet: Wallet,
) -> None:
    leaf = live(wallet).leaf
    hold(wallet)
    opened = open_hold(wallet.installation, str(leaf.subject), by=OFFICER)
    assert opened == {leaf.id: FACTS}
    assert wallet.leaves("admin")[-1].body["action"] == "open-hold"


def test_a_hold_needs_somebody_who_answers_for_it(wallet: Wallet) -> None:
    with pytest.raises(InvalidRequestError, match="say by whom"):
        Erasing(ALICE, "closed", hold_until=wallet.clock())


@pytest.mark.parametrize("days", [0, -1])
def test_a_hold_that_is_over_before_it_begins_is_refused(
    wallet: Wallet, days: int
) -> None:
    live(wallet)
    before = wallet.contents()
    with pytest.raises(InvalidRequestError, match="end after it begins"):
        hold(wallet, days=days)
    assert wallet.contents() == before


def test_what_cannot_be_opened_cannot_be_held(wallet: Wallet) -> None:
    live(wallet)
    ((key,),) = wallet.sql("SELECT data_key FROM consent_subject")
    wallet.sql("UPDATE consent_subject SET data_key = zeroblob(60)")
    with pytest.raises(VerificationError):
        hold(wallet)
    wallet.sql("UPDATE consent_subject SET data_key = ?", key)
    assert wallet.check(ALICE, CREDIT_SCORE)


@pytest.mark.requirement("R92")
def test_a_claim_that_is_settled_releases_the_hold_before_its_day(
    wallet: Wallet,
) -> None:
    handle = str(live(wallet).leaf.subject)
    hold(wallet)
    ((sealed,),) = wallet.sql("SELECT sealed FROM consent_evidence WHERE handle <> ''")

    leaf, swept = release_hold(wallet.installation, handle, by=OFFICER)

    assert swept
    assert leaf.body["action"] == "release-hold"
    assert list_holds(wallet.installation) == []
    assert evidence(wallet) == []
    assert found(wallet, {"evidence": sealed}) == set()


@pytest.mark.parametrize("act", [open_hold, release_hold])
def test_where_nothing_is_held_nothing_is_opened_or_released(
    wallet: Wallet, act: object
) -> None:
    handle = str(live(wallet).leaf.subject)
    before = wallet.contents()
    assert callable(act)
    with pytest.raises(InvalidRequestError, match="nothing is held"):
        act(wallet.installation, handle, by=OFFICER)
    assert wallet.contents() == before


@pytest.mark.requirement("R92")
def test_held_evidence_that_is_missing_is_named(wallet: Wallet) -> None:
    wallet.damaged = True
    leaf = live(wallet).leaf
    hold(wallet)
    assert list(differences(wallet.installation)) == []
    wallet.sql("DELETE FROM consent_evidence WHERE handle <> ''")
    (line,) = differences(wallet.installation)
    assert line.startswith(f"leaf {leaf.id}: its evidence is missing")


def test_a_hold_on_somebody_who_was_not_erased_is_named(wallet: Wallet) -> None:
    wallet.damaged = True
    leaf = live(wallet).leaf
    wallet.sql(
        "INSERT INTO consent_hold VALUES (?, x'00', 'closed', 0, 1)", leaf.subject
    )
    assert list(differences(wallet.installation)) == [
        f"subject {leaf.subject}: evidence is held, and no erasure says so"
    ]
