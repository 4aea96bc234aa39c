"""A person is forgotten: no byte of them is left, and every proof still holds."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.receipt import verify_receipt
from consentkit.core.act import State
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.service.administering import Official
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.publishing import publish_all
from consentkit.service.rebuilding import differences
from consentkit.service.receipts import find_receipt
from consentkit.store import sqlite as sqlite_module
from tests.service.forgotten import ALICE
from tests.service.forgotten import FACTS
from tests.service.forgotten import forget
from tests.service.forgotten import found
from tests.service.forgotten import live
from tests.service.forgotten import rows
from tests.service.forgotten import secrets_of
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

ENGINES = ("sqlite", "postgresql")

OFFICER = Official("dpo@wallet.example", "closed")
MISSING = "its evidence is missing, and no erasure or purge says that it went"


@pytest.mark.requirement("R45")
@pytest.mark.requirement("R92")
@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_no_byte_of_an_erased_person_is_left_anywhere(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    journal: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(sqlite_module, "journal_mode", lambda: journal)
    wallet = Wallet(tmp_path)
    for number in range(12):  # so that pages are split and rows move about
        live(wallet, f"other-{number}")
    live(wallet)
    wanted = secrets_of(wallet, ALICE)
    assert found(wallet, wanted) == {"id", "wrapped key"}
    assert wallet.sql("PRAGMA journal_mode") == [(journal.lower(),)]

    done = forget(wallet)
    publish_all(wallet.installation)

    assert done.swept
    assert found(wallet, wanted, caplog.text) == set()
    for fact in FACTS.values():
        assert found(wallet, {"fact": fact.encode()}, caplog.text) <= (
            {"fact"} if fact == "en" else set()
        )
    assert not wallet.file.with_name(f"{wallet.file.name}-journal").exists()
    wal = wallet.file.with_name(f"{wallet.file.name}-wal")
    assert not wal.exists() or wanted["id"] not in wal.read_bytes()
    wallet.prove()


@pytest.mark.requirement("R92")
def test_every_row_about_the_person_goes_and_nobody_elses(wallet: Wallet) -> None:
    live(wallet, "bob")
    before = rows(wallet)
    live(wallet)
    done = forget(wallet)
    assert rows(wallet) == before
    assert done.leaf is not None
    (leaf,) = wallet.leaves("erasure")
    assert leaf.id == done.leaf.id
    assert leaf.body["reason"] == "request"
    assert "evidence" not in leaf.body
    assert not wallet.check(ALICE, CREDIT_SCORE)
    assert wallet.check("bob", CREDIT_SCORE)


@pytest.mark.requirement("R92")
def test_the_log_holds_and_the_persons_own_receipt_still_proves_what_they_said(
    wallet: Wallet,
) -> None:
    receipt = live(wallet)
    forget(wallet)
    wallet.prove()
    assert receipt.proof is not None
    shown = json.dumps({"disclosures": list(receipt.disclosures)}).encode()
    verified = verify_receipt(receipt.proof, trust=wallet.trust, disclosures=shown)
    assert verified.evidence == FACTS
    assert verified.leaf.body["choices"][0]["state"] == "given"
    assert find_receipt(wallet.installation, ALICE, receipt.leaf.id) is None


@pytest.mark.requirement("R92")
def test_who_comes_back_is_somebody_new(wallet: Wallet) -> None:
    first = live(wallet).leaf.subject
    forget(wallet)
    second = wallet.answer(ALICE, CREDIT_SCORE)
    assert second.subject != first
    assert (second.seq, second.prev) == (0, "")
    forget(wallet)
    assert [leaf.subject for leaf in wallet.leaves("erasure")] == [
        first,
        second.subject,
    ]


def test_to_erase_twice_or_nobody_writes_nothing(wallet: Wallet) -> None:
    live(wallet)
    assert forget(wallet).leaf is not None
    before = wallet.contents()
    for subject in (ALICE, "nobody"):
        again = forget(wallet, subject)
        assert (again.leaf, again.swept) == (None, True)
    assert wallet.contents() == before


REASONS = {
    "empty": "",
    "sentence": "she asked",
    "name": "Alice",
    "mail": "alice@example.org",
    "long": "a" * 65,
    "line": "request\n",
}


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS)
def test_a_reason_that_could_tell_of_a_person_is_refused(reason: str) -> None:
    with pytest.raises(InvalidRequestError, match="stands in the log for ever"):
        Erasing(ALICE, reason)


@pytest.mark.requirement("R102")
def test_an_official_answers_for_it_in_the_same_transaction(wallet: Wallet) -> None:
    handle = live(wallet).leaf.subject
    erase(wallet.installation, Erasing(ALICE, "closed", by=OFFICER))
    (admin,) = wallet.leaves("admin")
    assert (admin.body["action"], admin.body["target"]) == ("erase", handle)
    assert b"dpo@" not in admin.data


def test_if_the_officials_act_cannot_be_written_nothing_is_erased(
    wallet: Wallet,
) -> None:
    live(wallet)
    before = wallet.contents()
    wallet.break_writes("INSERT ON consent_evidence")
    with pytest.raises(LogConflictError):
        erase(wallet.installation, Erasing(ALICE, "closed", by=OFFICER))
    wallet.mend_writes()
    assert wallet.contents() == before


EVENTS = {
    "the leaf": "INSERT ON consent_leaf",
    "the person": "DELETE ON consent_subject",
    "the answers": "DELETE ON consent_state",
    "the list": "DELETE ON consent_disclosure",
    "the outbox": "INSERT ON consent_delivery",
    "the evidence": "DELETE ON consent_evidence",
    "the residue": "UPDATE ON consent_log",
}


@pytest.mark.parametrize("event", EVENTS.values(), ids=EVENTS)
def test_nothing_is_half_erased(wallet: Wallet, event: str) -> None:
    live(wallet)
    before = wallet.contents()
    wallet.break_writes(event)
    with pytest.raises(LogConflictError):
        forget(wallet)
    wallet.mend_writes()
    assert wallet.contents() == before
    assert forget(wallet).leaf is not None


def test_an_erasure_does_not_wait_for_the_key_of_the_evidence(wallet: Wallet) -> None:
    live(wallet)
    wallet.sql("UPDATE consent_subject SET data_key = ?", b"short")
    assert forget(wallet).leaf is not None


def test_a_form_for_whom_is_erased_does_not_erase_who_came_later(
    wallet: Wallet,
) -> None:
    first = str(live(wallet).leaf.subject)
    forget(wallet)
    wallet.answer(ALICE, CREDIT_SCORE)
    with pytest.raises(InvalidRequestError) as caught:
        erase(wallet.installation, Erasing(ALICE, "request", handle=first))
    assert caught.value.code == "token-spent"
    assert wallet.check(ALICE, CREDIT_SCORE)


def test_a_form_that_was_answered_before_revives_nothing(wallet: Wallet) -> None:
    form = wallet.form(ALICE, {CREDIT_SCORE: State.GIVEN})
    wallet.submit(form)
    forget(wallet)
    before = wallet.contents()
    with pytest.raises(InvalidRequestError):
        wallet.submit(form)
    assert wallet.contents() == before
    assert not wallet.check(ALICE, CREDIT_SCORE)


# What is found out


@pytest.mark.requirement("R92")
def test_evidence_that_is_missing_without_an_erasure_is_named(wallet: Wallet) -> None:
    wallet.damaged = True
    leaf = live(wallet).leaf
    wallet.sql("DELETE FROM consent_evidence")
    assert list(differences(wallet.installation)) == [
        f"leaf {leaf.id}: {MISSING}",
    ]


@pytest.mark.sqlite
@pytest.mark.requirement("R92")
def test_a_key_that_was_destroyed_without_an_erasure_is_named(wallet: Wallet) -> None:
    wallet.damaged = True
    leaf = live(wallet).leaf
    wallet.sql("UPDATE consent_subject SET data_key = zeroblob(60)")
    assert list(differences(wallet.installation)) == [
        f"leaf {leaf.id}: its evidence does not open: it or its key was changed"
    ]


@pytest.mark.requirement("R92")
def test_an_erasure_that_was_undone_is_named(wallet: Wallet) -> None:
    """Somebody puts the rows back from a copy of the day before."""
    wallet.damaged = True
    leaf = live(wallet).leaf
    copy = {
        name: wallet.sql(f"SELECT * FROM consent_{name}")  # noqa: S608  our own tables
        for name in ("subject", "evidence")
    }
    forget(wallet)
    assert list(differences(wallet.installation)) == []
    for name, kept in copy.items():
        for row in kept:
            marks = ", ".join("?" * len(row))
            wallet.sql(f"INSERT INTO consent_{name} VALUES ({marks})", *row)  # noqa: S608  see above
    named = list(differences(wallet.installation))
    assert (
        f"subject {leaf.subject}: was erased, and the subject table names them again"
        in named
    )
    assert (
        f"leaf {leaf.id}: its evidence is stored, and by the leaves it went or never "
        "was" in named
    )


def test_evidence_of_somebody_else_in_its_place_is_named(wallet: Wallet) -> None:
    wallet.damaged = True
    live(wallet)
    live(wallet, "bob")
    first = "SELECT min(handle) FROM consent_subject"
    wallet.sql(f"UPDATE consent_evidence SET handle = ({first})")  # noqa: S608  see above
    (line,) = differences(wallet.installation)
    assert line.endswith(": its evidence does not open: it or its key was changed")
