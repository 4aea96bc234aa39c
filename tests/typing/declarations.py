"""Type-checked, never run: what a developer writes to declare and to ask the gate."""

from __future__ import annotations

from datetime import datetime
from datetime import timedelta
from typing import assert_type

from consentkit import Controller
from consentkit import DataCategory
from consentkit import DataItem
from consentkit import Decision
from consentkit import Purpose
from consentkit import Reason
from consentkit import Recipient
from consentkit import Registry
from consentkit import include_name

SPENDING = DataCategory(
    "spending",
    title={"en": "Your spending history", "de": "Ihre Ausgaben"},
    iri="pd:PurchasesAndSpendingHabit",
    sensitive=True,
)
CITY = DataCategory("city", title="The city you live in")
WALLET = Controller(
    "wallet",
    name="Wallet Ltd",
    contact="privacy@wallet.example",
    address="1 High Street, London",
    country="GB",
)
CREDIT = Recipient(
    "acme-credit",
    name="Acme Credit Scoring Ltd",
    contact="privacy@acme.example",
    country="GB",
    relation="affiliate",
    agreement="DSA-2026-04",
)
SCORE = Purpose(
    "credit-score",
    title="Work out your credit score",
    description="Acme works out a score from what you spent.",
    data=[SPENDING, DataItem(CITY, necessary=False)],
    recipients=[CREDIT],
    valid_for=timedelta(days=365),
    retention="P1Y",
    data_for={CREDIT: [SPENDING, "city"]},
)


def a_registry_takes_purposes_or_a_file(path: str) -> None:
    """Both ways lead to the same type."""
    assert_type(Registry(WALLET, [SCORE], locales=("en", "de")), Registry)
    assert_type(Registry.from_file(path), Registry)


def nothing_can_be_declared_as_agreed() -> None:
    """No keyword turns a choice on; the ignored error is the point."""
    Purpose(
        "newsletter",
        title="Send you news",
        description="One letter a month.",
        data=[CITY],
        checked=True,  # type: ignore[call-arg]  # must stay an error
    )


def a_decision_says_why_and_until_when(decision: Decision) -> None:
    """A decision is asked for its truth, its reason and its end."""
    assert_type(bool(decision), bool)
    assert_type(decision.reason, Reason)
    assert_type(decision.until, datetime | None)
    assert_type(decision.data, frozenset[str])


def a_hosts_own_migrations_leave_our_tables_alone() -> None:
    """It fits Alembic's ``include_name``."""
    assert_type(include_name("orders", "table", {"schema_name": None}), bool)
