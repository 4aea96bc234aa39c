"""What may break while data is to be shared: then nothing leaves, half or whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.core.decision import ShareRequest
from consentkit.errors import ConsentDeniedError
from consentkit.errors import DeclarationError
from consentkit.service.keyring import Keyring
from consentkit.service.sharing import Circumstances
from consentkit.service.sharing import authorise
from consentkit.store import sqlite as sqlite_module
from tests.service.hostile import HOSTILE
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet
from tests.service.wallet import denied

if TYPE_CHECKING:
    from pathlib import Path


WRITES = {
    "the line": "INSERT ON consent_leaf",
    "the person's place in the chain": "UPDATE ON consent_subject",
    "the person's overview": "INSERT ON consent_disclosure",
}


@pytest.mark.requirement("R76")
@pytest.mark.parametrize("event", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("agreed", [True, False], ids=["agreed", "refused"])
def test_a_line_that_cannot_be_written_is_a_no(
    wallet: Wallet, event: str, *, agreed: bool
) -> None:
    said = State.GIVEN if agreed else State.REFUSED
    wallet.answer("alice", CREDIT_SCORE, said=said)
    before = wallet.contents()
    wallet.break_writes(event)
    assert denied(wallet) is Reason.STORE_UNAVAILABLE
    assert wallet.contents() == before
    wallet.mend_writes()


@pytest.mark.requirement("R76")
@pytest.mark.parametrize("lock", ["BEGIN EXCLUSIVE", "BEGIN"])
def test_a_line_that_cannot_be_committed_is_a_no(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str
) -> None:
    """The second lock lets everything be written, and only the commit fails."""
    monkeypatch.setattr(sqlite_module, "BUSY_TIMEOUT", 0.01)
    monkeypatch.setattr(sqlite_module, "journal_mode", lambda: "DELETE")
    wallet = Wallet(tmp_path)
    wallet.answer("alice", CREDIT_SCORE)
    before = wallet.contents()
    with closing(sqlite3.connect(wallet.file, isolation_level=None)) as other:
        other.execute(lock)
        other.execute("SELECT 1 FROM consent_leaf").fetchall()
        assert denied(wallet) is Reason.STORE_UNAVAILABLE
    assert wallet.contents() == before
    wallet.share("alice", CREDIT_SCORE)
    wallet.prove()


@pytest.mark.requirement("R76")
def test_without_a_clock_nothing_leaves(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    before = wallet.contents()
    wallet.clock.broken = True
    assert denied(wallet) is Reason.STORE_UNAVAILABLE
    assert wallet.contents() == before
    wallet.clock.broken = False


@pytest.mark.requirement("R76")
@pytest.mark.parametrize("file", ["collector-a1.pem", "secret.key"])
def test_without_its_keys_a_process_shares_nothing(wallet: Wallet, file: str) -> None:
    """Somebody never seen before needs a key of their own, even for a no."""
    wallet.answer("bob", CREDIT_SCORE)
    before = wallet.contents()
    keyring = Keyring(wallet.folder / "keys", wallet.installation.origin)
    (keyring.folder / file).write_bytes(b"no key")
    wallet.installation = replace(wallet.installation, keyring=keyring)
    wallet.damaged = True
    assert denied(wallet) is Reason.STORE_UNAVAILABLE
    assert wallet.contents() == before


def test_a_forged_answer_without_a_leaf_behind_it_shares_nothing(
    wallet: Wallet,
) -> None:
    wallet.damaged = True
    wallet.answer("alice", CREDIT_SCORE)
    wallet.sql("UPDATE consent_state SET record = ?", "f" * 32)
    before = wallet.contents()
    assert denied(wallet) is Reason.STORE_UNAVAILABLE
    assert wallet.contents() == before


@pytest.mark.requirement("R62")
@pytest.mark.parametrize("ids", HOSTILE.values(), ids=HOSTILE)
def test_an_id_however_odd_is_a_no_that_does_not_spoil_the_log(
    wallet: Wallet, ids: tuple[Any, ...]
) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    subject, purpose, recipient = ids
    request = ShareRequest(subject, purpose, recipient, frozenset({"spending"}))
    with pytest.raises(ConsentDeniedError):
        authorise(wallet.installation, request, Circumstances("jobs:score"))
    assert wallet.leaves("disclosure") == []
    for leaf in wallet.leaves("denial"):
        assert {leaf.body["purpose"], leaf.body["recipient"]} <= {
            *CREDIT_SCORE,
            "unknown",
        }


@pytest.mark.requirement("R45")
@pytest.mark.parametrize(
    "caller", ["", "müller", "a b", 'a"b', "a\\b", "a\nb", "x" * 201, "a\x7fb"]
)
def test_a_caller_that_no_leaf_can_hold_is_called_unknown(
    wallet: Wallet, caller: str
) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    request = wallet.request("alice", CREDIT_SCORE)
    authorise(wallet.installation, request, Circumstances(caller))
    (leaf,) = wallet.leaves("disclosure")
    assert leaf.body["caller"] == "unknown"


@pytest.mark.parametrize("amount", [-1, 2**53, True, 1.5])
def test_an_amount_that_no_leaf_can_hold_shares_nothing(
    wallet: Wallet, amount: Any
) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    before = wallet.contents()
    request = wallet.request("alice", CREDIT_SCORE)
    with pytest.raises(DeclarationError, match="amount must be how many records"):
        authorise(wallet.installation, request, Circumstances("jobs", amount=amount))
    assert wallet.contents() == before


@pytest.mark.requirement("R45")
def test_a_share_that_fails_logs_nothing_about_the_person(
    wallet: Wallet, caplog: pytest.LogCaptureFixture
) -> None:
    wallet.answer("alice@wallet.example", CREDIT_SCORE)
    wallet.break_writes("INSERT ON consent_disclosure")
    with pytest.raises(ConsentDeniedError) as caught:
        wallet.share("alice@wallet.example", CREDIT_SCORE)
    assert "a share failed" in caplog.text
    assert "alice" not in caplog.text + str(caught.value)
    wallet.mend_writes()
