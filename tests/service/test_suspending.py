"""The kill switch: what is stopped is stopped everywhere, and comes back as it was."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.service.administering import Official
from consentkit.service.administering import administrative_acts
from consentkit.service.rebuilding import differences
from consentkit.service.suspending import resume
from consentkit.service.suspending import suspend
from tests.processes import at_once
from tests.service.officials import OFFICER
from tests.service.officials import reasons
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import OWN_OFFERS
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet
from tests.service.wallet import denied

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINES = ("sqlite", "postgresql")

KEYS = (CREDIT_SCORE, SHOPS, OWN_OFFERS)
PROCESSES, EACH = 4, 25


@pytest.fixture
def agreed(wallet: Wallet) -> Wallet:
    wallet.answer("alice", CREDIT_SCORE)
    wallet.answer("alice", SHOPS, OWN_OFFERS)
    return wallet


def allowed(wallet: Wallet) -> set[tuple[str, str]]:
    return {key for key in KEYS if wallet.check("alice", key)}


@pytest.mark.requirement("R66")
@pytest.mark.parametrize(
    ("words", "left"),
    [
        (("credit-score", None), {SHOPS, OWN_OFFERS}),
        (("shop-offers", None), {CREDIT_SCORE}),
        ((None, "corner-shops"), {CREDIT_SCORE, OWN_OFFERS}),
        ((None, "controller"), {CREDIT_SCORE, SHOPS}),
        (SHOPS, {CREDIT_SCORE, OWN_OFFERS}),
        ((None, None), set()),
    ],
)
def test_what_is_suspended_denies_and_resuming_brings_back_what_was_there(
    agreed: Wallet, words: tuple[str | None, str | None], left: set[tuple[str, str]]
) -> None:
    before = agreed.sql("SELECT * FROM consent_state ORDER BY 1, 2, 3")
    assert suspend(agreed.installation, *words, by=OFFICER)
    assert allowed(agreed) == left
    for key in set(KEYS) - left:
        assert agreed.check("alice", key).reason == "suspended"
    for key in left:
        agreed.share("alice", key)
    agreed.prove()

    assert resume(agreed.installation, *words, by=OFFICER)
    assert allowed(agreed) == set(KEYS)
    assert agreed.sql("SELECT * FROM consent_state ORDER BY 1, 2, 3") == before
    agreed.share("alice", CREDIT_SCORE)


@pytest.mark.requirement("R66")
def test_a_hundred_checks_in_four_processes_all_deny(agreed: Wallet) -> None:
    suspend(agreed.installation, "credit-score", by=OFFICER)
    told = at_once(reasons, [(agreed.folder, "alice", CREDIT_SCORE, EACH)] * PROCESSES)
    assert [reason for each in told for reason in each] == ["suspended"] * 100
    assert denied(agreed) == "suspended"


@pytest.mark.requirement("R66")
def test_a_process_that_was_there_before_sees_it_at_its_next_check(
    agreed: Wallet,
) -> None:
    other = Wallet(agreed.folder)
    assert other.check("alice", CREDIT_SCORE)
    for _ in range(3):
        suspend(agreed.installation, recipient="acme-credit", by=OFFICER)
        assert other.check("alice", CREDIT_SCORE).reason == "suspended"
        resume(other.installation, recipient="acme-credit", by=OFFICER)
        assert agreed.check("alice", CREDIT_SCORE)


def test_suspensions_lie_over_each_other(agreed: Wallet) -> None:
    suspend(agreed.installation, "shop-offers", by=OFFICER)
    suspend(agreed.installation, recipient="corner-shops", by=OFFICER)
    resume(agreed.installation, "shop-offers", by=OFFICER)
    assert allowed(agreed) == {CREDIT_SCORE, OWN_OFFERS}
    assert resume(agreed.installation, *SHOPS, by=OFFICER) is None
    assert set(agreed.installation.oversight.suspensions()) == {("", "corner-shops")}


DAMAGES = {
    "lifted without an act": "DELETE FROM consent_suspension",
    "by another act": "UPDATE consent_suspension SET leaf = 'alice'",
    "of something else": "UPDATE consent_suspension SET purpose = 'shop-offers'",
    "without an act": "INSERT INTO consent_suspension VALUES ('alice', 'b', 0, 'c')",
}


@pytest.mark.requirement("R66")
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_suspension_that_somebody_changed_by_hand_is_found(
    agreed: Wallet, damage: str
) -> None:
    suspend(agreed.installation, "credit-score", by=OFFICER)
    agreed.prove()
    agreed.damaged = True
    agreed.sql(damage)
    found = list(differences(agreed.installation))
    assert found
    assert all(line.startswith("suspension ") for line in found)
    assert "alice" not in "".join(found)


@pytest.mark.requirement("R66")
def test_a_second_time_changes_nothing(agreed: Wallet) -> None:
    assert resume(agreed.installation, "credit-score", by=OFFICER) is None
    assert suspend(agreed.installation, "credit-score", by=OFFICER)
    before = agreed.contents()
    assert suspend(agreed.installation, "credit-score", by=OFFICER) is None
    assert agreed.contents() == before


def misspelt() -> Iterator[tuple[str | None, str | None, str]]:
    for unknown in ("credit", "", "*", "night-help.cross-border"):
        yield unknown, None, "unknown-purpose"
    for purpose, recipient in product((None, "credit-score"), ("acme", "", "wallet")):
        yield purpose, recipient, "unknown-recipient"
    yield "credit-score", "corner-shops", "unknown-recipient"


@pytest.mark.parametrize(("purpose", "recipient", "code"), list(misspelt()))
def test_a_misspelt_id_does_not_pass_for_a_stop(
    agreed: Wallet, purpose: str | None, recipient: str | None, code: str
) -> None:
    before = agreed.contents()
    with pytest.raises(InvalidRequestError, match="nothing was stopped") as caught:
        suspend(agreed.installation, purpose, recipient, by=OFFICER)
    assert caught.value.code == code
    assert agreed.contents() == before


@pytest.mark.parametrize(
    "event", ["INSERT ON consent_leaf", "INSERT ON consent_suspension"]
)
def test_a_write_that_fails_stops_nothing_and_logs_nothing(
    agreed: Wallet, event: str
) -> None:
    before = agreed.contents()
    agreed.break_writes(event)
    with pytest.raises(LogConflictError):
        suspend(agreed.installation, "credit-score", by=OFFICER)
    assert agreed.contents() == before
    agreed.mend_writes()


@pytest.mark.requirement("R66")
@pytest.mark.requirement("R102")
def test_each_switch_is_on_record_with_who_and_why(agreed: Wallet) -> None:
    suspend(agreed.installation, "credit-score", by=OFFICER)
    agreed.clock.now += 1_000
    resume(agreed.installation, "credit-score", by=Official("tom", "all is well"))
    told = [
        (each.action, each.target, each.person, each.affiliation, each.reason)
        for each in administrative_acts(agreed.installation)
    ]
    assert told == [
        ("suspend", "credit-score/*", OFFICER.person, "Wallet Ltd", OFFICER.reason),
        ("resume", "credit-score/*", "tom", "wallet", "all is well"),
    ]
    for leaf in agreed.leaves("suspension"):
        assert b"dpo@" not in leaf.data
