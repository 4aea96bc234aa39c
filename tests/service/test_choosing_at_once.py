"""One form, sent many times at the same moment, is one act."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from consentkit.core.act import State
from tests.processes import at_once
from tests.service.contending import press
from tests.service.wallet import CREDIT_SCORE

if TYPE_CHECKING:
    from tests.service.wallet import Wallet

ENGINES = ("sqlite", "postgresql")

TIMES = 20


@pytest.mark.requirement("R46")
@pytest.mark.requirement("R115")
def test_twenty_threads_with_one_form_write_one_leaf(wallet: Wallet) -> None:
    form = wallet.form("alice", {CREDIT_SCORE: State.GIVEN})
    with ThreadPoolExecutor(TIMES) as pool:
        leaves = list(pool.map(wallet.submit, [form] * TIMES))
    assert wallet.leaves("choice") == leaves[:1]
    assert set(leaves) == set(leaves[:1])
    assert len(wallet.sql("SELECT 1 FROM consent_state")) == 1


@pytest.mark.requirement("R46")
@pytest.mark.requirement("R115")
def test_four_processes_of_five_threads_with_one_form_write_one_leaf(
    wallet: Wallet,
) -> None:
    notice = wallet.notice("credit-score").digest
    ids = at_once(press, [(wallet.folder, "c" * 64, notice, TIMES // 4)] * 4)
    (leaf,) = wallet.leaves("choice")
    assert [each for told in ids for each in told] == [leaf.id] * TIMES
    assert len(wallet.sql("SELECT 1 FROM consent_state")) == 1


@pytest.mark.requirement("R119")
def test_twenty_forms_of_one_person_make_one_chain(wallet: Wallet) -> None:
    forms = [wallet.form("alice", {CREDIT_SCORE: State.GIVEN}) for _ in range(TIMES)]
    with ThreadPoolExecutor(TIMES) as pool:
        leaves = list(pool.map(wallet.submit, forms))
    assert sorted(leaf.seq or 0 for leaf in leaves) == list(range(TIMES))
    last = max(leaves, key=lambda leaf: leaf.seq or 0)
    decision = wallet.check("alice", CREDIT_SCORE)
    assert decision.record == last.id
