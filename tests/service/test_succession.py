"""A log follows a closed one: nobody has to answer again, and nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.bundle import FolderSource
from consentkit.audit.receipt import verify_receipt
from consentkit.audit.trust import Trust
from consentkit.audit.verify import verify_log
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.decision import Reason
from consentkit.errors import LogUnavailableError
from consentkit.service.administering import administrative_acts
from consentkit.service.correcting import Mistake
from consentkit.service.correcting import correct
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.erasing import sweep
from consentkit.service.exporting import export
from consentkit.service.holding import open_hold
from consentkit.service.invalidating import Taken
from consentkit.service.invalidating import preview
from consentkit.service.publishing import publish_all
from consentkit.service.purging import purge
from consentkit.service.rebuilding import differences
from consentkit.service.receipts import find_receipt
from consentkit.service.receipts import list_receipts
from consentkit.service.rotating import rotate_key
from consentkit.service.suspending import resume
from consentkit.service.suspending import suspend
from consentkit.store.ledger import _BY_CHALLENGE
from consentkit.store.ledger import _HASH_BY_ID
from tests.service.log_files import files
from tests.service.two_logs import NEW
from tests.service.two_logs import OFFICER
from tests.service.two_logs import begin
from tests.service.two_logs import follow
from tests.service.two_logs import found
from tests.service.two_logs import prove
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import ORIGIN
from tests.service.wallet import SHOPS
from tests.service.wallet import Wallet
from tests.service.wallet import denied

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def wallet(tmp_path: Path) -> Wallet:
    """Alice said yes and her data was shared; Bob said no."""
    wallet = Wallet(tmp_path / "wallet")
    wallet.answer("alice", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    wallet.answer("bob", CREDIT_SCORE, said=State.REFUSED)
    return wallet


@pytest.mark.requirement("R97", "R119")
def test_what_people_said_stays_in_force_and_shares_rest_on_it(wallet: Wallet) -> None:
    grant = wallet.leaves("choice")[0]
    old = follow(wallet)

    shared = wallet.share("alice", CREDIT_SCORE)

    leaf = wallet.leaves("disclosure")[-1]
    assert (leaf.id, leaf.log) == (shared.disclosure, NEW)
    assert (leaf.body["record"], leaf.body["grant"]) == (grant.id, grant.hash.hex())
    assert (leaf.seq, leaf.prev) == (0, "")
    assert denied(wallet, SHOPS) is Reason.NOT_ASKED
    wallet.answer("bob", CREDIT_SCORE)
    assert wallet.revoke("alice").leaf
    assert denied(wallet) is Reason.WITHDRAWN
    prove(wallet, old)


def test_a_form_that_was_sent_before_is_not_taken_twice(wallet: Wallet) -> None:
    form = wallet.form("carol", {CREDIT_SCORE: State.GIVEN})
    first = wallet.submit(form)
    old = follow(wallet)
    assert wallet.submit(form).id == first.id
    assert wallet.leaves("choice")[-1].id == first.id
    prove(wallet, old)


def test_a_form_that_was_shown_before_is_taken_in_the_new_log(wallet: Wallet) -> None:
    form = wallet.form("carol", {CREDIT_SCORE: State.GIVEN})
    old = follow(wallet)
    assert wallet.submit(form).log == NEW
    prove(wallet, old)


@pytest.mark.requirement("R97")
def test_receipts_of_the_closed_log_stay_with_their_proofs(wallet: Wallet) -> None:
    act, keys = wallet.leaves("choice")[0], wallet.installation.keyring.vkeys
    publish_all(wallet.installation)
    kept = find_receipt(wallet.installation, "alice", act.id)
    follow(wallet)
    wallet.clock.now += 1
    newer = wallet.answer("alice", CREDIT_SCORE)
    publish_all(wallet.installation)

    listed = list_receipts(wallet.installation, "alice")
    assert [each.leaf.id for each in listed] == [newer.id, act.id]
    again = find_receipt(wallet.installation, "alice", act.id)
    assert again
    assert again.facts == {"locale": "en"}
    for receipt in (kept, again):
        assert receipt
        assert receipt.proof
        assert verify_receipt(receipt.proof, trust=Trust.of(keys)).leaf.id == act.id
    mine = find_receipt(wallet.installation, "alice", newer.id)
    assert mine
    assert mine.proof
    assert verify_receipt(mine.proof, trust=wallet.trust).leaf.id == newer.id


@pytest.mark.requirement("R119")
def test_a_person_in_both_logs_is_erased_from_both(wallet: Wallet) -> None:
    old = follow(wallet)
    wallet.answer("alice", CREDIT_SCORE)
    handle = wallet.leaves("choice")[0].subject

    erase(wallet.installation, Erasing("alice", "request"))
    erase(wallet.installation, Erasing("bob", "request"))

    assert wallet.sql("SELECT * FROM consent_evidence WHERE handle = ?", handle) == []
    assert list_receipts(wallet.installation, "alice") == []
    prove(wallet, old)
    wallet.answer("alice", CREDIT_SCORE)  # somebody new
    prove(wallet, old)


def test_what_is_suspended_stays_so(wallet: Wallet) -> None:
    suspend(wallet.installation, *CREDIT_SCORE, by=OFFICER)
    old = follow(wallet)
    assert denied(wallet) is Reason.SUSPENDED
    resume(wallet.installation, *CREDIT_SCORE, by=OFFICER)
    wallet.share("alice", CREDIT_SCORE)
    prove(wallet, old)


def test_officials_find_what_was_taken_and_done_in_either_log(wallet: Wallet) -> None:
    notice = wallet.notice("credit-score").digest
    follow(wallet)
    wallet.share("alice", CREDIT_SCORE)
    (made,) = preview(wallet.installation, Taken(notice=notice)).shares
    assert (made.shares, made.persons) == (2, 1)
    suspend(wallet.installation, by=OFFICER)
    acts = administrative_acts(wallet.installation)
    assert [each.action for each in acts] == ["close-log", "suspend"]
    assert [each.fault for each in acts] == ["", ""]


def test_an_act_of_the_closed_log_is_corrected_in_the_new_one(wallet: Wallet) -> None:
    wrong = wallet.leaves("choice")[0]
    old = follow(wallet)
    mistake = Mistake("alice", wrong.id)
    correction = correct(wallet.installation, mistake, by=OFFICER)
    assert correction.leaf
    assert correction.leaf.log == NEW
    receipt = find_receipt(wallet.installation, "alice", wrong.id)
    assert receipt
    assert receipt.correction
    assert receipt.correction.id == correction.leaf.id
    prove(wallet, old)


def test_held_evidence_of_both_logs_is_opened(wallet: Wallet) -> None:
    old = follow(wallet)
    act = wallet.answer("alice", CREDIT_SCORE)
    day = Millis(wallet.clock.now + DAY)
    erase(wallet.installation, Erasing("alice", "request", by=OFFICER, hold_until=day))
    opened = open_hold(wallet.installation, str(act.subject), by=OFFICER)
    earlier = wallet.leaves("choice")[0].id
    assert opened == {earlier: {"locale": "en"}, act.id: {"locale": "en"}}
    prove(wallet, old)


def test_a_purge_counts_what_is_in_either_log(wallet: Wallet) -> None:
    """Alice's grant holds for a year, so her evidence stays; Bob's no is old."""
    old = follow(wallet)
    wallet.clock.now += 30 * DAY
    before = Millis(wallet.clock.now - DAY)
    purge(wallet.installation, by=OFFICER, before=before)
    kept = {row[0] for row in wallet.sql("SELECT id FROM consent_evidence")}
    assert wallet.leaves("choice")[0].id in kept
    assert wallet.leaves("choice")[1].id not in kept
    prove(wallet, old)
    wallet.share("alice", CREDIT_SCORE)


def test_a_sweep_that_the_closed_log_left_is_done_in_the_new_one(
    wallet: Wallet,
) -> None:
    erase(wallet.installation, Erasing("bob", "request"), sweeps=False)
    assert wallet.installation.erasures.residue()
    follow(wallet)
    assert wallet.installation.erasures.residue()
    assert sweep(wallet.installation)
    assert wallet.installation.erasures.residue() is None


@pytest.mark.requirement("R97")
def test_keys_of_the_new_log_change_in_their_own_folder(wallet: Wallet) -> None:
    old = follow(wallet)
    rotate_key(wallet.installation, "collector", by=OFFICER)
    rotate_key(wallet.installation, "log", by=OFFICER)
    begin(wallet)
    assert wallet.installation.keyring.collector.name == f"{NEW}/collector/a2"
    own = wallet.folder / "keys" / NEW.replace("/", "_")
    assert len(list(own.iterdir())) == 4
    wallet.share("alice", CREDIT_SCORE)
    prove(wallet, old)


def test_a_third_log_follows_the_second(wallet: Wallet) -> None:
    first = follow(wallet)
    wallet.share("alice", CREDIT_SCORE)
    second = follow(wallet, "wallet.example/consent/2026c")
    wallet.share("alice", CREDIT_SCORE)
    prove(wallet, second, first)
    (alone,) = found(wallet, second)
    assert f"{NEW!r} continues {ORIGIN!r}" in alone.what
    act = wallet.leaves("choice")[0]
    receipt = find_receipt(wallet.installation, "alice", act.id)
    assert receipt
    assert receipt.proof


# -- what else is kept of the closed log ----------------------------------------------


def test_the_closed_log_is_published_no_further(wallet: Wallet) -> None:
    old = follow(wallet)
    seen = files(old)
    mark = wallet.folder / "keys" / f"{ORIGIN.replace('/', '_')}.high-water"
    remembered = mark.read_bytes()
    wallet.answer("carol", CREDIT_SCORE)
    publish_all(wallet.installation)
    assert files(old) == seen
    assert mark.read_bytes() == remembered
    assert wallet.installation.high_water.path != mark


def test_a_high_water_file_by_name_becomes_one_for_each_log(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    places = replace(wallet.places, high_water=tmp_path / "mark")
    paths = [places.high_water_of(ORIGIN), places.high_water_of(NEW, follows=True)]
    assert [path.path.name for path in paths] == [
        "mark",
        "mark.wallet.example_consent_2026b",
    ]


def test_the_closed_log_is_exported_by_its_name(wallet: Wallet, tmp_path: Path) -> None:
    trust = wallet.trust
    follow(wallet)
    wallet.share("alice", CREDIT_SCORE)
    out = tmp_path / "old"
    done = export(wallet.installation.of_log(ORIGIN), out)
    assert done.disclosures == 1  # who closed it, and why
    assert verify_log(FolderSource(out), trust=trust).size == done.size
    publish_all(wallet.installation)
    export(wallet.installation, tmp_path / "new")
    new = FolderSource(tmp_path / "new")
    verify_log(new, trust=wallet.trust, previous=[FolderSource(out)])
    with pytest.raises(LogUnavailableError, match=f"{ORIGIN}, {NEW}"):
        wallet.installation.of_log("wallet.example/consent/2031")


def test_an_edit_by_sql_is_found_in_the_closed_log_too(wallet: Wallet) -> None:
    follow(wallet)
    wallet.sql("UPDATE consent_state SET state = 'given' WHERE subject = 'bob'")
    (line,) = differences(wallet.installation)
    assert "the leaves say refused, the state table says given" in line
    wallet.sql("UPDATE consent_subject SET seq = 1 WHERE subject = 'alice'")
    assert len(list(differences(wallet.installation))) == 2


def test_acts_are_found_in_any_log_by_an_index(wallet: Wallet) -> None:
    for statement in (_BY_CHALLENGE, _HASH_BY_ID):
        text = statement._compiled("sqlite", None)
        plan = wallet.sql(
            "EXPLAIN QUERY PLAN "
            + text.replace(":challenge", "'x'").replace(":id", "'x'")
        )
        steps = " ".join(row[3] for row in plan)
        assert "SEARCH consent_leaf USING INDEX" in steps
        assert "SCAN consent_leaf" not in steps
