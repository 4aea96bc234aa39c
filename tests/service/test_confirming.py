"""Two stages in the log: what an auditor sees, and what a link can and cannot do."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import Assurance
from consentkit.core.act import State
from consentkit.core.age import age_rule_of
from consentkit.errors import InvalidRequestError
from consentkit.errors import MalformedError
from consentkit.service.ages import Ages
from consentkit.service.awaiting import AWAITS
from consentkit.service.awaiting import Awaited
from consentkit.service.awaiting import awaited_of
from consentkit.service.awaiting import awaiting
from consentkit.service.choosing import Answer
from consentkit.service.choosing import Chosen
from consentkit.service.choosing import choose
from consentkit.service.confirming import confirm
from consentkit.service.confirming import send_again
from consentkit.service.receipts import find_receipt
from tests.declared import PURPOSES
from tests.declared import registry
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import DAY
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consentkit.log.leaf import Leaf

MINUTE = 60_000
YES = Answer(State.GIVEN, frozenset({"city"}))


@pytest.fixture
def wallet(tmp_path: Path) -> Iterator[Wallet]:
    """One that asks for every yes twice; its log is proven after each test."""
    twice = [replace(each, two_stage=True) for each in PURPOSES]
    wallet = Wallet(tmp_path, declared=registry(purposes=twice))
    yield wallet
    if not wallet.damaged:
        wallet.prove()


def first(wallet: Wallet, said: Answer = YES) -> Chosen:
    return choose(wallet.installation, wallet.form("alice", {CREDIT_SCORE: said}))


def second(
    wallet: Wallet, chosen: Chosen, said: State = State.GIVEN, *, link: str = ""
) -> Leaf:
    """Press on the page of the link; each ``link`` is one that can be used once."""
    form = wallet.form(
        "alice",
        {CREDIT_SCORE: said},
        notice=chosen.notice,
        challenge=link or secrets.token_hex(32),
    )
    return confirm(wallet.installation, form, chosen.awaited)


def status(wallet: Wallet) -> tuple[State, frozenset[str], Assurance]:
    found = wallet.installation.history.statuses("alice")[CREDIT_SCORE]
    return found.state, found.data, found.assurance


@pytest.mark.requirement("R33")
def test_an_auditor_sees_two_acts_and_how_far_each_is_proven(wallet: Wallet) -> None:
    chosen = first(wallet)
    second(wallet, chosen)
    asked, given = wallet.leaves("choice")

    assert asked.body["choices"][0]["state"] == "requested"
    assert asked.body["choices"][0]["data"] == []
    assert given.body["choices"][0]["data"] == ["city", "spending"]
    assert (asked.body["assurance"], given.body["assurance"]) == (
        *("session", "confirmed"),
    )
    assert wallet.verify().assurances == {"session": 1, "confirmed": 1}
    receipt = find_receipt(wallet.installation, "alice", given.id)
    assert receipt
    assert receipt.facts["confirmed_by"] == "link"
    assert receipt.facts["confirms"] == [asked.id]


@pytest.mark.requirement("R33")
def test_what_was_said_yes_to_stands_sealed_and_in_no_leaf(wallet: Wallet) -> None:
    chosen = first(wallet)
    receipt = find_receipt(wallet.installation, "alice", chosen.leaf.id)
    assert receipt

    assert b"city" not in chosen.leaf.data
    assert AWAITS in receipt.facts
    (said,) = awaited_of(receipt.facts, chosen.leaf.id)
    assert said.data == ("city", "spending")


@pytest.mark.requirement("R33")
def test_one_link_is_one_act_and_the_same_press_gives_it_back(wallet: Wallet) -> None:
    chosen, link = first(wallet), "c" * 64
    leaf = second(wallet, chosen, link=link)

    assert second(wallet, chosen, link=link).id == leaf.id
    with pytest.raises(InvalidRequestError) as used:
        second(wallet, chosen, State.REFUSED, link=link)
    assert used.value.code == "link-used"
    with pytest.raises(InvalidRequestError) as void:
        second(wallet, chosen)  # another link for the same act
    assert void.value.code == "link-void"
    assert len(wallet.leaves("choice")) == 2


@pytest.mark.requirement("R33")
def test_a_yes_that_stands_is_left_alone_by_the_first_stage(wallet: Wallet) -> None:
    leaf = second(wallet, first(wallet))
    before = status(wallet)
    wallet.clock.now += 30 * DAY

    chosen = first(wallet, Answer(State.GIVEN))

    assert chosen.leaf.id == leaf.id
    assert [each.rests_on for each in chosen.awaited] == [leaf.id]
    assert len(wallet.leaves("choice")) == 2
    assert status(wallet) == before
    second(wallet, chosen)
    assert status(wallet) == (
        State.RENEWED,
        frozenset({"spending"}),
        Assurance.CONFIRMED,
    )


@pytest.mark.requirement("R33", "R80")
def test_the_second_stage_asks_anew_whether_the_yes_is_theirs(wallet: Wallet) -> None:
    """In the week between the two the app has learned how old the person is."""
    chosen, asked_again = first(wallet), wallet.form("alice", {CREDIT_SCORE: YES})
    births = {"alice": date(2015, 6, 1)}
    ages = Ages(age_rule_of("DE"), birthdays=lambda: births.get)
    wallet.installation = replace(wallet.installation, ages=ages)
    wallet.clock.now += 2 * MINUTE

    for attempt in (
        lambda: second(wallet, chosen),
        lambda: send_again(wallet.installation, asked_again, chosen.leaf.id),
    ):
        with pytest.raises(InvalidRequestError) as refused:
            attempt()
        assert refused.value.code == "not-before-of-age"
    assert status(wallet)[0] is State.REQUESTED
    assert second(wallet, chosen, State.REFUSED)  # a no is theirs at any age


@pytest.mark.requirement("R57", "R59")
def test_what_a_second_stage_takes_back_is_told(wallet: Wallet) -> None:
    second(wallet, first(wallet))
    wallet.share("alice", CREDIT_SCORE, {"city", "spending"})
    second(wallet, first(wallet, Answer(State.GIVEN)))  # without the city
    second(wallet, first(wallet), State.REFUSED)

    told = wallet.sql(
        "SELECT event FROM consent_delivery WHERE recipient = 'acme-credit' "
        "ORDER BY event"
    )
    assert told == [("consent.ended",), ("consent.narrowed",)]


def test_another_link_is_an_act_and_those_before_stay_good(wallet: Wallet) -> None:
    chosen = first(wallet)
    wallet.clock.now += MINUTE
    form = wallet.form("alice", {CREDIT_SCORE: YES})
    again = send_again(wallet.installation, replace(form, answers={}), chosen.leaf.id)

    assert again.leaf.id != chosen.leaf.id
    assert again.awaited == chosen.awaited
    second(wallet, chosen)
    assert status(wallet)[0] is State.GIVEN
    with pytest.raises(InvalidRequestError):
        second(wallet, again)


def test_a_link_holds_what_was_said_where_the_evidence_does_not_open(
    wallet: Wallet,
) -> None:
    """It names the act, and the act still stands; only another link cannot be made."""
    chosen = first(wallet)
    wallet.damaged = True
    wallet.sql("UPDATE consent_evidence SET sealed = x'00'")

    standing = wallet.installation.history.statuses("alice")
    assert awaiting(wallet.installation, "alice", standing) == {}
    wallet.clock.now += MINUTE
    form = replace(wallet.form("alice", {CREDIT_SCORE: YES}), answers={})
    with pytest.raises(InvalidRequestError) as void:
        send_again(wallet.installation, form, chosen.leaf.id)
    assert void.value.code == "link-void"
    second(wallet, chosen)
    assert status(wallet)[1] == {"city", "spending"}


MALFORMED: dict[str, object] = {
    "no mapping": [],
    "no data": {
        "purpose": "p",
        "recipient": "r",
        "rests_on": "",
        "renews": False,
        "data": [],
    },
    "a number for data": {
        "purpose": "p",
        "recipient": "r",
        "rests_on": "",
        "renews": False,
        "data": [1],
    },
    "a word for a flag": {
        "purpose": "p",
        "recipient": "r",
        "rests_on": "",
        "renews": "no",
        "data": ["d"],
    },
    "a field missing": {"purpose": "p", "recipient": "r", "data": ["d"]},
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_awaited_yes_is_refused(value: object) -> None:
    with pytest.raises(MalformedError):
        Awaited.from_dict(value)
