"""Attacks by whoever runs the service: with SQL, and with all the keys of the house.

Each is done to a real database and found by what an auditor, a person or a witness
holds. What nothing finds is tried as well, and ``docs/threats.md`` says so.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.promise import compare_with_log
from consentkit.audit.receipt import verify_receipt
from consentkit.audit.rules import MAX_DELAY_MS
from consentkit.audit.rules import MAX_SKEW_MS
from consentkit.core.act import State
from consentkit.errors import LogConflictError
from consentkit.log.leaf import read_leaf
from consentkit.log.merkle import hash_leaf
from consentkit.log.policy import parse_policy
from consentkit.log.witness import AddCheckpoint
from consentkit.log.witness import format_request
from consentkit.service.exporting import export
from consentkit.service.publishing import publish_all
from consentkit.testing import answer
from tests.service.log_files import say
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import Clock
from tests.service.wallet import Wallet
from tests.service.witnessed import show
from tests.service.witnessed import use
from tests.story.rewriting import act_of
from tests.story.rewriting import checkpoint
from tests.story.rewriting import disarm
from tests.story.rewriting import findings
from tests.story.rewriting import first_words
from tests.story.rewriting import forget_files
from tests.story.rewriting import index_of
from tests.story.rewriting import places
from tests.story.rewriting import proof_of
from tests.story.rewriting import replace
from tests.story.rewriting import sign_anew
from tests.web.hosts import MAYA
from tests.web.hosts import host
from tests.witness_process import serve_witness

if TYPE_CHECKING:
    from pathlib import Path

    from consentkit.log.leaf import Leaf


@pytest.fixture
def wallet(tmp_path: Path) -> Wallet:
    """Alice said no, yes and stop; Bob said no last. All of it is published."""
    wallet = Wallet(tmp_path / "wallet")
    for said in (State.REFUSED, State.GIVEN):
        wallet.answer("alice", CREDIT_SCORE, said=said)
    wallet.share("alice", CREDIT_SCORE)
    wallet.revoke("alice")
    wallet.answer("bob", CREDIT_SCORE, said=State.REFUSED)
    wallet.verify()
    return wallet


# -- an edit by SQL -------------------------------------------------------------------


@pytest.mark.requirement("R46", "R95")
def test_a_no_turned_into_a_yes_by_sql_is_named_with_the_person_and_the_entry(
    tmp_path: Path,
) -> None:
    shop = host(tmp_path)
    answer(shop.client(MAYA), "credit-score", {"acme-credit": "refused"})
    ((data,),) = shop.sql("SELECT bytes FROM consent_leaf WHERE kind = 'choice'")
    shop.sql("UPDATE consent_state SET state = 'given'")

    done = shop.app.test_cli_runner().invoke(args=["consent", "rebuild", "--check"])

    leaf = read_leaf(data)
    assert done.exit_code == 1
    assert f"subject {leaf.subject}, credit-score for acme-credit: " in done.output
    assert f"(leaf {leaf.id})" in done.output
    assert MAYA not in done.output


def widen(wallet: Wallet, leaf: Leaf) -> int:
    """Add to what the person agreed to, in the stored entry itself; where it stands."""
    disarm(wallet)
    changed = leaf.data.replace(b'["spending"]', b'["city","spending"]')
    assert changed != leaf.data
    wallet.sql("UPDATE consent_leaf SET bytes = ? WHERE id = ?", changed, leaf.id)
    return index_of(wallet, leaf)


@pytest.mark.requirement("R95", "R96", "R99")
def test_an_entry_changed_by_sql_is_named_in_every_copy_made_afterwards(
    wallet: Wallet, tmp_path: Path
) -> None:
    index = widen(wallet, act_of(wallet, State.GIVEN))
    out = tmp_path / "export"
    export(wallet.installation, out)
    forget_files(wallet)

    for folder in (wallet.logs, out):
        found = places(findings(wallet, folder=folder))
        assert ("log", "entries", index) in found
        assert ("records", "signature", index) in found
        assert {entry for _, _, entry in found} <= {index, index + 1}


@pytest.mark.requirement("R95")
def test_an_entry_changed_together_with_its_hashes_does_not_lead_to_the_signed_root(
    wallet: Wallet,
) -> None:
    leaf = act_of(wallet, State.GIVEN)
    index = widen(wallet, leaf)
    ((data,),) = wallet.sql("SELECT bytes FROM consent_leaf WHERE id = ?", leaf.id)
    ((tile,),) = wallet.sql("SELECT hashes FROM consent_tile WHERE level = 0")
    hashes = tile.replace(leaf.hash, hash_leaf(data))
    assert hashes != tile
    wallet.sql(
        "UPDATE consent_leaf SET hash = ? WHERE id = ?", hash_leaf(data), leaf.id
    )
    wallet.sql("UPDATE consent_tile SET hashes = ? WHERE level = 0", hashes)
    forget_files(wallet)

    found = places(findings(wallet))
    assert [each for each in found if each[0] == "log"] == [("log", "root", None)]
    assert ("records", "signature", index) in found

    say(wallet)  # and the publisher, which has more to sign, does not sign over it
    before = wallet.contents()
    with pytest.raises(LogConflictError, match="nothing was signed"):
        publish_all(wallet.installation)
    assert wallet.contents() == before


# -- all of it signed again, with all the keys ----------------------------------------


def turn_bobs_no_into_a_yes(wallet: Wallet) -> None:
    """Write the log anew from the first entry on, as if Bob had agreed."""
    no, yes = wallet.leaves("choice")[2], act_of(wallet, State.GIVEN)
    assert no.body["choices"][0]["state"] == "refused"

    def edit(body: dict[str, Any]) -> None:
        if body["id"] == no.id:
            body["choices"] = yes.body["choices"]

    replace(wallet, sign_anew(wallet, wallet.leaves(), edit))


@pytest.mark.requirement("R49", "R95", "R98")
def test_a_log_signed_anew_with_all_keys_passes_alone_and_fails_against_what_was_kept(
    wallet: Wallet,
) -> None:
    old, bobs = checkpoint(wallet), wallet.leaves("choice")[2]
    receipt = proof_of(wallet, "bob", bobs)
    say(wallet, times=2)
    wallet.verify()
    assert findings(wallet, old, receipt) == []

    turn_bobs_no_into_a_yes(wallet)

    assert findings(wallet) == []  # this is why somebody else has to remember
    assert first_words(findings(wallet, old)) == {"consistency: REWRITTEN"}
    found = findings(wallet, receipt)
    assert first_words(found) == {"consistency: REWRITTEN", "receipt: REWRITTEN"}
    assert found[-1].entry == index_of(wallet, bobs)


@pytest.mark.requirement("R98")
def test_a_witness_refuses_a_log_that_was_signed_anew(
    wallet: Wallet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    vkey = wallet.installation.keyring.log.vkey
    with serve_witness(tmp_path / "witness", vkey) as witness:
        use(wallet, witness.line)
        assert show(wallet) == 1
        size = len(wallet.leaves())
        turn_bobs_no_into_a_yes(wallet)
        forged = checkpoint(wallet)

        same = witness.add_checkpoint(format_request(AddCheckpoint(size, (), forged)))
        new = witness.add_checkpoint(format_request(AddCheckpoint(0, (), forged)))

        assert same.status == 422
        assert (new.status, new.body) == (409, b"%d\n" % size)
        assert show(wallet) == 0, "nor does it when the service asks by itself"
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert "not as they were" in record.getMessage()


# -- entries taken out or put elsewhere -----------------------------------------------


@pytest.mark.requirement("R95")
@pytest.mark.parametrize("seq", range(3))
def test_an_entry_deleted_in_the_middle_is_missed_without_any_older_checkpoint(
    wallet: Wallet, seq: int
) -> None:
    leaves = wallet.leaves()
    alice = [leaf for leaf in leaves if leaf.subject == leaves[4].subject]
    replace(wallet, [leaf for leaf in leaves if leaf is not alice[seq]])

    found = places(findings(wallet))

    assert ("records", "chain", index_of(wallet, alice[seq + 1])) in found
    assert {layer for layer, _, _ in found} == {"records"}, "the log was signed again"


@pytest.mark.requirement("R95")
def test_entries_in_another_order_are_found_without_any_older_checkpoint(
    wallet: Wallet,
) -> None:
    leaves = wallet.leaves()
    stop = next(leaf for leaf in leaves if leaf.kind == "revocation")
    yes = act_of(wallet, State.GIVEN)
    others = [leaf for leaf in leaves if leaf is not stop]
    at = [leaf.id for leaf in others].index(yes.id)
    replace(wallet, [*others[:at], stop, *others[at:]])

    found = places(findings(wallet))

    assert found[0] == ("records", "chain", index_of(wallet, stop))
    assert ("records", "chain", index_of(wallet, yes)) in found


@pytest.mark.requirement("R49", "R95", "R98")
def test_the_newest_entries_deleted_are_missed_by_a_checkpoint_and_by_their_receipts(
    wallet: Wallet,
) -> None:
    old, bobs = checkpoint(wallet), wallet.leaves("choice")[2]
    receipt = proof_of(wallet, "bob", bobs)
    replace(wallet, [leaf for leaf in wallet.leaves() if leaf.id != bobs.id])

    assert findings(wallet) == []  # he was the last: no chain has a gap
    assert first_words(findings(wallet, old)) == {"consistency: TRUNCATED"}
    assert "receipt: TRUNCATED" in first_words(findings(wallet, receipt))


@pytest.mark.requirement("R49")
def test_an_entry_deleted_before_its_receipt_was_ready_breaks_the_promise_of_it(
    wallet: Wallet,
) -> None:
    promise = wallet.leaves("choice")[2].data  # what Bob was handed at once
    replace(wallet, [leaf for leaf in wallet.leaves() if leaf.data != promise])
    wallet.clock.now += MAX_DELAY_MS + 1_000
    say(wallet)
    publish_all(wallet.installation)

    compared = compare_with_log(
        promise, source=FolderSource(wallet.logs), trust=wallet.trust
    )

    (finding,) = compared.findings
    assert finding.what.startswith("BREACH: ")
    assert finding.proof


# -- a date in the past ---------------------------------------------------------------


@pytest.mark.requirement("R96", "R98")
def test_a_backdated_yes_lies_outside_the_time_that_witnesses_leave_for_it(
    tmp_path: Path,
) -> None:
    """The log was quiet for a day: no earlier entry contradicts, but a witness does."""
    yesterday = Clock(time.time_ns() // 1_000_000 - DAY)
    wallet = Wallet(tmp_path / "wallet", clock=yesterday)
    wallet.answer("alice", CREDIT_SCORE)
    vkey = wallet.installation.keyring.log.vkey
    with serve_witness(tmp_path / "witness", vkey) as witness:
        use(wallet, witness.line)
        show(wallet)
        without = checkpoint(wallet)
        wallet.clock.now += MAX_SKEW_MS
        backdated = wallet.answer("bob", CREDIT_SCORE)
        show(wallet)
        policy = parse_policy(f"witness w {witness.vkey}\nquorum w\n".encode())

    found = findings(wallet, without, policy=policy)

    where = ("history", "time window", index_of(wallet, backdated))
    assert places(found) == [where]
    receipt = verify_receipt(
        proof_of(wallet, "bob", backdated), trust=wallet.trust, policy=policy
    )
    flag = "For the time before, there is nothing but the collector's word."
    assert flag in receipt.lines()
