"""A mistake is corrected by a new act that names it; nothing written is changed."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.core.act import State
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogConflictError
from consentkit.service.administering import administrative_acts
from consentkit.service.choosing import Answer
from consentkit.service.correcting import Correction
from consentkit.service.correcting import Mistake
from consentkit.service.correcting import correct
from consentkit.service.receipts import find_receipt
from consentkit.service.receipts import list_receipts
from tests.service.officials import OFFICER
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import OWN_OFFERS
from tests.service.wallet import SHOPS

if TYPE_CHECKING:
    from consentkit.log.leaf import Leaf
    from tests.service.wallet import Wallet

YES_TO_BOTH = Answer(State.GIVEN, frozenset({"city"}))


@pytest.fixture
def wrong(wallet: Wallet) -> Leaf:
    """Alice's yes to both data; the clerk clicked for the wrong person."""
    return wallet.submit(wallet.form("alice", {CREDIT_SCORE: YES_TO_BOTH}))


def fix(wallet: Wallet, wrong: Leaf, said: Any = None) -> Correction:
    return correct(wallet.installation, Mistake("alice", wrong.id, said), by=OFFICER)


@pytest.mark.requirement("R93")
def test_a_mistake_ends_by_a_new_act_that_names_it(wallet: Wallet, wrong: Leaf) -> None:
    wallet.answer("alice", SHOPS)
    before = wallet.leaves()

    done = fix(wallet, wrong)

    after = wallet.leaves()
    assert [leaf.data for leaf in after[: len(before)]] == [
        leaf.data for leaf in before
    ]
    new, admin = after[len(before) :]
    assert (done.leaf, done.act) == (new, admin)
    assert done.corrected == (CREDIT_SCORE,)
    assert new.kind == "revocation"
    assert new.body["choices"][0]["state"] == "invalidated"
    assert (admin.body["action"], admin.body["target"]) == ("correct", wrong.id)
    assert wallet.check("alice", CREDIT_SCORE).reason == "invalidated"
    assert wallet.check("alice", SHOPS)


@pytest.mark.requirement("R93")
@pytest.mark.requirement("R102")
def test_the_pair_is_found_from_either_side(wallet: Wallet, wrong: Leaf) -> None:
    new = fix(wallet, wrong).leaf
    assert new

    (act,) = administrative_acts(wallet.installation)
    assert (act.target, act.facts) == (wrong.id, {"act": new.id})
    assert (act.person, act.reason) == (OFFICER.person, OFFICER.reason)
    mine = find_receipt(wallet.installation, "alice", new.id)
    assert mine
    assert mine.facts == {"corrects": wrong.id}


@pytest.mark.requirement("R93")
def test_the_persons_history_shows_what_was_corrected(
    wallet: Wallet, wrong: Leaf
) -> None:
    wallet.answer("alice", SHOPS)
    wallet.clock.now += DAY
    new = fix(wallet, wrong).leaf
    assert new
    corrected = {
        each.leaf.id: each.correction
        for each in list_receipts(wallet.installation, "alice")
    }
    assert len(corrected) == 3
    assert corrected.pop(wrong.id) == new
    assert set(corrected.values()) == {None}
    told = find_receipt(wallet.installation, "alice", wrong.id)
    assert told
    assert told.correction
    assert told.correction.time == new.time == wrong.time + DAY


@pytest.mark.requirement("R93")
def test_what_she_wrote_on_paper_was_a_no(wallet: Wallet, wrong: Leaf) -> None:
    done = fix(wallet, wrong, {CREDIT_SCORE: ()})
    assert done.leaf
    assert (done.leaf.kind, done.leaf.body["assurance"]) == ("import", "asserted")
    assert wallet.check("alice", CREDIT_SCORE).reason == "refused"


@pytest.mark.requirement("R93")
def test_what_she_wrote_on_paper_covers_less(wallet: Wallet, wrong: Leaf) -> None:
    """And nobody saw her say it: by default that alone shares nothing any more."""
    before = wallet.installation.history.statuses("alice")[CREDIT_SCORE]
    fix(wallet, wrong, {CREDIT_SCORE: {"spending"}})
    after = wallet.installation.history.statuses("alice")[CREDIT_SCORE]
    assert after.data == {"spending"}
    assert (after.until, after.scope) == (before.until, before.scope)
    assert after.assurance == "asserted"
    assert not wallet.check("alice", CREDIT_SCORE)


WIDER: dict[str, Any] = {
    "the same": {"spending", "city"},
    "more": {"spending", "city", "messages"},
    "others": {"messages"},
}


