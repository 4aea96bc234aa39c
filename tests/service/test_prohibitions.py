"""What the law lets nobody do to children, whoever agrees (DPDP Act s.9(3))."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from consentkit.core.age import age_rule_of
from consentkit.core.decision import Reason
from consentkit.core.purpose import Practice
from consentkit.errors import ConsentDeniedError
from consentkit.errors import InvalidRequestError
from tests.declared import SCORE
from tests.declared import registry
from tests.service.batches import hand_out
from tests.service.batches import lines
from tests.service.batches import share_many
from tests.service.families import KIM
from tests.service.families import PARENT
from tests.service.families import RUTH
from tests.service.families import Family
from tests.service.wallet import CREDIT_SCORE
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=[*Practice, "dpv:TargetedAdvertising"])
def family(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Family]:
    """An app in India, whose score is one of the practices."""
    named = request.param in set(Practice)
    said = {"practices": [request.param]} if named else {"iri": request.param}
    wallet = Wallet(tmp_path, declared=registry(purposes=[replace(SCORE, **said)]))
    family = Family(wallet)
    family.live_by(age_rule_of("IN"), "IN")
    yield family
    wallet.prove()


@pytest.mark.requirement("R85")
def test_a_guardians_yes_to_it_is_refused(family: Family) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        family.answers(PARENT)
    assert caught.value.code == "prohibited-for-minors"
    assert family.wallet.leaves("choice") == []


@pytest.mark.requirement("R85")
def test_the_gate_says_so_whatever_was_answered_before(family: Family) -> None:
    """Somebody agreed who is found to be a child: the law is not theirs to lift."""
    family.births[KIM] = date(2000, 1, 1)
    family.answers()
    assert family.wallet.check(KIM, CREDIT_SCORE)

    family.births[KIM] = date(2010, 3, 1)
    reason = Reason.PROHIBITED_FOR_MINORS
    assert family.wallet.check(KIM, CREDIT_SCORE).reason is reason
    with pytest.raises(ConsentDeniedError) as caught:
        family.wallet.share(KIM, CREDIT_SCORE)
    assert caught.value.decision.reason is reason


@pytest.mark.requirement("R74", "R85")
def test_a_batch_asks_the_app_about_each_person(family: Family) -> None:
    for subject in (KIM, RUTH):
        family.births[subject] = date(2000, 1, 1)
        family.wallet.answer(subject, CREDIT_SCORE)
    family.births[KIM] = date(2010, 3, 1)
    batch = share_many(family.wallet, [KIM, RUTH])
    assert lines(family.wallet, KIM) == [(batch.disclosure, "prohibited_for_minors")]
    assert hand_out(batch) == [RUTH]


@pytest.mark.requirement("R85")
def test_a_child_without_an_answer_hears_of_the_law_and_not_of_a_question(
    family: Family,
) -> None:
    reason = family.wallet.check(KIM, CREDIT_SCORE).reason
    assert reason is Reason.PROHIBITED_FOR_MINORS


def test_where_no_profile_forbids_it_a_guardian_can_agree(family: Family) -> None:
    family.live_by(age_rule_of("DE"), "DE")
    family.answers(PARENT)
    assert family.wallet.check(KIM, CREDIT_SCORE)


def test_what_is_no_such_practice_is_not_forbidden(wallet: Wallet) -> None:
    family = Family(wallet)
    family.live_by(age_rule_of("IN"), "IN")
    family.answers(PARENT)
    assert wallet.check(KIM, CREDIT_SCORE)


def test_a_loader_that_breaks_means_no(family: Family) -> None:
    family.births[KIM] = date(2000, 1, 1)
    family.answers()
    family.births[KIM] = "yesterday"  # type: ignore[assignment]  what a host may return
    reason = Reason.STORE_UNAVAILABLE
    assert family.wallet.check(KIM, CREDIT_SCORE).reason is reason
