"""An administrative act is a leaf; who did it is sealed, and told to auditors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consentkit.core import canonical
from consentkit.errors import InvalidRequestError
from consentkit.errors import MalformedError
from consentkit.log import sealing
from consentkit.service.administering import CONTROLLER_HANDLE
from consentkit.service.administering import Official
from consentkit.service.administering import record_admin_act

if TYPE_CHECKING:
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from tests.service.wallet import Wallet

OFFICER = Official("dpo@wallet.example", "the box was ticked", "Wallet Ltd")


def act(installation: Installation, target: str = "a" * 64) -> Leaf:
    with installation.ledger.write() as transaction:
        return record_admin_act(
            installation,
            transaction,
            action="invalidate",
            target=target,
            by=OFFICER,
            now=installation.clock(),
        )


@pytest.mark.requirement("R102")
def test_the_acting_person_is_committed_to_and_not_named_in_the_leaf(
    wallet: Wallet,
) -> None:
    installation = wallet.installation
    leaf = act(installation)

    sealed = installation.history.evidence(leaf.id, CONTROLLER_HANDLE)
    assert sealed is not None
    opened = sealing.unseal(
        installation.keyring.controller_key,
        sealed,
        sealing.evidence_context(installation.origin, leaf.id),
    )
    told = [sealing.parse_disclosure(each) for each in canonical.decode(opened)]
    assert {each.name: each.value for each in told} == {
        "affiliation": "Wallet Ltd",
        "person": "dpo@wallet.example",
        "reason": "the box was ticked",
    }
    assert sealing.commit(told) == leaf.body["evidence"]
    assert b"dpo@" not in leaf.data
    assert b"dpo@" not in sealed


@pytest.mark.parametrize(("person", "reason"), [("", "why"), ("who", " ")])
def test_nobody_acts_without_a_name_and_a_reason(person: str, reason: str) -> None:
    with pytest.raises(InvalidRequestError, match="behind an administrative act"):
        Official(person, reason)


def test_a_text_without_end_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="at most 1000 characters"):
        Official("who", "x" * 1_001)


def test_a_target_that_is_no_token_leaves_nothing_behind(
    wallet: Wallet,
) -> None:
    installation = wallet.installation
    before = len(list(installation.history.all_leaves()))
    with pytest.raises(MalformedError):
        act(installation, target="a person's name")
    assert len(list(installation.history.all_leaves())) == before
