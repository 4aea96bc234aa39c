"""Whatever can be declared in Python can be declared in a file: each field of each."""

from __future__ import annotations

from dataclasses import MISSING
from dataclasses import Field
from dataclasses import fields
from datetime import timedelta
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.core.declared import Declared
from consentkit.core.legal_purpose import LegalPurpose
from consentkit.core.purpose import Purpose
from consentkit.core.registry import Registry
from consentkit.core.vocabulary import AutomatedDecision
from consentkit.core.vocabulary import Controller
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import DataItem
from consentkit.core.vocabulary import Recipient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = """
locales = ["de", "en"]

[controller]
id = "wallet"
name = "Wallet Ltd"
contact = "privacy@wallet.example"
address = "1 Exchange Street"
country = "GB"
authority = "The commissioner"
rights = { de = "Fragen Sie uns.", en = "Ask us." }
website = "https://wallet.example"

[data.health]
title = "Your health"
iri = "pd:Health"
sensitive = true
special = true
phrase = "my health"

[recipients.clinic]
name = "Clinic Inc"
contact = "privacy@clinic.example"
country = "US"
relation = "public-body"
agreement = "DSA-1"
role = "joint-controller"
address = "2 Main Street"
method = "Encrypted."
safeguard = "The clauses."
rights_url = "https://clinic.example/rights"
risks = "Others may look."
active = false
hosts = ["api.clinic.example", "10.0.0.1:8443"]

[recipients.agency]
name = "Health Agency"
contact = "reports@agency.example"
country = "GB"
relation = "public-body"

[purposes.research]
title = "Find out what helps"
description = "The clinic counts who gets well."
recipients = ["clinic"]
own_use = true
valid_for = "PT12H"
retention = "P1Y"
aim = "finds out what helps"
necessity = "There is no other source."
impact = "The clinic learns what ails you."
if_refused = "Nothing changes."
method = "By a questionnaire."
operations = ["share", "analyse"]
iri = "dpv:Marketing"
opt_out_signal = false
two_stage = true
joint = true
practices = ["tracking"]
data_for = { clinic = ["health"] }

[[purposes.research.data]]
id = "health"
necessary = false
if_refused = "You are not counted."

[purposes.research.automated]
logic = "A program counts."
consequence = "None."
human = "Write to us."

[legal_purposes.notify]
title = "Report an illness"
basis = "legal-obligation"
law = "Public Health Act, s. 45"
data = ["health"]
recipients = ["agency"]
iri = "dpv:LegalCompliance"
"""

CLINIC = Recipient(
    "clinic",
    name="Clinic Inc",
    contact="privacy@clinic.example",
    country="US",
    relation="public-body",
    agreement="DSA-1",
    role="joint-controller",
    address="2 Main Street",
    method="Encrypted.",
    safeguard="The clauses.",
    rights_url="https://clinic.example/rights",
    risks="Others may look.",
    active=False,
    hosts=["api.clinic.example", "10.0.0.1:8443"],
)
HEALTH = DataCategory(
    "health",
    title="Your health",
    iri="pd:Health",
    sensitive=True,
    special=True,
    phrase="my health",
)
AGENCY = Recipient(
    "agency",
    name="Health Agency",
    contact="reports@agency.example",
    country="GB",
    relation="public-body",
)
WRITTEN = Registry(
    Controller(
        "wallet",
        name="Wallet Ltd",
        contact="privacy@wallet.example",
        address="1 Exchange Street",
        country="GB",
        authority="The commissioner",
        rights={"de": "Fragen Sie uns.", "en": "Ask us."},
        website="https://wallet.example",
    ),
    [
        Purpose(
            "research",
            title="Find out what helps",
            description="The clinic counts who gets well.",
            data=[DataItem(HEALTH, necessary=False, if_refused="You are not counted.")],
            recipients=[CLINIC],
            own_use=True,
            valid_for=timedelta(hours=12),
            retention="P1Y",
            aim="finds out what helps",
            necessity="There is no other source.",
            impact="The clinic learns what ails you.",
            if_refused="Nothing changes.",
            automated=AutomatedDecision(
                logic="A program counts.", consequence="None.", human="Write to us."
            ),
            method="By a questionnaire.",
            operations=["share", "analyse"],
            iri="dpv:Marketing",
            opt_out_signal=False,
            two_stage=True,
            joint=True,
            practices=["tracking"],
            data_for={CLINIC: [HEALTH]},
        )
    ],
    locales=("de", "en"),
    legal_purposes=[
        LegalPurpose(
            "notify",
            title="Report an illness",
            basis="legal-obligation",
            law="Public Health Act, s. 45",
            data=[HEALTH],
            recipients=[AGENCY],
            iri="dpv:LegalCompliance",
        )
    ],
)
KINDS = (
    *(Controller, DataCategory, DataItem, AutomatedDecision, Recipient, Purpose),
    LegalPurpose,
)


@pytest.fixture
def read(tmp_path: Path) -> Registry:
    file = tmp_path / "consent.toml"
    file.write_text(FILE, encoding="utf-8")
    return Registry.from_file(file)


def test_every_field_is_read_from_a_file(read: Registry) -> None:
    assert read.controller == WRITTEN.controller
    assert dict(read.purposes) == dict(WRITTEN.purposes)
    assert dict(read.legal_purposes) == dict(WRITTEN.legal_purposes)
    assert dict(read.recipients) == dict(WRITTEN.recipients)
    assert dict(read.categories) == dict(WRITTEN.categories)
    assert read.locales == WRITTEN.locales
    assert [each.definition() for each in read.all_questions()] == [
        each.definition() for each in WRITTEN.all_questions()
    ]


def test_the_file_above_leaves_nothing_as_it_is_by_default(read: Registry) -> None:
    """So a field that is added later has to be added to the file as well."""
    declared = list(_declared(read))
    assert {type(each) for each in declared} == set(KINDS)
    for kind in KINDS:
        values = [each for each in declared if type(each) is kind]
        for each in fields(kind):
            said = [getattr(value, each.name) for value in values]
            assert any(one != _default(each) for one in said), (kind, each.name)


def _declared(read: Registry) -> Iterator[Declared]:
    yield read.controller
    yield from read.categories.values()
    yield from read.recipients.values()
    yield from read.legal_purposes.values()
    for purpose in read.purposes.values():
        yield purpose
        yield from purpose.items
        if purpose.automated is not None:
            yield purpose.automated


def _default(field: Field[Any]) -> object:
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default
