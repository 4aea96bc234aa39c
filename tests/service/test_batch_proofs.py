"""What proves that somebody was in a batch, and what becomes of it when they go."""

from __future__ import annotations

import json
from typing import Any

import pytest

from consentkit.audit import verify_batch_entry
from consentkit.audit import verify_release
from consentkit.core.act import State
from consentkit.errors import InclusionError
from consentkit.errors import VerificationError
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.live import live
from consentkit.service.personal import personal_records
from consentkit.service.purging import purge
from consentkit.service.rebuilding import differences
from tests.service.batches import agreeing
from tests.service.batches import lines
from tests.service.batches import proof_of
from tests.service.batches import share_many
from tests.service.officials import OFFICER
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import ORIGIN
from tests.service.wallet import Wallet

ENGINES = ("sqlite", "postgresql")


@pytest.mark.requirement("R51")
@pytest.mark.requirement("R91")
def test_everybody_takes_along_a_proof_that_needs_nobody_else(wallet: Wallet) -> None:
    asked = agreeing(wallet, 300)
    batch = share_many(wallet, asked)
    wallet.verify()
    leaf = wallet.leaves("disclosure-batch")[0]
    for subject in (asked[0], asked[123], asked[299]):
        records = personal_records(wallet.installation, subject).to_dict()
        (told,) = records["batches"]
        assert (told["id"], told["handed_over"]) == (batch.disclosure, True)
        found = verify_batch_entry(json.dumps(told["proof"]), trust=wallet.trust)
        assert found.entry.subject == records["pii_principal_id"]
        assert found.entry.record == records["disclosures"][0]["record_id"]
        assert (found.leaf.data, found.index is None) == (leaf.data, False)
        neighbours = (
            personal_records(wallet.installation, who).to_dict() for who in asked[1:3]
        )
        others = {each["pii_principal_id"] for each in neighbours}
        assert not any(other in json.dumps(told["proof"]) for other in others)


@pytest.mark.sqlite
def test_a_proof_that_was_changed_does_not_hold(wallet: Wallet) -> None:
    asked = agreeing(wallet, 5)
    share_many(wallet, asked)
    promised = proof_of(wallet, asked[0])
    assert verify_batch_entry(json.dumps(promised), trust=wallet.trust).index is None
    wallet.verify()
    proof, other = proof_of(wallet, asked[0]), proof_of(wallet, asked[1])
    changes = {
        "entry": {"entry": other["entry"]},
        "place": {"place": other["place"]},
        "path": {"path": proof["path"][:-1]},
        "hash": {"path": [*proof["path"][:-1], "0" * 64]},
        "spelling": {"entry": proof["entry"].replace('":"', '": "', 1)},
        "leaf": {"leaf": proof["leaf"].replace('"count":5', '"count":6')},
        "log": {"leaf": proof["leaf"].replace("wallet", "walled")},
        "form": {"schema_version": "consentkit/batch-proof@v2"},
        "proof": {"tlog_proof": proof["tlog_proof"].replace(ORIGIN, ORIGIN[:-1] + "7")},
    }
    for name, change in changes.items():
        with pytest.raises(VerificationError):
            verify_batch_entry(json.dumps({**proof, **change}), trust=wallet.trust)
        assert name
    with pytest.raises(InclusionError):
        verify_batch_entry(
            json.dumps({**proof, "entry": other["entry"]}), trust=wallet.trust
        )


@pytest.mark.sqlite
def test_the_recipient_checks_the_batch_and_each_person(wallet: Wallet) -> None:
    asked = agreeing(wallet, 4)
    batch = share_many(wallet, asked)
    with live(batch):
        (one, *_) = batch
        whole, single = batch.proof(b"rows"), batch.proof_for(one)
    terms: Any = {
        "trust": wallet.trust,
        "recipient": "acme-credit",
        "at": wallet.clock(),
    }
    found = verify_release(whole, body=b"rows", **terms)
    assert (found.count, found.record, found.entry) == (4, "", None)
    person = verify_release(single, **terms)
    ((row,), _) = wallet.installation.history.disclosures(one, limit=2)
    assert (person.count, person.record) == (1, row.record)
    assert person.entry
    with pytest.raises(VerificationError, match="recipient"):
        verify_release(single, **{**terms, "recipient": "corner-shops"})
    with pytest.raises(VerificationError, match="held until"):
        verify_release(single, **{**terms, "at": person.until})


def test_erasing_somebody_unties_them_and_breaks_nobody_elses_proof(
    wallet: Wallet,
) -> None:
    asked = agreeing(wallet, 4)
    wallet.answer("no", CREDIT_SCORE, said=State.REFUSED)
    batch = share_many(wallet, [*asked, "no", "new"])
    for subject in (asked[3], "no", "new"):
        erase(wallet.installation, Erasing(subject, "request"))
        assert lines(wallet, subject) == []
    tables = [name for name in wallet.contents() if name.startswith("consent_batch")]
    assert len(tables) == 4
    kept = repr([wallet.contents()[name] for name in tables])
    assert not any(repr(each) in kept for each in (*asked, "no", "new"))
    wallet.verify()
    for subject in asked[:3]:
        proof = json.dumps(proof_of(wallet, subject))
        assert verify_batch_entry(proof, trust=wallet.trust).leaf.id == batch.disclosure
    assert list(differences(wallet.installation)) == []


@pytest.mark.sqlite
def test_a_purge_takes_old_batches_and_says_so(wallet: Wallet) -> None:
    asked = agreeing(wallet, 3)
    share_many(wallet, [*asked, "new"])
    wallet.clock.now += 200 * DAY
    newer = share_many(wallet, asked)
    purged = purge(wallet.installation, by=OFFICER, before=wallet.clock())
    assert purged.batches == 1
    assert [each.leaf for each in wallet.installation.batches.all()] == [
        newer.disclosure
    ]
    assert lines(wallet, "new") == []
    assert lines(wallet, asked[0]) == [(newer.disclosure, "granted")]


@pytest.mark.sqlite
def test_a_comparison_with_the_leaves_finds_what_was_changed(wallet: Wallet) -> None:
    batch = share_many(wallet, [*agreeing(wallet, 3), "new"])
    wallet.damaged = True
    changes = {
        "UPDATE consent_batch SET recipient = 'corner-shops'": "with other recipient",
        "UPDATE consent_batch_tile SET level = 9": "the tree is not that",
        "INSERT INTO consent_batch_stranger VALUES (1, 'x', 'refused')": "more people",
        "DELETE FROM consent_batch_entry": "the entries are 0",
        "DELETE FROM consent_batch": "does not list it",
    }
    for statement, expected in changes.items():
        wallet.sql(statement)
        found = list(differences(wallet.installation))
        assert any(expected in each for each in found), statement
        assert all(batch.disclosure in each for each in found)
