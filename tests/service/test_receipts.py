"""The copy that a person keeps: anybody can verify it, and nobody else can fetch it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from consentkit.audit.receipt import verify_receipt
from consentkit.core import canonical
from consentkit.core.act import State
from consentkit.errors import InclusionError
from consentkit.errors import InvalidSignatureError
from consentkit.errors import VerificationError
from consentkit.log.sealing import commit
from consentkit.log.sealing import parse_disclosure
from consentkit.service.publishing import publish_all
from consentkit.service.receipts import find_receipt
from consentkit.service.receipts import list_receipts
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import NIGHT
from tests.service.wallet import SHOPS
from tests.service.wallet import TRANSFER
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from consentkit.log.leaf import Leaf
    from consentkit.service.receipts import Receipt

FACTS = {"agent": "Firefox", "locale": "en", "page": "/bill"}


def answer(
    wallet: Wallet, subject: str = "alice", said: State = State.GIVEN, **facts: str
) -> Leaf:
    form = wallet.form(subject, {CREDIT_SCORE: said}, facts=facts or FACTS)
    return wallet.submit(form)


def receipt(wallet: Wallet, leaf: Leaf, subject: str = "alice") -> Receipt:
    found = find_receipt(wallet.installation, subject, leaf.id)
    assert found
    return found


def test_before_the_publisher_was_there_the_signed_leaf_is_the_promise(
    wallet: Wallet,
) -> None:
    leaf = answer(wallet)
    found = receipt(wallet, leaf)
    assert found.leaf == leaf
    assert (found.index, found.proof) == (None, None)
    assert found.to_dict()["tlog_proof"] is None


@pytest.mark.requirement("R47")
@pytest.mark.requirement("R48")
@pytest.mark.parametrize("said", ["given", "refused", "deferred", "withdrawn"])
def test_every_decision_has_a_receipt_that_verifies_offline(
    wallet: Wallet, said: str
) -> None:
    leaf = answer(wallet, said=State.GIVEN if said == "withdrawn" else State(said))
    if said == "withdrawn":
        ended = wallet.revoke("alice").leaf
        assert ended
        leaf = ended
    publish_all(wallet.installation)
    found = receipt(wallet, leaf)
    assert found.proof
    disclosures = canonical.encode({"disclosures": list(found.disclosures)})
    verified = verify_receipt(found.proof, trust=wallet.trust, disclosures=disclosures)
    assert verified.leaf == leaf
    assert verified.index == found.index
    assert verified.collector == wallet.installation.keyring.collector.name
    assert verified.evidence == ({} if said == "withdrawn" else FACTS)
    assert [each["state"] for each in verified.leaf.body["choices"]] == [said]


def test_every_receipt_stays_good_while_the_log_grows(wallet: Wallet) -> None:
    leaves, proofs = [], []
    for number in range(12):
        leaves.append(answer(wallet, f"person-{number % 3}"))
        publish_all(wallet.installation)
        proofs.append(receipt(wallet, leaves[-1], f"person-{number % 3}").proof)
    for number, leaf in enumerate(leaves):
        late = receipt(wallet, leaf, f"person-{number % 3}").proof
        for proof in (proofs[number], late):
            assert proof
            assert verify_receipt(proof, trust=wallet.trust).leaf == leaf


def test_the_disclosures_are_what_the_leaf_commits_to(wallet: Wallet) -> None:
    leaf = answer(wallet)
    found = [parse_disclosure(each) for each in receipt(wallet, leaf).disclosures]
    assert {each.name: each.value for each in found} == FACTS
    assert commit(found) == leaf.body["evidence"]


def test_one_fact_can_be_shown_without_the_others(wallet: Wallet) -> None:
    leaf = answer(wallet)
    publish_all(wallet.installation)
    found = receipt(wallet, leaf)
    assert found.proof
    facts = [parse_disclosure(each) for each in found.disclosures]
    shown = {
        "disclosures": [each.encoded for each in facts if each.name == "locale"],
        "withheld": [each.digest for each in facts if each.name != "locale"],
    }
    verified = verify_receipt(
        found.proof, trust=wallet.trust, disclosures=canonical.encode(shown)
    )
    assert verified.evidence == {"locale": "en"}


def test_one_persons_facts_do_not_pass_for_another_ones(wallet: Wallet) -> None:
    mine, other = answer(wallet), answer(wallet, "bob", agent="Lynx")
    publish_all(wallet.installation)
    proof = receipt(wallet, mine).proof
    assert proof
    theirs = receipt(wallet, other, "bob").disclosures
    with pytest.raises(InclusionError):
        verify_receipt(
            proof,
            trust=wallet.trust,
            disclosures=canonical.encode({"disclosures": list(theirs)}),
        )


@pytest.mark.requirement("R51")
def test_somebody_elses_receipt_is_as_absent_as_none(wallet: Wallet) -> None:
    leaf = answer(wallet)
    answer(wallet, "bob")
    release = wallet.share("alice", CREDIT_SCORE)
    for subject in ("bob", "never-seen", "", "ALICE"):
        assert find_receipt(wallet.installation, subject, leaf.id) is None
    for other in ("", "0" * 32, leaf.id.upper(), leaf.id[:-1] + "%", "*"):
        assert find_receipt(wallet.installation, "alice", other) is None
    # a line of the ledger is nobody's act
    assert find_receipt(wallet.installation, "alice", release.disclosure) is None
    genesis = wallet.leaves("genesis")[0]
    assert find_receipt(wallet.installation, "alice", genesis.id) is None


@pytest.mark.requirement("R51")
def test_all_acts_of_a_person_are_listed_newest_first(wallet: Wallet) -> None:
    leaves = [answer(wallet), answer(wallet, said=State.REFUSED), answer(wallet)]
    answer(wallet, "bob")
    wallet.share("alice", CREDIT_SCORE)
    ended = wallet.revoke("alice").leaf
    found = list_receipts(wallet.installation, "alice")
    assert [each.leaf for each in found] == [ended, *reversed(leaves)]
    assert list_receipts(wallet.installation, "never-seen") == []


@pytest.mark.requirement("R47")
def test_the_readable_form_has_the_record_and_what_was_shown(wallet: Wallet) -> None:
    leaf = wallet.answer("alice", NIGHT, TRANSFER)
    publish_all(wallet.installation)
    found = receipt(wallet, leaf)
    assert found.notice
    assert found.notice.digest == leaf.body["notice"]
    told = json.loads(json.dumps(found.to_dict()))
    assert told["receipt_id"] == leaf.id
    assert told["leaf"].encode() == leaf.data
    assert told["index"] == found.index
    assert told["record"] == json.loads(json.dumps(found.record.to_dict()))
    assert "alice" not in json.dumps(told)


def test_evidence_that_was_moved_to_another_act_does_not_open(wallet: Wallet) -> None:
    wallet.damaged = True
    one, other = answer(wallet), answer(wallet, agent="Lynx")
    rows = wallet.sql("SELECT id, sealed FROM consent_evidence")
    assert {row[0] for row in rows} == {one.id, other.id}
    sealed = dict(rows)
    for target, source in ((one, other), (other, one)):
        wallet.sql(
            "UPDATE consent_evidence SET sealed = ? WHERE id = ?",
            sealed[source.id],
            target.id,
        )
        with pytest.raises(InvalidSignatureError):
            find_receipt(wallet.installation, "alice", target.id)


def test_evidence_of_another_person_is_not_found_under_ones_own_act(
    wallet: Wallet,
) -> None:
    wallet.damaged = True
    leaf = answer(wallet)
    other = answer(wallet, "bob")
    wallet.sql("UPDATE consent_evidence SET handle = ?", other.subject)
    assert receipt(wallet, leaf).disclosures == ()


CHANGES = {
    "a byte more": (
        "UPDATE consent_leaf SET bytes = CAST(bytes || ' ' AS BLOB) "
        "WHERE kind = 'choice'"
    ),
    "text": (
        "UPDATE consent_leaf SET bytes = CAST(bytes AS TEXT) WHERE kind = 'choice'"
    ),
    "a number": "UPDATE consent_leaf SET bytes = 10000000000 WHERE kind = 'choice'",
    "another text of the notice": "UPDATE consent_notice SET html = x'00'",
    "evidence that is no bytes": "UPDATE consent_evidence SET sealed = 7",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_changed_in_the_database_is_no_receipt(
    wallet: Wallet, change: str
) -> None:
    wallet.damaged = True
    leaf = answer(wallet)
    wallet.unguard("update")
    wallet.sql(change)
    later = Wallet(wallet.folder)  # one that keeps nothing in memory
    with pytest.raises(VerificationError):
        find_receipt(later.installation, "alice", leaf.id)


def test_a_receipt_can_be_had_while_another_question_is_answered(
    wallet: Wallet,
) -> None:
    """Proofs are made from tiles that grow: an older size must read the same."""
    leaf = answer(wallet)
    publish_all(wallet.installation)
    size, _ = wallet.installation.publications.latest() or (0, b"")
    path = f"tile/0/000.p/{size}"
    before = wallet.installation.publications.read(path)
    wallet.answer("bob", SHOPS)
    publish_all(wallet.installation)
    assert wallet.installation.publications.read(path) == before
    assert receipt(wallet, leaf).proof
