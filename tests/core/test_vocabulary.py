"""What can be declared: one named party at a time, of a form that leaves no doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from consentkit.core.purpose import Purpose
from consentkit.core.vocabulary import AutomatedDecision
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import DataItem
from consentkit.core.vocabulary import Recipient
from consentkit.errors import DeclarationError
from tests.declared import ABROAD
from tests.declared import CITY
from tests.declared import CREDIT
from tests.declared import OFFERS
from tests.declared import SCORE
from tests.declared import SHOP
from tests.declared import SPENDING
from tests.declared import WALLET

CLASSES_OF_RECIPIENTS = [
    "partners",
    "Partner",
    "our partners",
    "Selected Trusted Partners",
    "third parties",
    "third-party providers",
    "affiliates",
    "our affiliated companies",
    "group companies",
    "companies of our group",
    "advertisers",
    "business partners and affiliates",
    "partners, suppliers and other third parties",
    "marketing partners / advertisers",
    "certain service providers",
    " subsidiaries ",
]


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("name", CLASSES_OF_RECIPIENTS)
def test_a_class_of_recipients_cannot_take_the_place_of_a_name(name: str) -> None:
    with pytest.raises(DeclarationError, match="not a class of recipients"):
        replace(SHOP, name=name)


@pytest.mark.parametrize(
    "name",
    [
        "Partners Group Holding AG",
        "Third Party Logistics Ltd",
        "Affiliates United plc",
        "The Companies House",
        "Northern Suppliers Ltd and Sons",
    ],
)
def test_a_legal_name_may_hold_such_a_word(name: str) -> None:
    assert replace(SHOP, name=name).name == name


@pytest.mark.requirement("R3")
@pytest.mark.parametrize("recipient", ["partners", "acme-credit", "*", None, CITY])
def test_a_purpose_takes_recipients_and_no_names_of_them(recipient: Any) -> None:
    with pytest.raises(DeclarationError, match="each one named party; got"):
        replace(SCORE, recipients=[recipient])


@pytest.mark.requirement("R16")
@pytest.mark.parametrize("name", ["checked", "default", "preselected", "enabled"])
def test_no_declaration_has_a_word_for_a_choice_that_is_already_on(name: str) -> None:
    declared: list[tuple[Callable[..., object], Any]] = [
        (DataItem, CITY),
        (DataCategory, "city"),
        (Purpose, "score"),
        (Recipient, "shop"),
    ]
    for kind, first in declared:
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
            kind(first, **{name: True})


def test_the_controllers_own_id_is_not_to_be_had() -> None:
    with pytest.raises(DeclarationError, match="say own_use=True instead"):
        replace(SCORE, recipients=[replace(SHOP, id="controller")])


BAD_RECIPIENTS: dict[str, tuple[dict[str, Any], str]] = {
    "relation not on the list": (
        {"relation": "friend"},
        "must be one of own, affiliate, partner, supplier, public-body; got 'friend'",
    ),
    "role not on the list": ({"role": "third party"}, "role must be one of controller"),
    "name that is no text": ({"name": 5}, "name must be text, got int"),
    "name with a newline sign": ({"name": "Acme\r\nLtd"}, "name must be at most 4000"),
    "country by name": ({"country": "Wales"}, "two capital letters"),
    "agreement that is no text": ({"agreement": None}, "agreement must be text"),
    "risks without text": ({"risks": {}}, "risks must be text or a mapping"),
    "one host instead of a list": ({"hosts": "a.example"}, "hosts must be a list"),
    "host with a scheme": ({"hosts": ["https://a.example"]}, "got 'https://a.example'"),
    "host in capitals": ({"hosts": ["A.example"]}, "lower-case host names"),
    "host that is no text": ({"hosts": [5]}, "lower-case host names"),
}


@pytest.mark.parametrize("name", BAD_RECIPIENTS)
def test_a_recipient_of_another_form_is_refused(name: str) -> None:
    fields, message = BAD_RECIPIENTS[name]

    with pytest.raises(DeclarationError) as caught:
        replace(CREDIT, **fields)

    assert str(caught.value).startswith("recipient 'acme-credit': ")
    assert message in str(caught.value)


BAD_PURPOSES: dict[str, tuple[dict[str, Any], str]] = {
    "data by name": ({"data": ["spending"]}, "data must list DataCategory or DataItem"),
    "data that is one text": ({"data": "spending"}, "data must be a list, got str"),
    "data twice": ({"data": [CITY, DataItem(CITY)]}, "data category city is listed tw"),
    "recipients that are one text": (
        {"recipients": "partners"},
        "recipients must be a list, got str",
    ),
    "one recipient outside a list": (
        {"recipients": SHOP},
        "recipients must be a list, got Recipient",
    ),
    "recipient twice": ({"recipients": [SHOP, SHOP]}, "corner-shops is listed twice"),
    "operations that are one text": (
        {"operations": "share"},
        "operations must be a list, got str",
    ),
    "retention in words": ({"retention": "a year"}, "ISO 8601 duration such as 'P1Y'"),
    "retention for ever": ({"retention": "P"}, "retention must be"),
    "retention in hours": ({"retention": "PT1H"}, "retention must be"),
    "retention that is no text": ({"retention": 365}, "retention must be text"),
    "validity of nothing": ({"valid_for": timedelta(0)}, "from one second to"),
    "validity of half a second": (
        {"valid_for": timedelta(milliseconds=500)},
        "from one second to a hundred years, got 0:00:00.500000",
    ),
    "validity into the past": ({"valid_for": -timedelta(days=1)}, "from one second to"),
    "validity without end": ({"valid_for": timedelta.max}, "from one second to"),
    "validity in days": ({"valid_for": 365}, "valid_for must be a timedelta, got int"),
    "iri that is no CURIE": ({"iri": "Scoring"}, "must be a DPV CURIE"),
    "narrowed to nothing": ({"data_for": {CREDIT: []}}, "data_for must map"),
    "narrowed for a stranger": ({"data_for": {SHOP: [CITY]}}, "data_for must map"),
    "narrowed to other data": (
        {"data_for": {CREDIT: ["contacts"]}},
        "some of its data categories (city, spending)",
    ),
    "narrowed by one text": (
        {"data_for": {CREDIT: "spending"}},
        "the lists of data_for must be a list, got str",
    ),
    "narrowed by a list": ({"data_for": [CREDIT]}, "data_for must be a mapping"),
}


@pytest.mark.requirement("R41")
@pytest.mark.parametrize("name", BAD_PURPOSES)
def test_a_purpose_of_another_form_is_refused(name: str) -> None:
    fields, message = BAD_PURPOSES[name]

    with pytest.raises(DeclarationError) as caught:
        replace(SCORE, **fields)

    assert str(caught.value).startswith("purpose 'credit-score': ")
    assert message in str(caught.value)


def test_an_operation_is_named_by_an_id() -> None:
    with pytest.raises(DeclarationError, match="a processing operation needs an id"):
        replace(SCORE, operations=["Share it"])


def test_a_data_item_holds_a_category() -> None:
    with pytest.raises(DeclarationError, match="a DataCategory, got str"):
        DataItem("city")  # type: ignore[arg-type]  # that it fails is the point


@pytest.mark.requirement("R8")
def test_a_bare_category_is_needed_and_an_optional_one_says_so() -> None:
    purpose = replace(SCORE, data=[SPENDING, DataItem(CITY, necessary=False)])

    assert [(each.category.id, each.necessary) for each in purpose.items] == [
        ("spending", True),
        ("city", False),
    ]


@pytest.mark.parametrize(
    "wanted", [{CREDIT: [CITY]}, {"acme-credit": ["city"]}, {CREDIT: ["city"]}]
)
def test_data_is_narrowed_by_value_or_by_id(wanted: Any) -> None:
    assert replace(SCORE, data_for=wanted).data_for == {"acme-credit": ("city",)}


def test_the_controllers_own_use_can_be_narrowed_as_well() -> None:
    purpose = replace(SCORE, own_use=True, data_for={"controller": ["city"]})

    assert purpose.data_for == {"controller": ("city",)}


def test_what_is_declared_cannot_be_changed_afterwards() -> None:
    data = [SPENDING]
    purpose = replace(SCORE, data=data, title={"en": "Score", "de": "Score"})
    data.append(CITY)

    assert [item.category for item in purpose.items] == [SPENDING]
    for value in (WALLET, CITY, CREDIT, purpose):
        with pytest.raises(FrozenInstanceError):
            value.id = "other"  # type: ignore[misc]  # that it fails is the point
    with pytest.raises(TypeError):
        purpose.data_for["x"] = []  # type: ignore[index]  # that it fails is the point


def test_equal_declarations_count_once_in_a_set() -> None:
    automated = AutomatedDecision(
        logic={"en": "It counts.", "de": "Es zählt."}, consequence="None.", human="Ask."
    )
    turned = replace(automated, logic={"de": "Es zählt.", "en": "It counts."})

    assert automated == turned
    assert len({automated, turned}) == 1
    for value in (WALLET, CITY, DataItem(CITY), ABROAD, OFFERS):
        same = replace(value)
        assert len({value, same}) == 1
    assert len({CREDIT, SHOP, replace(SHOP, name="Shops Ltd")}) == 3


@pytest.mark.parametrize("name", ["logic", "consequence", "human"])
def test_every_text_about_an_automated_decision_is_checked_and_frozen(
    name: str,
) -> None:
    texts: dict[str, Any] = {"logic": "a", "consequence": "b", "human": "c"}

    with pytest.raises(DeclarationError) as caught:
        AutomatedDecision(**{**texts, name: 5})

    assert str(caught.value).startswith(f"automated decision: {name} must be text")
    given = {"en": "x"}
    declared = AutomatedDecision(**{**texts, name: given})
    given["en"] = "y"
    assert getattr(declared, name) == {"en": "x"}
