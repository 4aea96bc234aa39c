"""A person is forgotten: no byte of them is left, and every proof still holds."""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.receipt import verify_receipt
from consentkit.core.act import Kind
from consentkit.core.act import State
from consentkit.errors import ConsentDeniedError
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.service import background
from consentkit.service import erasing
from consentkit.service.administering import Official
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.erasing import follow_erasures
from consentkit.service.erasing import sweep
from consentkit.service.publishing import publish_all
from consentkit.service.rebuilding import differences
from consentkit.service.receipts import find_receipt
from consentkit.service.recording import PersonRecorder
from consentkit.store import database as database_module
from consentkit.store import erasing as store_erasing
from tests.processes import in_fork
from tests.service.forgotten import ALICE
from tests.service.forgotten import FACTS
from tests.service.forgotten import forget
from tests.service.forgotten import found
from tests.service.forgotten import live
from tests.service.forgotten import secrets_of
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

OFFICER = Official("dpo@wallet.example", "closed")
MISSING = "its evidence is missing, and no erasure or purge says that it went"
TABLES = ("subject", "state", "disclosure", "evidence", "hold")


def rows(wallet: Wallet) -> dict[str, int]:
    return {name: len(wallet.contents()[f"consent_{name}"]) for name in TABLES}


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
    monkeypatch.setattr(database_module, "journal_mode", lambda: journal)
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


# Whoever else is at work


@pytest.mark.requirement("R92")
def test_who_still_holds_what_was_read_before_cannot_write_after(
    wallet: Wallet,
) -> None:
    live(wallet)
    installation = wallet.installation
    stale = installation.history.person(ALICE)
    assert stale is not None
    forget(wallet)
    before = wallet.contents()

    def write() -> str:
        try:
            with installation.ledger.write() as transaction:
                PersonRecorder(
                    installation, transaction, ALICE, stale, installation.clock()
                ).append(Kind.ERASURE, {"reason": "request"})
        except LogConflictError:
            return "refused"
        return "written"

    assert in_fork(write).value == "refused"
    assert wallet.contents() == before


@pytest.mark.requirement("R119")
def test_an_open_snapshot_of_another_process_puts_off_the_bytes_and_cannot_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database_module, "journal_mode", lambda: "WAL")
    monkeypatch.setattr(store_erasing, "_PATIENCE", 50)
    wallet = Wallet(tmp_path)
    live(wallet)
    wanted = secrets_of(wallet, ALICE)
    with closing(
        sqlite3.connect(wallet.file, isolation_level=None, timeout=1)
    ) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM consent_subject").fetchall()

        done = forget(wallet)

        assert done.leaf is not None
        assert not done.swept
        assert "may still hold bytes of what was erased" in caplog.text
        assert ALICE not in caplog.text
        assert wallet.installation.erasures.residue() == done.leaf.id
        with pytest.raises(sqlite3.OperationalError):  # SQLITE_BUSY_SNAPSHOT
            reader.execute("UPDATE consent_subject SET seq = 0")
        reader.execute("ROLLBACK")
    assert forget(wallet).swept  # whom nobody knows any more: only the bytes are due
    assert wallet.installation.erasures.residue() is None
    assert found(wallet, wanted) == set()
    wallet.prove()


def test_eight_threads_act_while_the_person_is_erased(wallet: Wallet) -> None:
    live(wallet)

    def act(number: int) -> None:
        for turn in range(6):
            match (number + turn) % 4:
                case 0:
                    wallet.revoke(ALICE)
                case 1:
                    with suppress(ConsentDeniedError):
                        wallet.share(ALICE, CREDIT_SCORE)
                case _:
                    wallet.answer(ALICE, CREDIT_SCORE)

    with ThreadPoolExecutor(9) as pool:
        acting = [pool.submit(act, number) for number in range(8)]
        erasing_too = [pool.submit(forget, wallet) for _ in range(3)]
        for each in (*acting, *erasing_too):
            each.result()
    forget(wallet)
    assert set(rows(wallet).values()) == {0}
    assert found(wallet, {"id": ALICE.encode()}) == set()


def test_a_kill_before_the_bytes_are_gone_is_made_good_by_running_it_again(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(wallet)
    wanted = secrets_of(wallet, ALICE)

    def killed() -> None:
        monkeypatch.setattr(
            erasing, "sweep", lambda _: os.kill(os.getpid(), signal.SIGKILL)
        )
        forget(wallet)

    assert in_fork(killed).signal == signal.SIGKILL
    assert wallet.sql("SELECT count(*) FROM consent_subject") == [(0,)]
    assert wallet.installation.erasures.residue() is not None

    again = forget(wallet)

    assert (again.leaf, again.swept) == (None, True)
    assert wallet.installation.erasures.residue() is None
    assert found(wallet, wanted) == set()


def test_an_erasure_during_the_rewrite_leaves_its_own_residue(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    live(wallet)
    live(wallet, "bob")
    rewrite = store_erasing._rewrite

    def meanwhile(connection: object) -> None:
        rewrite(connection)  # type: ignore[arg-type]  what it was given itself
        monkeypatch.setattr(store_erasing, "_rewrite", rewrite)
        erase(wallet.installation, Erasing("bob", "request"), sweeps=False)

    monkeypatch.setattr(store_erasing, "_rewrite", meanwhile)
    forget(wallet)
    assert wallet.installation.erasures.residue() == wallet.leaves("erasure")[-1].id
    assert sweep(wallet.installation)
    assert wallet.installation.erasures.residue() is None


def swept(wallet: Wallet, *, seconds: float) -> bool:
    """Whether a process that follows erasures has swept within that time."""

    def follow() -> bool:
        background._INTERVAL = 0.001
        follow_erasures(wallet.installation)
        end = time.monotonic() + seconds
        while wallet.installation.erasures.residue() and time.monotonic() < end:
            time.sleep(0.01)
        return wallet.installation.erasures.residue() is None

    return bool(in_fork(follow).value)


def test_what_a_page_erased_is_swept_by_one_process_in_the_background(
    wallet: Wallet,
) -> None:
    live(wallet)
    wanted = secrets_of(wallet, ALICE)
    erase(wallet.installation, Erasing(ALICE, "request"), sweeps=False)
    with background.elected(wallet.logs, "sweep") as mine:
        assert mine
        assert not swept(wallet, seconds=0.3)
    assert swept(wallet, seconds=10)
    assert found(wallet, wanted) == set()


# What is found out


@pytest.mark.requirement("R92")
def test_evidence_that_is_missing_without_an_erasure_is_named(wallet: Wallet) -> None:
    wallet.damaged = True
    leaf = live(wallet).leaf
    wallet.sql("DELETE FROM consent_evidence")
    assert list(differences(wallet.installation)) == [
        f"leaf {leaf.id}: {MISSING}",
    ]


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