@pytest.mark.requirement("R93")
@pytest.mark.parametrize("data", WIDER.values(), ids=WIDER)
def test_a_correction_never_widens(wallet: Wallet, wrong: Leaf, data: Any) -> None:
    before = wallet.contents()
    with pytest.raises(InvalidRequestError, match="never widens") as caught:
        fix(wallet, wrong, {CREDIT_SCORE: data})
    assert caught.value.code == "widens"
    assert wallet.contents() == before


@pytest.mark.requirement("R58")
@pytest.mark.parametrize("said", [State.REFUSED, State.DEFERRED])
def test_a_no_is_not_corrected_into_a_yes(wallet: Wallet, said: State) -> None:
    no = wallet.answer("alice", CREDIT_SCORE, said=said)
    before = wallet.contents()
    with pytest.raises(InvalidRequestError, match="never widens"):
        fix(wallet, no, {CREDIT_SCORE: {"spending"}})
    assert fix(wallet, no) == Correction(None, None)
    assert wallet.contents() == before


def test_a_yes_that_ran_out_is_not_prolonged(wallet: Wallet, wrong: Leaf) -> None:
    wallet.clock.now += 400 * DAY
    with pytest.raises(InvalidRequestError, match="never widens"):
        fix(wallet, wrong, {CREDIT_SCORE: {"spending"}})
    assert fix(wallet, wrong).corrected == (CREDIT_SCORE,)


def test_an_open_question_can_turn_out_to_be_a_no(wallet: Wallet) -> None:
    later = wallet.answer("alice", CREDIT_SCORE, said=State.DEFERRED)
    assert fix(wallet, later, {CREDIT_SCORE: ()}).corrected == (CREDIT_SCORE,)
    assert wallet.check("alice", CREDIT_SCORE).reason == "refused"


@pytest.mark.requirement("R93")
def test_what_newer_acts_said_stays(wallet: Wallet) -> None:
    both = wallet.answer("alice", SHOPS, OWN_OFFERS)
    wallet.answer("alice", OWN_OFFERS)
    assert fix(wallet, both).corrected == (SHOPS,)
    assert wallet.check("alice", OWN_OFFERS)
    before = wallet.contents()
    for said in (None, {SHOPS: ()}, {OWN_OFFERS: ()}):
        assert fix(wallet, both, said) == Correction(None, None)
    assert wallet.contents() == before


def test_only_the_questions_that_are_named_are_restated(wallet: Wallet) -> None:
    both = wallet.answer("alice", SHOPS, OWN_OFFERS)
    fix(wallet, both, {SHOPS: ()})
    assert wallet.check("alice", OWN_OFFERS)
    assert not wallet.check("alice", SHOPS)


@pytest.mark.parametrize("said", [{}, {SHOPS: ()}], ids=["none", "another"])
def test_a_question_that_the_act_does_not_answer_is_refused(
    wallet: Wallet, wrong: Leaf, said: Any
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        fix(wallet, wrong, said)
    assert caught.value.code == "unknown-question"


def test_nobody_elses_act_is_corrected(wallet: Wallet, wrong: Leaf) -> None:
    wallet.answer("bob", CREDIT_SCORE)
    wallet.share("alice", CREDIT_SCORE)
    (disclosure,) = wallet.leaves("disclosure")
    before = wallet.contents()
    for subject, act in (
        ("bob", wrong.id),
        ("never-seen", wrong.id),
        ("alice", "0" * 32),
        ("alice", disclosure.id),
    ):
        with pytest.raises(InvalidRequestError) as caught:
            correct(wallet.installation, Mistake(subject, act), by=OFFICER)
        assert caught.value.code == "unknown-act"
    assert wallet.contents() == before


@pytest.mark.parametrize(
    "event",
    ["INSERT ON consent_leaf WHEN NEW.kind = 'admin'", "INSERT ON consent_state"],
)
def test_both_leaves_are_written_or_none(
    wallet: Wallet, wrong: Leaf, event: str
) -> None:
    before = wallet.contents()
    wallet.break_writes(event)
    with pytest.raises(LogConflictError):
        fix(wallet, wrong)
    assert wallet.contents() == before
    wallet.mend_writes()


@pytest.mark.requirement("R93")
def test_the_wrong_leaf_itself_cannot_be_changed(wallet: Wallet, wrong: Leaf) -> None:
    fix(wallet, wrong)
    for statement in (
        "UPDATE consent_leaf SET bytes = x'00' WHERE id = ?",
        "DELETE FROM consent_leaf WHERE id = ?",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            wallet.sql(statement, wrong.id)
