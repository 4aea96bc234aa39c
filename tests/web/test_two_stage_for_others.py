"""A yes of two stages that nobody who is here can give is not offered to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from consentkit import ConfirmationLink
from consentkit.testing import answer
from tests import declared
from tests.web.hosts import Host
from tests.web.test_representing import ASK
from tests.web.test_representing import BIRTHS
from tests.web.test_representing import KIM
from tests.web.test_representing import LEE
from tests.web.test_representing import RUTH
from tests.web.test_representing import TOM
from tests.web.test_representing import acts
from tests.web.test_representing import delegated
from tests.web.test_representing import household

TWICE = declared.registry(
    purposes=[replace(declared.SCORE, two_stage=True), declared.OFFERS]
)
YES = {"acme-credit": "given"}


def twice(folder: Path) -> tuple[Host, list[ConfirmationLink]]:
    home = household(folder, registry=TWICE)
    sent: list[ConfirmationLink] = []
    home.consent.confirmation_sender(sent.append)
    return home, sent


@pytest.mark.requirement("R33", "R80")
@pytest.mark.parametrize("actor", ["child", "parent"])
def test_a_child_and_their_parent_are_told_that_it_is_nobodys_to_agree_to(
    tmp_path: Path, actor: str
) -> None:
    home, _ = twice(tmp_path)
    client = home.client(KIM) if actor == "child" else acts(home, RUTH, "parent")

    for address in (ASK, "/"):
        page = client.get(address).text
        assert "nobody can say it for you" in page
        assert "a parent or guardian has to" not in page
        assert 'value="given"' not in page


@pytest.mark.requirement("R33", "R84")
def test_a_guardian_of_an_adult_is_told_that_it_is_the_persons(tmp_path: Path) -> None:
    home, _ = twice(tmp_path)
    page = acts(home, RUTH, "guardian", TOM, of_adult=True).get(ASK).text

    assert "Only the person can say yes to this" in page
    assert 'value="given"' not in page


@pytest.mark.requirement("R33", "R84")
def test_a_delegation_from_before_offers_no_yes_that_must_fail(tmp_path: Path) -> None:
    """When it was given, the purpose had one stage."""
    delegated(household(tmp_path), "credit-score", "shop-offers")
    home, _ = twice(tmp_path)
    lee, tom = acts(home, LEE, "delegate", TOM), home.client(TOM)

    assert "/consent/ask/shop-offers" in lee.get("/consent/").text
    assert ASK not in lee.get("/consent/").text
    assert 'value="given"' not in lee.get(ASK).text
    page = tom.get("/consent/delegations").text
    assert declared.OFFERS.title in page
    assert declared.SCORE.title not in page


@pytest.mark.requirement("R33", "R80")
def test_the_link_of_somebody_who_turns_out_too_young_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, sent = twice(tmp_path)
    tom = home.client(TOM)
    answer(tom, "credit-score", YES)
    monkeypatch.setitem(BIRTHS, TOM, date(2015, 6, 1))

    page = tom.get(sent[-1].address)

    assert page.status_code == 403
    assert "Nobody can say yes to this yet" in page.text
    assert 'value="given"' not in page.text
