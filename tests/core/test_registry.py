"""The registry: one question per purpose and recipient, and what a grant rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from consentkit.core import canonical
from consentkit.core.registry import Question
from consentkit.core.registry import Registry
from consentkit.core.vocabulary import DataItem
from consentkit.errors import DeclarationError
from tests.declared import ABROAD
from tests.declared import CITY
from tests.declared import CREDIT
from tests.declared import MESSAGES
from tests.declared import NIGHT_HELP
from tests.declared import OFFERS
from tests.declared import SCORE
from tests.declared import SHOP
from tests.declared import SPENDING
from tests.declared import WALLET
from tests.declared import registry


@pytest.mark.requirement("R20", "R63")
def test_own_use_each_recipient_and_each_transfer_is_a_question_of_its_own() -> None:
    assert [question.key for question in registry().all_questions()] == [
        ("credit-score", "acme-credit"),
        ("shop-offers", "controller"),
        ("shop-offers", "corner-shops"),
        ("night-help", "night-desk"),
        ("night-help.cross-border", "night-desk"),
    ]


def test_the_questions_of_a_purpose_are_its_own_and_its_transfers() -> None:
    whole = registry()

    assert [each.recipient_id for each in whole.questions("shop-offers")] == [
        "controller",
        "corner-shops",
    ]
    assert [each.transfer for each in whole.questions("night-help")] == [False, True]
    assert whole.questions("night-help.cross-border") == ()
    assert whole.questions("unknown") == ()


@pytest.mark.requirement("R62", "R69")
@pytest.mark.parametrize(
    "key",
    [
        ("credit-score", "corner-shops"),
        ("credit-score", "controller"),
        ("credit-score.cross-border", "acme-credit"),
        ("credit-score", "*"),
        ("*", "acme-credit"),
        ("", ""),
        ("credit-score", "Acme-Credit"),
    ],
)
def test_there_is_no_question_but_those_declared(key: tuple[str, str]) -> None:
    assert registry().question(*key) is None


@pytest.mark.requirement("R71")
def test_only_a_recipient_outside_the_territory_is_abroad() -> None:
    at_home = registry().questions("credit-score")
    share, transfer = registry().questions("night-help")

    assert [(each.cross_border, each.transfer_scope) for each in at_home] == [
        (False, "")
    ]
    assert share.cross_border
    assert transfer.cross_border
    assert share.scope != transfer.scope == share.transfer_scope
    assert (transfer.purpose, transfer.recipient) == (NIGHT_HELP, ABROAD)


@pytest.mark.requirement("R21", "R70")
def test_all_but_own_use_of_ordinary_data_takes_a_yes_of_its_own() -> None:
    own_use = replace(OFFERS, recipients=())
    grave = replace(own_use, data=[DataItem(SPENDING)])
    decided = replace(own_use, automated=SCORE.automated)
    helper = replace(
        OFFERS, own_use=False, recipients=[replace(SHOP, role="processor")]
    )
    assert all(each.separate for each in registry(purposes=[SCORE]).all_questions())
    assert all(
        each.separate for each in registry(purposes=[NIGHT_HELP]).all_questions()
    )
    for purpose, separate in (
        (own_use, False),
        (grave, True),
        (decided, True),
        (helper, False),
    ):
        (question,) = registry(purposes=[purpose]).questions(purpose.id)
        assert question.separate is separate


def test_the_controllers_own_use_is_asked_under_its_own_name() -> None:
    own = registry().question("shop-offers", "controller")

    assert own is not None
    assert own.own_use
    assert not own.cross_border
    assert (own.recipient.name, own.recipient.relation) == ("Wallet Ltd", "own")


def test_a_question_asks_for_its_recipients_data_alone() -> None:
    purpose = replace(SCORE, recipients=[CREDIT, SHOP], data_for={SHOP: [CITY]})
    credit, shop = registry(purposes=[purpose]).questions("credit-score")

    assert (credit.data, credit.optional) == (("city", "spending"), ("city",))
    assert (shop.data, shop.optional) == (("city",), ("city",))


def test_what_was_declared_is_found_by_its_id() -> None:
    whole = registry()

    assert dict(whole.purposes) == {
        "credit-score": SCORE,
        "shop-offers": OFFERS,
        "night-help": NIGHT_HELP,
    }
    assert {key: whole.recipients[key] for key in sorted(whole.recipients)} == {
        "acme-credit": CREDIT,
        "controller": whole.recipients["controller"],
        "corner-shops": SHOP,
        "night-desk": ABROAD,
    }
    assert set(whole.categories.values()) == {SPENDING, CITY, MESSAGES}
    assert repr(whole) == "<Registry 'wallet': 3 purposes, 4 recipients>"
    with pytest.raises(TypeError):
        whole.purposes["other"] = SCORE  # type: ignore[index]  # must fail


def test_one_id_names_one_thing() -> None:
    other_shop = replace(OFFERS, recipients=[replace(SHOP, name="Other Shops Ltd")])
    night = replace(OFFERS, id="night-offers")
    other_city = replace(night, data=[replace(CITY, title="Your town")])

    with pytest.raises(DeclarationError, match="declared as purpose 'credit-score'"):
        registry(purposes=[SCORE, replace(SCORE, title="Another title")])
    with pytest.raises(DeclarationError, match="declared as recipient 'corner-shops'"):
        registry(purposes=[night, other_shop])
    with pytest.raises(DeclarationError, match="declared as data category 'city'"):
        registry(purposes=[OFFERS, other_city])


NO_REGISTRIES: dict[str, tuple[dict[str, Any], str]] = {
    "controller by name": (
        {"controller": "wallet"},
        "a registry needs a Controller, got str",
    ),
    "purposes by name": (
        {"purposes": ["credit-score"]},
        "a registry lists Purpose values, got str",
    ),
    "no locale": ({"locales": ()}, "at least one language"),
    "one text instead of locales": ({"locales": "en"}, "at least one language"),
    "a locale twice": ({"locales": ["en", "en"]}, "each once"),
    "a locale that is none": ({"locales": ["en_GB"]}, "got 'en_GB'"),
}


@pytest.mark.parametrize("name", NO_REGISTRIES)
def test_a_registry_is_made_of_declarations(name: str) -> None:
    parts, message = NO_REGISTRIES[name]

    with pytest.raises(DeclarationError) as caught:
        registry(**parts)

    assert message in str(caught.value)


def asked(
    purpose: Any = NIGHT_HELP, controller: Any = WALLET, **recipient: Any
) -> tuple[Question, ...]:
    """The question about the night desk, and the one about its being abroad."""
    changed = replace(purpose, recipients=[replace(ABROAD, **recipient)])
    return Registry(controller, [changed]).questions(changed.id)


# What was agreed to, and what it is now: kind of change -> the questions after it.
MATERIAL: dict[str, Callable[[], tuple[Question, ...]]] = {
    "another purpose": lambda: asked(replace(NIGHT_HELP, id="day-help")),
    "another operation": lambda: asked(
        replace(NIGHT_HELP, operations=["share", "use"])
    ),
    "longer retention": lambda: asked(replace(NIGHT_HELP, retention="P60D")),
    "shorter retention": lambda: asked(replace(NIGHT_HELP, retention="P10D")),
    "decided by a program": (
        lambda: asked(replace(NIGHT_HELP, automated=SCORE.automated))
    ),
    "another recipient": lambda: asked(id="dawn-desk"),
    "recipient renamed": lambda: asked(name="Dawn Desk Inc"),
    "recipient moved": lambda: asked(country="IN"),
    "recipient bought by the group": lambda: asked(relation="affiliate"),
    "recipient no longer bound to orders": lambda: asked(role="processor"),
    "controller renamed": lambda: asked(controller=replace(WALLET, name="Purse Ltd")),
    "another controller": lambda: asked(controller=replace(WALLET, id="purse")),
    "controller moved": lambda: asked(controller=replace(WALLET, country="IE")),
}
IMMATERIAL: dict[str, Callable[[], tuple[Question, ...]]] = {
    "nothing": asked,
    "typo in the title": lambda: asked(replace(NIGHT_HELP, title="Answer by night")),
    "translation": lambda: asked(
        replace(NIGHT_HELP, title={"en": "Answer", "de": "Antworten"})
    ),
    "description": lambda: asked(replace(NIGHT_HELP, description="They answer.")),
    "aim": lambda: asked(replace(NIGHT_HELP, aim="replies to me")),
    "what a no means": lambda: asked(replace(NIGHT_HELP, if_refused="You wait.")),
    "necessity and impact": (
        lambda: asked(replace(NIGHT_HELP, necessity="It is night.", impact="None."))
    ),
    "wider data": lambda: asked(replace(NIGHT_HELP, data=[MESSAGES, CITY])),
    "data that became optional": (
        lambda: asked(replace(NIGHT_HELP, data=[DataItem(MESSAGES, necessary=False)]))
    ),
    "how long a yes holds": (
        lambda: asked(replace(NIGHT_HELP, valid_for=timedelta(days=9_999)))
    ),
    "name in the vocabulary": lambda: asked(replace(NIGHT_HELP, iri="")),
    "own use by the controller besides": lambda: asked(
        replace(NIGHT_HELP, own_use=True)
    )[1:],
    "recipient's contact": lambda: asked(contact="new@night-desk.example"),
    "recipient's address": lambda: asked(address=""),
    "recipient's contract": lambda: asked(agreement="DSA-2027-01"),
    "recipient's servers": lambda: asked(hosts=()),
    "recipient out of use": lambda: asked(active=False),
    "safeguard": lambda: asked(safeguard="An adequacy decision."),
    "rights and risks": lambda: asked(rights_url="https://a.example", risks="None."),
    "controller's contact": (
        lambda: asked(controller=replace(WALLET, contact="dpo@wallet.example"))
    ),
    "controller's authority": lambda: asked(controller=replace(WALLET, authority="X")),
}


@pytest.mark.requirement("R70", "R87")
@pytest.mark.parametrize("change", MATERIAL)
def test_a_material_change_changes_the_scope_of_both_questions(change: str) -> None:
    for before, after in zip(asked(), MATERIAL[change](), strict=True):
        assert before.scope != after.scope


@pytest.mark.requirement("R87")
@pytest.mark.parametrize("change", IMMATERIAL)
def test_a_change_of_wording_leaves_the_scope_as_it_was(change: str) -> None:
    before, after = asked(), IMMATERIAL[change]()

    assert [each.scope for each in after] == [each.scope for each in before]
    assert [each.transfer_scope for each in after] == [
        each.transfer_scope for each in before
    ]


def test_the_order_in_which_operations_are_declared_means_nothing() -> None:
    one, other = (
        asked(replace(NIGHT_HELP, operations=operations))[0].scope
        for operations in (["share", "use"], ["use", "share"])
    )

    assert one == other


@pytest.mark.requirement("R87")
def test_a_recipient_that_moves_home_needs_a_new_answer_and_no_transfer() -> None:
    (share,) = asked(country="GB")

    assert share.scope != asked()[0].scope
    assert not share.cross_border


@pytest.mark.requirement("R42", "R43")
def test_a_definition_says_who_gets_what_and_is_canonical_json() -> None:
    question = registry().question("credit-score", "acme-credit")
    assert question is not None

    definition = question.definition()

    assert canonical.decode(canonical.encode(definition)) == definition
    assert definition == {
        "automated": True,
        "controller": {"country": "GB", "id": "wallet", "name": "Wallet Ltd"},
        "data": [
            {
                "id": "spending",
                "iri": "pd:PurchasesAndSpendingHabit",
                "optional": False,
                "sensitive": True,
                "special": False,
            },
            {
                "id": "city",
                "iri": "pd:City",
                "optional": True,
                "sensitive": False,
                "special": False,
            },
        ],
        "operations": ["share"],
        "purpose": "credit-score",
        "purpose_iri": "sector-finance:CreditScoreEvaluation",
        "recipient": {
            "country": "GB",
            "id": "acme-credit",
            "name": "Acme Credit Scoring Ltd",
            "relation": "affiliate",
            "role": "controller",
        },
        "retention": "P1Y",
        "scope": question.scope,
        "transfer": False,
        "valid_for": 31_536_000,
    }


def test_a_scope_is_the_same_in_every_process_and_every_release() -> None:
    """A frozen value: whoever changes it asks every person anew."""
    question = registry().question("credit-score", "acme-credit")

    assert question is not None
    assert question.scope == (
        "b61dfbb67cedd7c29eca7d5a6479cc90107dc538468edb6a546dca2cc87c7419"
    )
