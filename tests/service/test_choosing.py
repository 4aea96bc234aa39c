"""A form that was sent is one act: written once and whole, or not at all."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import State
from consentkit.core.registry import Registry
from consentkit.core.vocabulary import DataItem
from consentkit.errors import InvalidRequestError
from consentkit.service import sending
from consentkit.service.choosing import ANSWERS
from consentkit.service.choosing import Answer
from consentkit.service.choosing import Submission
from tests.declared import CITY
from tests.declared import CREDIT
from tests.declared import NIGHT_HELP
from tests.declared import OFFERS
from tests.declared import SCORE
from tests.declared import WALLET
from tests.declared import registry
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import NIGHT
from tests.service.wallet import OWN_OFFERS
from tests.service.wallet import SHOPS
from tests.service.wallet import TRANSFER
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consentkit.core.purpose import Purpose

ENGINES = ("sqlite", "postgresql")

GIVEN, REFUSED = State.GIVEN, State.REFUSED


def states(wallet: Wallet, subject: str = "alice") -> dict[tuple[str, str], State]:
    found = wallet.installation.history.statuses(subject)
    return {key: status.state for key, status in found.items()}


@pytest.mark.requirement("R31")
@pytest.mark.parametrize("keys", [(OWN_OFFERS, SHOPS), (NIGHT, TRANSFER)])
def test_what_is_stored_is_what_was_answered(
    wallet: Wallet, keys: tuple[tuple[str, str], ...]
) -> None:
    """Every combination of answers: one act, one leaf, and nothing but the answers."""
    for number, said in enumerate(itertools.product(sorted(ANSWERS), repeat=2)):
        subject = f"person-{number}"
        answers = dict(zip(keys, map(State, said), strict=True))
        leaf = wallet.submit(wallet.form(subject, answers))
        assert states(wallet, subject) == answers
        told = {
            (choice["purpose"], choice["recipient"]): choice["state"]
            for choice in leaf.body["choices"]
        }
        assert told == answers
        assert len(wallet.leaves("choice")) == number + 1


@pytest.mark.requirement("R36")
@pytest.mark.parametrize("said", sorted(ANSWERS))
def test_a_no_is_an_act_with_the_same_evidence_as_a_yes(
    wallet: Wallet, said: State
) -> None:
    leaf = wallet.answer("alice", CREDIT_SCORE, said=said)
    yes = wallet.answer("bob", CREDIT_SCORE)
    assert leaf.body.keys() == yes.body.keys()
    assert [choice["state"] for choice in leaf.body["choices"]] == [said]
    assert len(wallet.sql("SELECT 1 FROM consent_evidence")) == 2


@pytest.mark.requirement("R37")
def test_the_time_of_an_act_is_the_servers_own(wallet: Wallet) -> None:
    wallet.clock.now += 12_345
    form = wallet.form(
        "alice", {CREDIT_SCORE: GIVEN}, facts={"date": "Mon, 01 Jan 2018 00:00:00 GMT"}
    )
    assert wallet.submit(form).time == wallet.clock.now


def test_a_yes_ends_when_the_notice_said_it_would(wallet: Wallet) -> None:
    (choice,) = wallet.answer("alice", CREDIT_SCORE).body["choices"]
    assert choice["until"] == wallet.clock.now + 365 * DAY


@pytest.mark.parametrize("ticked", [frozenset(), frozenset({"city"})])
def test_optional_data_is_covered_only_if_it_was_ticked(
    wallet: Wallet, ticked: frozenset[str]
) -> None:
    form = wallet.form("alice", {CREDIT_SCORE: Answer(GIVEN, ticked)})
    (choice,) = wallet.submit(form).body["choices"]
    assert set(choice["data"]) == {"spending"} | ticked
    decision = wallet.check("alice", CREDIT_SCORE, {"spending", "city"})
    assert decision.missing == {"city"} - ticked


def test_what_was_ticked_beside_a_no_covers_nothing(wallet: Wallet) -> None:
    form = wallet.form("alice", {CREDIT_SCORE: Answer(REFUSED, frozenset({"city"}))})
    (choice,) = wallet.submit(form).body["choices"]
    assert choice["data"] == []


def refuse(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE, said=REFUSED)


def withdraw(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    wallet.revoke("alice")


def give(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)


def give_and_renew(wallet: Wallet) -> None:
    give(wallet)
    give(wallet)


def let_expire(wallet: Wallet) -> None:
    give(wallet)
    wallet.clock.now += 366 * DAY


@pytest.mark.requirement("R90")
@pytest.mark.parametrize(
    ("before", "state"),
    [
        (refuse, "given"),
        (withdraw, "given"),
        (give, "renewed"),
        (give_and_renew, "renewed"),
        (let_expire, "renewed"),
    ],
)
def test_a_yes_on_top_of_a_yes_is_a_renewal(
    wallet: Wallet, before: Callable[[Wallet], None], state: str
) -> None:
    before(wallet)
    (choice,) = wallet.answer("alice", CREDIT_SCORE).body["choices"]
    assert choice["state"] == state
    assert choice["until"] == wallet.clock.now + 365 * DAY


def test_a_question_left_open_is_noted_as_asked(wallet: Wallet) -> None:
    wallet.answer("alice", SHOPS)
    assert states(wallet) == {SHOPS: GIVEN, OWN_OFFERS: State.REQUESTED}
    assert not wallet.check("alice", OWN_OFFERS)


@pytest.mark.requirement("R23")
@pytest.mark.parametrize("stood", [GIVEN, REFUSED, State.DEFERRED])
def test_silence_changes_nothing_that_was_said_before(
    wallet: Wallet, stood: State
) -> None:
    wallet.answer("alice", OWN_OFFERS, said=stood)
    record = wallet.installation.history.statuses("alice")[OWN_OFFERS].record
    leaf = wallet.answer("alice", SHOPS)
    assert [choice["recipient"] for choice in leaf.body["choices"]] == [SHOPS[1]]
    assert states(wallet) == {OWN_OFFERS: stood, SHOPS: GIVEN}
    assert wallet.installation.history.statuses("alice")[OWN_OFFERS].record == record


@pytest.mark.requirement("R115")
@pytest.mark.parametrize("said", sorted(ANSWERS))
def test_a_form_sent_again_gives_the_first_leaf_and_adds_nothing(
    wallet: Wallet, said: State
) -> None:
    form = wallet.form("alice", {CREDIT_SCORE: said})
    first = wallet.submit(form)
    before = wallet.contents()
    wallet.clock.now += DAY
    assert wallet.submit(form) == first
    assert wallet.contents() == before


def test_a_form_sent_again_revives_nothing_that_ended_meanwhile(wallet: Wallet) -> None:
    form = wallet.form("alice", {CREDIT_SCORE: GIVEN})
    wallet.submit(form)
    wallet.revoke("alice")
    wallet.submit(form)
    assert states(wallet) == {CREDIT_SCORE: State.WITHDRAWN}


# Forms that cannot be accepted, by what is wrong with them. Each is made from a good
# one of somebody who has answered nothing yet.


def of_no_notice(_: Wallet, form: Submission) -> Submission:
    return replace(form, notice="0" * 64)


def of_another_wallets_notice(wallet: Wallet, form: Submission) -> Submission:
    other = Wallet(wallet.folder / "other")
    return replace(form, notice=other.notice("credit-score", wording="Fine?").digest)


def with_another_questions_answer(_: Wallet, form: Submission) -> Submission:
    return replace(form, answers={**form.answers, SHOPS: Answer(GIVEN)})


def with_another_recipients_answer(_: Wallet, form: Submission) -> Submission:
    return replace(form, answers={("credit-score", "corner-shops"): Answer(GIVEN)})


def with_a_star_for_the_recipient(_: Wallet, form: Submission) -> Submission:
    return replace(form, answers={("credit-score", "*"): Answer(GIVEN)})


def with_data_not_asked_for(_: Wallet, form: Submission) -> Submission:
    answer = Answer(GIVEN, frozenset({"city", "messages"}))
    return replace(form, answers={CREDIT_SCORE: answer})


def with_needed_data_as_optional(_: Wallet, form: Submission) -> Submission:
    answer = Answer(GIVEN, frozenset({"spending"}))
    return replace(form, answers={CREDIT_SCORE: answer})


REFUSED_FORMS = {
    of_no_notice: "stale-notice",
    of_another_wallets_notice: "stale-notice",
    with_another_questions_answer: "not-offered",
    with_another_recipients_answer: "not-offered",
    with_a_star_for_the_recipient: "not-offered",
    with_data_not_asked_for: "not-offered",
    with_needed_data_as_optional: "not-offered",
}


@pytest.mark.requirement("R115")
@pytest.mark.parametrize(("spoil", "code"), REFUSED_FORMS.items())
def test_a_form_that_asks_for_something_else_stores_nothing(
    wallet: Wallet, spoil: Callable[[Wallet, Submission], Submission], code: str
) -> None:
    form = spoil(wallet, wallet.form("alice", {CREDIT_SCORE: GIVEN}))
    before = wallet.contents()
    with pytest.raises(InvalidRequestError) as caught:
        wallet.submit(form)
    assert caught.value.code == code
    assert wallet.contents() == before


@pytest.mark.parametrize("state", sorted(set(State) - ANSWERS))
def test_what_is_no_answer_stores_nothing(wallet: Wallet, state: State) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    form = wallet.form("alice", {CREDIT_SCORE: state})
    before = wallet.contents()
    with pytest.raises(InvalidRequestError) as caught:
        wallet.submit(form)
    assert caught.value.code == "not-offered"
    assert wallet.contents() == before


def test_a_form_without_an_answer_stores_nothing_once_all_stand(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    form = replace(wallet.form("alice", {CREDIT_SCORE: GIVEN}), answers={})
    before = wallet.contents()
    with pytest.raises(InvalidRequestError) as caught:
        wallet.submit(form)
    assert caught.value.code == "no-answer"
    assert wallet.contents() == before


def test_a_yes_to_no_data_at_all_stores_nothing(tmp_path: Path) -> None:
    optional = DataItem(CITY, necessary=False, if_refused="Then there are no offers.")
    purposes = [SCORE, replace(OFFERS, data=[optional]), NIGHT_HELP]
    wallet = Wallet(tmp_path, declared=registry(purposes=purposes))
    form = wallet.form("alice", {SHOPS: GIVEN})
    before = wallet.contents()
    with pytest.raises(InvalidRequestError, match="none of the data"):
        wallet.submit(form)
    assert wallet.contents() == before


@pytest.mark.requirement("R115")
def test_somebody_elses_form_stores_nothing(wallet: Wallet) -> None:
    form = wallet.form("alice", {CREDIT_SCORE: GIVEN})
    wallet.submit(form)
    before = wallet.contents()
    with pytest.raises(InvalidRequestError) as caught:
        wallet.submit(replace(form, subject="mallory"))
    assert caught.value.code == "foreign-token"
    assert wallet.contents() == before


def test_a_used_form_with_another_answer_stores_nothing(wallet: Wallet) -> None:
    """Who goes back and presses the other button is not told that the first counts."""
    form = wallet.form("alice", {CREDIT_SCORE: GIVEN})
    wallet.submit(form)
    before = wallet.contents()
    others = [Answer(REFUSED), Answer(State.DEFERRED), Answer(GIVEN, frozenset("x"))]
    for other in [*others, Answer(GIVEN, frozenset({"city"}))]:
        with pytest.raises(InvalidRequestError):
            wallet.submit(replace(form, answers={CREDIT_SCORE: other}))
    assert wallet.contents() == before


@pytest.mark.requirement("R115")
def test_a_used_form_under_another_notice_stores_nothing(wallet: Wallet) -> None:
    form = wallet.form("alice", {CREDIT_SCORE: GIVEN})
    wallet.submit(form)
    others = [wallet.notice("shop-offers"), wallet.notice("credit-score", wording="2")]
    before = wallet.contents()
    for other in others:
        with pytest.raises(InvalidRequestError):
            wallet.submit(replace(form, notice=other.digest))
    assert wallet.contents() == before


CHANGED: dict[str, list[Purpose]] = {
    "longer retention": [replace(SCORE, retention="P2Y")],
    "another legal person": [
        replace(SCORE, recipients=[replace(CREDIT, name="Zenith Credit Ltd")])
    ],
    "another relation": [replace(SCORE, recipients=[replace(CREDIT, relation="own")])],
    "a question less": [OFFERS],
}


@pytest.mark.requirement("R115")
@pytest.mark.parametrize("purposes", CHANGED.values(), ids=CHANGED)
def test_a_form_whose_question_has_changed_stores_nothing(
    wallet: Wallet, purposes: list[Purpose]
) -> None:
    form = wallet.form("alice", {CREDIT_SCORE: GIVEN})
    later = Wallet(wallet.folder, declared=Registry(WALLET, purposes))
    before = wallet.contents()
    with pytest.raises(InvalidRequestError) as caught:
        later.submit(form)
    assert caught.value.code == "stale-notice"
    assert wallet.contents() == before


def test_another_wording_since_does_not_refuse_a_form(wallet: Wallet) -> None:
    form = wallet.form("alice", {CREDIT_SCORE: GIVEN})
    reworded = replace(SCORE, title="Have your score worked out")
    shorter = replace(reworded, valid_for=timedelta(days=1))
    later = Wallet(wallet.folder, declared=registry(purposes=[shorter]))
    (choice,) = later.submit(form).body["choices"]
    assert choice["until"] == wallet.clock.now + 365 * DAY  # as it was shown


@pytest.mark.requirement("R68")
@pytest.mark.sqlite
def test_an_answer_waits_for_sends_where_there_was_a_yes_and_nowhere_else(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sending, "PATIENCE", 0.05)
    waited = "had begun before a consent ended"
    with wallet.installation.sends.held("alice"):
        wallet.answer("alice", CREDIT_SCORE)
        assert waited not in caplog.text, "it could end nothing"
        wallet.answer("alice", CREDIT_SCORE, said=State.REFUSED)
    assert waited in caplog.text
