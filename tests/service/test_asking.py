"""A notice is stored and logged once, before anybody can answer it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from consentkit.core.vocabulary import Controller
from consentkit.errors import DeclarationError
from consentkit.service.asking import publish_notice
from tests.declared import registry
from tests.service.wallet import CREDIT_SCORE

if TYPE_CHECKING:
    from tests.service.wallet import Wallet


def test_a_notice_is_logged_and_kept_to_the_byte(wallet: Wallet) -> None:
    notice = wallet.notice("credit-score")
    (leaf,) = wallet.leaves("notice")
    assert leaf.body["notice"] == notice.digest
    assert leaf.body["offers"] == [
        offer.to_dict() for _, offer in sorted(notice.offers.items())
    ]
    kept = wallet.installation.history.notice(notice.digest)
    assert kept
    assert (kept.manifest_bytes, kept.html) == (notice.manifest_bytes, notice.html)


def test_a_notice_that_is_shown_again_adds_nothing(wallet: Wallet) -> None:
    wallet.notice("credit-score")
    before = wallet.contents()
    wallet.notice("credit-score")
    assert wallet.contents() == before


def test_another_wording_is_another_notice(wallet: Wallet) -> None:
    wallet.notice("credit-score")
    wallet.notice("credit-score", wording="Do you agree to it?")
    assert len({leaf.body["notice"] for leaf in wallet.leaves("notice")}) == 2


def test_a_notice_shown_twenty_times_at_once_is_logged_once(wallet: Wallet) -> None:
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(wallet.notice, ["shop-offers"] * 20))
    assert len(wallet.leaves("notice")) == 1


def test_a_choice_stands_after_the_notice_that_it_answers(wallet: Wallet) -> None:
    wallet.answer("alice", CREDIT_SCORE)
    kinds = [leaf.kind.value for leaf in wallet.leaves()]
    assert kinds[-2:] == ["notice", "choice"]


@pytest.mark.requirement("R1")
def test_nothing_is_asked_while_an_element_is_missing(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = wallet.notice("credit-score")
    before = wallet.contents()
    nobody = Controller("wallet", name="", contact="", address="", country="GB")
    monkeypatch.setattr(
        type(wallet.installation.registry),
        "check_complete",
        registry(controller=nobody).check_complete,
    )
    with pytest.raises(DeclarationError):
        publish_notice(wallet.installation, notice)
    assert wallet.contents() == before
