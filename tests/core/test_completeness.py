"""A notice lacks nothing: each element is taken away in turn and asked for by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from consentkit.core.purpose import Purpose
from consentkit.core.registry import Registry
from consentkit.core.vocabulary import AutomatedDecision
from consentkit.core.vocabulary import Controller
from consentkit.core.vocabulary import DataItem
from consentkit.core.vocabulary import Relation
from consentkit.errors import DeclarationError
from tests.declared import ABROAD
from tests.declared import CREDIT
from tests.declared import NIGHT_HELP
from tests.declared import OFFERS
from tests.declared import SCORE
from tests.declared import SHOP
from tests.declared import SPENDING
from tests.declared import WALLET
from tests.declared import registry

EMPTY = ["", " \n"]


def scored(**changes: Any) -> Registry:
    return registry(purposes=[replace(SCORE, **changes)])


def scored_by(**changes: Any) -> Registry:
    return scored(recipients=[replace(CREDIT, **changes)])


def answered_abroad(**changes: Any) -> Registry:
    return registry(
        purposes=[replace(NIGHT_HELP, recipients=[replace(ABROAD, **changes)])]
    )


def automated(**changes: Any) -> Registry:
    assert SCORE.automated is not None
    return scored(automated=replace(SCORE.automated, **changes))


def run_by(**changes: Any) -> Registry:
    return registry(controller=replace(WALLET, **changes), purposes=[OFFERS])


@pytest.mark.requirement("R1", "R114")
@pytest.mark.parametrize("locales", [("en",), ("en", "de", "ar", "zh-Hans")])
def test_nothing_is_missing_when_everything_is_there(locales: tuple[str, ...]) -> None:
    whole = registry(locales=locales)

    assert whole.missing() == ()
    whole.check_complete()


REQUIRED_TEXTS: dict[str, Callable[[str], Registry]] = {
    "controller 'wallet': name (its legal name)": lambda text: run_by(name=text),
    "controller 'wallet': contact (where people reach it)": (
        lambda text: run_by(contact=text)
    ),
    "controller 'wallet': address (its postal address)": (
        lambda text: run_by(address=text)
    ),
    "controller 'wallet': authority (whom to complain to)": (
        lambda text: run_by(authority=text)
    ),
    "controller 'wallet': rights (which other rights there are and how to use them)": (
        lambda text: run_by(rights=text)
    ),
    "purpose 'credit-score': title (what the data is used for)": (
        lambda text: scored(title=text)
    ),
    "purpose 'credit-score': description (the same in a sentence or two)": (
        lambda text: scored(description=text)
    ),
    "data category 'spending': title (its name)": (
        lambda text: scored(data=[replace(SPENDING, title=text)])
    ),
}


@pytest.mark.requirement("R1")
@pytest.mark.parametrize("text", EMPTY, ids=repr)
@pytest.mark.parametrize("line", REQUIRED_TEXTS)
def test_an_absent_element_is_named(line: str, text: str) -> None:
    assert REQUIRED_TEXTS[line](text).missing() == (line,)


SHARING = "recipient 'acme-credit' or purpose 'credit-score'"
REQUIRED_OF_A_RECIPIENT: dict[str, Callable[[str], Registry]] = {
    "recipient 'acme-credit': name (its legal name)": lambda text: scored_by(name=text),
    "recipient 'acme-credit': contact (where people reach it)": (
        lambda text: scored_by(contact=text)
    ),
    "recipient 'acme-credit': agreement (the contract that binds it)": (
        lambda text: scored_by(agreement=text)
    ),
    f"{SHARING}: method (how the data travels)": lambda text: scored_by(method=text),
}


@pytest.mark.requirement("R1", "R4", "R43", "R65")
@pytest.mark.parametrize("relation", ["own", "affiliate", "partner", "supplier"])
@pytest.mark.parametrize("text", EMPTY, ids=repr)
@pytest.mark.parametrize("line", REQUIRED_OF_A_RECIPIENT)
def test_every_recipient_is_described_whatever_its_relation(
    line: str, text: str, relation: Relation
) -> None:
    assert REQUIRED_OF_A_RECIPIENT[line](text).missing() == (line,)
    purpose = REQUIRED_OF_A_RECIPIENT[line](text).purposes["credit-score"]
    changed = [replace(each, relation=relation) for each in purpose.recipients]
    near = registry(purposes=[replace(purpose, recipients=changed)])
    assert near.missing() == (line,)


@pytest.mark.requirement("R70")
def test_a_processor_without_a_contract_is_incomplete() -> None:
    assert scored_by(role="processor", agreement="").missing() == (
        "recipient 'acme-credit': agreement (the contract that binds it)",
    )


def test_a_method_can_be_said_once_for_all_recipients_of_a_purpose() -> None:
    bare = [replace(CREDIT, method=""), replace(SHOP, method="")]

    assert scored(recipients=bare, method="Over an encrypted line.").missing() == ()


@pytest.mark.requirement("R1", "R65")
def test_without_a_country_nobody_knows_where_the_data_goes() -> None:
    assert scored_by(country="").missing() == (
        "recipient 'acme-credit': country (where the data goes)",
    )
    assert run_by(country="").missing() == (
        "controller 'wallet': country (its home territory)",
    )


@pytest.mark.requirement("R5")
@pytest.mark.parametrize("flag", ["sensitive", "special"])
def test_sensitive_data_needs_its_reason_and_its_impact(flag: str) -> None:
    changes: dict[str, Any] = {flag: True}
    plain = replace(SPENDING, sensitive=False)
    fields = {
        "necessity": "purpose 'credit-score': necessity "
        "(why the sensitive data is needed)",
        "impact": "purpose 'credit-score': impact (what it can mean for the person)",
    }
    for name, line in fields.items():
        assert scored(data=[plain], **{name: ""}).missing() == ()
        assert scored(data=[replace(plain, **changes)], **{name: ""}).missing() == (
            line,
        )


@pytest.mark.requirement("R6")
@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("safeguard", "what protects the data there"),
        ("rights_url", "how to use one's rights there"),
        ("risks", "what the transfer can mean"),
    ],
)
def test_a_recipient_abroad_needs_what_one_at_home_does_not(
    name: str, meaning: str
) -> None:
    assert answered_abroad(**{name: ""}).missing() == (
        f"recipient 'night-desk' (outside GB): {name} ({meaning})",
    )
    assert answered_abroad(**{name: "", "country": "GB"}).missing() == ()


@pytest.mark.requirement("R7")
@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("logic", "how it works"),
        ("consequence", "what follows from it"),
        ("human", "how to refuse it or get a human"),
    ],
)
def test_an_automated_decision_needs_its_three_texts(name: str, meaning: str) -> None:
    assert automated(**{name: ""}).missing() == (
        f"automated decision of purpose 'credit-score': {name} ({meaning})",
    )


SPENDING_OF_SCORE = "data category 'spending' of purpose 'credit-score'"


@pytest.mark.requirement("R8")
def test_each_data_item_says_what_happens_without_it() -> None:
    items = [DataItem(SPENDING)]

    assert scored(data=items, if_refused="Then there is no score.").missing() == ()
    assert scored(data=items, if_refused="").missing() == (
        f"{SPENDING_OF_SCORE}: if_refused (what happens without it)",
    )


@pytest.mark.requirement("R41")
def test_a_purpose_without_an_end_is_incomplete() -> None:
    (line,) = scored(valid_for=None).missing()

    assert line == (
        "purpose 'credit-score': valid_for (until when an answer holds; endless is "
        "refused)"
    )


@pytest.mark.requirement("R1")
def test_a_purpose_needs_retention_data_and_somebody_who_uses_it() -> None:
    assert scored(retention="").missing() == (
        "purpose 'credit-score': retention (how long the data is kept)",
    )
    assert scored(data=[]).missing() == (
        "purpose 'credit-score': data (which data categories are used)",
    )
    assert scored(recipients=[]).missing() == (
        "purpose 'credit-score': recipients, or own_use=True (who uses the data)",
    )


def test_an_app_that_declares_no_purpose_has_nothing_to_ask() -> None:
    assert registry(purposes=[]).missing() == ("the registry: at least one purpose",)


def with_text(
    declared: Callable[..., Registry], name: str
) -> Callable[[Any], Registry]:
    return lambda text: declared(**{name: text})


LOCALISED: dict[str, Callable[[Any], Registry]] = {
    "controller 'wallet': authority": lambda text: run_by(authority=text),
    "controller 'wallet': rights": lambda text: run_by(rights=text),
    "recipient 'acme-credit': method": lambda text: scored_by(method=text),
    "recipient 'night-desk': safeguard": lambda text: answered_abroad(safeguard=text),
    "recipient 'night-desk': risks": lambda text: answered_abroad(risks=text),
    "data category 'spending': title": (
        lambda text: scored(data=[replace(SPENDING, title=text)])
    ),
    "data category 'spending': phrase": (
        lambda text: scored(data=[replace(SPENDING, phrase=text)])
    ),
    f"{SPENDING_OF_SCORE}: if_refused": (
        lambda text: scored(data=[DataItem(SPENDING, if_refused=text)])
    ),
    **{
        f"purpose 'credit-score': {name}": with_text(scored, name)
        for name in (
            *("title", "description", "aim", "method"),
            *("necessity", "impact", "if_refused"),
        )
    },
    **{
        f"automated decision of purpose 'credit-score': {name}": with_text(
            automated, name
        )
        for name in ("logic", "consequence", "human")
    },
}


@pytest.mark.requirement("R114")
@pytest.mark.parametrize("place", LOCALISED)
def test_a_text_stands_in_every_locale_of_the_app_or_in_none(place: str) -> None:
    partial = LOCALISED[place]({"en": "Words", "de": " "})
    languages = Registry(
        partial.controller, partial.purposes.values(), locales=("en", "de", "ar")
    )

    assert languages.missing() == (
        f"{place} in 'de' (a notice is whole in each language)",
        f"{place} in 'ar' (a notice is whole in each language)",
    )
    assert LOCALISED[place]({"en": "Words"}).missing() == ()


def test_the_texts_of_every_kind_of_declaration_are_looked_at() -> None:
    kinds = [Controller, AutomatedDecision, Purpose, DataItem]
    kinds += [type(CREDIT), type(SPENDING)]
    texts = {
        (kind.__name__, name)
        for kind in kinds
        for name, annotation in kind.__annotations__.items()
        if annotation == "TextLike"
    }

    assert len(texts) == len(LOCALISED)


@pytest.mark.requirement("R1")
def test_all_that_is_missing_is_said_in_one_error() -> None:
    purpose = replace(
        SCORE,
        data=[replace(SPENDING, title="")],
        recipients=[replace(ABROAD, contact="", risks="")],
        retention="",
        valid_for=None,
        if_refused="",
        necessity="",
    )
    broken = registry(controller=replace(WALLET, rights=""), purposes=[purpose])

    with pytest.raises(DeclarationError) as caught:
        broken.check_complete()

    assert str(caught.value) == (
        "the notices of this app would be incomplete; declare:\n"
        "  - controller 'wallet': rights (which other rights there are and how to use "
        "them)\n"
        "  - recipient 'night-desk': contact (where people reach it)\n"
        "  - recipient 'night-desk' (outside GB): risks (what the transfer can mean)\n"
        "  - data category 'spending': title (its name)\n"
        "  - purpose 'credit-score': retention (how long the data is kept)\n"
        "  - purpose 'credit-score': valid_for (until when an answer holds; endless is "
        "refused)\n"
        "  - data category 'spending' of purpose 'credit-score': if_refused (what "
        "happens without it)\n"
        "  - purpose 'credit-score': necessity (why the sensitive data is needed)"
    )
    assert len(caught.value.missing) == 8
    assert caught.value.missing == broken.missing()
