"""What counts as a change between two definitions, and what does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from consentkit.core.change import Aspect
from consentkit.core.change import Change
from consentkit.core.change import compare
from consentkit.core.registry import Question
from consentkit.core.vocabulary import DataItem
from tests.declared import CITY
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.declared import SPENDING
from tests.declared import WALLET
from tests.declared import registry


def question(
    *,
    controller: dict[str, Any] | None = None,
    recipient: dict[str, Any] | None = None,
    purpose: dict[str, Any] | None = None,
) -> Question:
    """The question about the score, with other fields."""
    party = replace(CREDIT, **(recipient or {}))
    score = replace(SCORE, **{"recipients": [party], **(purpose or {})})
    asked = registry(
        controller=replace(WALLET, **(controller or {})), purposes=[score]
    ).question("credit-score", "acme-credit")
    assert asked is not None
    return asked


NEEDED, OPTIONAL = DataItem(CITY), DataItem(CITY, necessary=False)
CHANGES: dict[str, tuple[dict[str, Any], list[Change]]] = {
    "nothing": ({}, []),
    "other words": (
        {"purpose": {"title": "Find out your score", "description": "Otherwise."}},
        [],
    ),
    "the asker's name": (
        {"controller": {"name": "Purse Ltd"}},
        [Change(Aspect.ASKER_NAME, ("Wallet Ltd",), ("Purse Ltd",))],
    ),
    "the asker's country": (
        {"controller": {"country": "IE"}, "recipient": {"country": "IE"}},
        [
            Change(Aspect.ASKER_COUNTRY, ("GB",), ("IE",)),
            Change(Aspect.RECIPIENT_COUNTRY, ("GB",), ("IE",)),
        ],
    ),
    "the recipient's name": (
        {"recipient": {"name": "Acme Two Ltd"}},
        [Change(Aspect.RECIPIENT_NAME, (CREDIT.name,), ("Acme Two Ltd",))],
    ),
    "the relation": (
        {"recipient": {"relation": "partner"}},
        [Change(Aspect.RECIPIENT_RELATION, ("affiliate",), ("partner",))],
    ),
    "the role": (
        {"recipient": {"role": "processor"}},
        [Change(Aspect.RECIPIENT_ROLE, ("controller",), ("processor",))],
    ),
    "the retention": (
        {"purpose": {"retention": "P2Y"}},
        [Change(Aspect.RETENTION, ("P1Y",), ("P2Y",))],
    ),
    "the validity": (
        {"purpose": {"valid_for": timedelta(days=30)}},
        [Change(Aspect.VALIDITY, ("31536000",), ("2592000",))],
    ),
    "no computer any more": (
        {"purpose": {"automated": None}},
        [Change(Aspect.NOT_AUTOMATED)],
    ),
    "other operations": (
        {"purpose": {"operations": ["share", "combine"]}},
        [Change(Aspect.OPERATIONS, ("share",), ("combine", "share"))],
    ),
    "fewer data": (
        {"purpose": {"data": [SPENDING]}},
        [Change(Aspect.DATA_REMOVED, before=("city",))],
    ),
    "data that is now needed": (
        {"purpose": {"data": [SPENDING, NEEDED]}},
        [Change(Aspect.DATA_NEEDED, after=("city",))],
    ),
}


@pytest.mark.requirement("R89")
@pytest.mark.parametrize("name", CHANGES)
def test_each_difference_in_substance_is_a_change(name: str) -> None:
    fields, changes = CHANGES[name]
    before, after = question().definition(), question(**fields).definition()

    assert list(compare(before, after)) == changes


@pytest.mark.requirement("R89")
def test_more_data_a_computer_and_a_choice_are_changes_too() -> None:
    less = question(purpose={"data": [SPENDING], "automated": None}).definition()
    needed = question(purpose={"data": [SPENDING, NEEDED]}).definition()

    assert list(compare(less, question().definition())) == [
        Change(Aspect.DATA_ADDED, after=("city",)),
        Change(Aspect.AUTOMATED),
    ]
    assert list(compare(needed, question().definition())) == [
        Change(Aspect.DATA_OPTIONAL, after=("city",))
    ]


@pytest.mark.requirement("R89")
def test_whatever_changes_the_scope_is_told() -> None:
    """No person is asked again without being told why."""
    before = question()
    for name, (fields, changes) in CHANGES.items():
        assert changes or question(**fields).scope == before.scope, name
