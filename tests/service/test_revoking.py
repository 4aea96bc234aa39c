"""What was agreed can be ended per recipient, per purpose or altogether, any time."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.core.act import Actor
from consentkit.core.act import State
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.errors import VerificationError
from consentkit.log import sealing
from consentkit.service.revoking import Ending
from consentkit.service.revoking import Revocation
from consentkit.service.revoking import revoke
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import NIGHT
from tests.service.wallet import OWN_OFFERS
from tests.service.wallet import SHOPS
from tests.service.wallet import TRANSFER

if TYPE_CHECKING:
    from tests.service.wallet import Wallet

ENGINES = ("sqlite", "postgresql")

ALL = {CREDIT_SCORE, SHOPS, OWN_OFFERS, NIGHT, TRANSFER}


@pytest.fixture
def agreed(wallet: Wallet) -> Wallet:
    """A wallet in which Alice and Bob have agreed to everything."""
    for subject in ("alice", "bob"):
        wallet.answer(subject, CREDIT_SCORE)
        wallet.answer(subject, SHOPS, OWN_OFFERS)
        wallet.answer(subject, NIGHT, TRANSFER)
    return wallet


def ended(wallet: Wallet, subject: str = "alice") -> set[tuple[str, str]]:
    statuses = wallet.installation.history.statuses(subject)
    return {key for key, status in statuses.items() if status.state != State.GIVEN}


@pytest.mark.requirement("R54")
@pytest.mark.parametrize(
    ("purpose", "recipient", "expected"),
    [
        (*CREDIT_SCORE, {CREDIT_SCORE}),
        (*SHOPS, {SHOPS}),
        ("shop-offers", None, {SHOPS, OWN_OFFERS}),
        ("night-help", None, {NIGHT, TRANSFER}),
        (*NIGHT, {NIGHT, TRANSFER}),
        (*TRANSFER, {TRANSFER}),
        (None, "night-desk", {NIGHT, TRANSFER}),
        (None, "corner-shops", {SHOPS}),
        (None, None, ALL),
    ],
)
def test_only_what_is_meant_ends(
    agreed: Wallet,
    purpose: str | None,
    recipient: str | None,
    expected: set[tuple[str, str]],
) -> None:
    done = agreed.revoke("alice", purpose, recipient)
    assert set(done.ended) == expected
    assert ended(agreed) == expected
    assert ended(agreed, "bob") == set()
    assert len(agreed.leaves("revocation")) == 1


@pytest.mark.requirement("R55")
def test_the_next_check_says_no_and_the_others_stay(agreed: Wallet) -> None:
    agreed.revoke("alice", *CREDIT_SCORE)
    assert agreed.check("alice", CREDIT_SCORE).reason == "withdrawn"
    assert agreed.check("alice", SHOPS)
    assert agreed.check("bob", CREDIT_SCORE)


@pytest.mark.requirement("R56")
def test_what_came_before_is_not_touched(agreed: Wallet) -> None:
    before = agreed.contents()
    agreed.revoke("alice")
    after = agreed.contents()
    for table in ("consent_leaf", "consent_evidence", "consent_notice"):
        assert after[table][: len(before[table])] == before[table] or set(
            before[table]
        ) < set(after[table])
    assert len(after["consent_leaf"]) == len(before["consent_leaf"]) + 1


@pytest.mark.requirement("R61")
def test_ending_it_again_changes_nothing(agreed: Wallet) -> None:
    agreed.revoke("alice", "shop-offers")
    before = agreed.contents()
    for recipient in (None, "corner-shops", "controller"):
        done = agreed.revoke("alice", "shop-offers", recipient)
        assert done == Revocation(None, ())
    assert agreed.contents() == before


def test_somebody_who_never_agreed_can_stop_it_all_the_same(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE, said=State.REFUSED)
    before = wallet.contents()
    for subject in ("alice", "never-seen"):
        assert wallet.revoke(subject) == Revocation(None, ())
        assert wallet.revoke(subject, *CREDIT_SCORE) == Revocation(None, ())
    assert wallet.contents() == before


@pytest.mark.parametrize(
    "actor", [Actor.SUBJECT, Actor.CONTROLLER, Actor.AUTHORITY, Actor.SYSTEM]
)
def test_who_ended_it_is_told_apart(agreed: Wallet, actor: Actor) -> None:
    leaf = revoke(agreed.installation, Ending("alice", actor=actor)).leaf
    assert leaf
    states = {choice["state"] for choice in leaf.body["choices"]}
    assert states == {"withdrawn" if actor is Actor.SUBJECT else "revoked"}
    assert leaf.body["actor"] == actor


def test_a_yes_that_ran_out_can_still_be_withdrawn(agreed: Wallet) -> None:
    agreed.clock.now += 400 * 86_400_000
    assert set(agreed.revoke("alice").ended) == ALL


@pytest.mark.parametrize(
    ("purpose", "recipient", "code"),
    [
        ("credit", None, "unknown-purpose"),
        ("*", None, "unknown-purpose"),
        ("", None, "unknown-purpose"),
        ("credit-score.cross-border", None, "unknown-purpose"),
        (None, "acme", "unknown-recipient"),
        ("credit-score", "", "unknown-recipient"),
    ],
)
def test_a_misspelt_id_ends_nothing_and_says_so(
    agreed: Wallet, purpose: str | None, recipient: str | None, code: str
) -> None:
    before = agreed.contents()
    for subject in ("alice", "never-seen"):
        with pytest.raises(InvalidRequestError) as caught:
            agreed.revoke(subject, purpose, recipient)
        assert caught.value.code == code
    assert agreed.contents() == before


@pytest.mark.requirement("R61")
def test_it_works_while_everything_but_the_database_is_down(agreed: Wallet) -> None:
    agreed.verify()
    logs = agreed.folder / "logs"
    shutil.move(logs, agreed.folder / "away")
    (agreed.folder / "keys" / "log.pem").rename(agreed.folder / "away.pem")
    assert set(agreed.revoke("alice").ended) == ALL
    shutil.move(agreed.folder / "away", logs)
    (agreed.folder / "away.pem").rename(agreed.folder / "keys" / "log.pem")


@pytest.mark.parametrize(
    "event",
    ["INSERT ON consent_leaf", "UPDATE ON consent_subject", "INSERT ON consent_state"],
)
def test_a_write_that_fails_leaves_all_as_it_was(agreed: Wallet, event: str) -> None:
    before = agreed.contents()
    agreed.break_writes(event)
    with pytest.raises(LogConflictError):
        agreed.revoke("alice")
    assert agreed.contents() == before
    agreed.mend_writes()
    assert set(agreed.revoke("alice").ended) == ALL


@pytest.mark.requirement("R58")
def test_only_a_new_answer_of_the_person_brings_it_back(agreed: Wallet) -> None:
    agreed.revoke("alice", *CREDIT_SCORE)
    agreed.answer("alice", SHOPS)  # of another question
    agreed.clock.now += 86_400_000
    assert not agreed.check("alice", CREDIT_SCORE)
    agreed.answer("alice", CREDIT_SCORE)
    assert agreed.check("alice", CREDIT_SCORE)


FACTS = {"page": "/bill/alice-liddell"}
BROKEN_KEYS: dict[str, Any] = {
    "another": bytes(60),
    "short": b"short",
    "text": "text",
    "a number": 7,
}


@pytest.mark.sqlite
@pytest.mark.requirement("R55")
@pytest.mark.parametrize("data_key", BROKEN_KEYS.values(), ids=BROKEN_KEYS)
def test_an_end_does_not_wait_for_the_key_of_the_evidence(
    wallet: Wallet, caplog: pytest.LogCaptureFixture, data_key: object
) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    ((good_key,),) = wallet.sql("SELECT data_key FROM consent_subject")
    wallet.sql("UPDATE consent_subject SET data_key = ?", data_key)
    before = len(wallet.contents()["consent_evidence"])
    done = revoke(wallet.installation, Ending("alice", facts=FACTS))
    assert done.leaf
    assert done.leaf.body["evidence"] == sealing.commit([])
    assert not wallet.check("alice", CREDIT_SCORE)
    assert len(wallet.contents()["consent_evidence"]) == before
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "without its private facts" in record.getMessage()
    assert "alice" not in caplog.text
    wallet.sql("UPDATE consent_subject SET data_key = ?", good_key)


def test_an_end_does_not_wait_for_the_secret(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    secret = wallet.folder / "keys" / "secret.key"
    data = secret.read_bytes()
    keyring = replace(wallet.installation.keyring)  # as one that read no file yet
    secret.unlink()
    bare = replace(wallet.installation, keyring=keyring)
    done = revoke(bare, Ending("alice", facts=FACTS))
    assert done.leaf
    assert done.leaf.body["evidence"] == sealing.commit([])
    assert not secret.exists()
    secret.write_bytes(data)


def test_a_grant_is_not_stored_without_its_evidence(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    form = wallet.form("alice", {CREDIT_SCORE: State.GIVEN}, facts=dict(FACTS))
    ((good_key,),) = wallet.sql("SELECT data_key FROM consent_subject")
    wallet.sql("UPDATE consent_subject SET data_key = ?", bytes(60))
    before = wallet.contents()
    with pytest.raises(VerificationError):
        wallet.submit(form)
    assert wallet.contents() == before
    wallet.sql("UPDATE consent_subject SET data_key = ?", good_key)
