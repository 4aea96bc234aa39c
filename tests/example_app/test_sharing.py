"""What the wallet could send at most, before the gate takes its part away."""

from __future__ import annotations

from datetime import date

import pytest
from marshmallow import Schema

from consentkit.lint import lint
from consentkit.web.locale import Locale
from consentkit.web.locale import available_locales
from example_app.wallet import sharing
from example_app.wallet.book import Account
from example_app.wallet.catalogue import PEOPLE
from example_app.wallet.consent import consent
from example_app.wallet.payment import INCOME
from example_app.wallet.payment import Payment
from example_app.wallet.seeding import payments_of
from tests.web import screens

MAYA = PEOPLE[0]


@pytest.mark.parametrize("schema", [sharing.SpendingSchema, sharing.PersonSchema])
def test_every_field_that_can_leave_names_a_declared_data_category(
    schema: type[Schema],
) -> None:
    declared = set(consent.registry.categories)
    for field in schema().dump_fields.values():
        assert field.metadata["category"] in declared


def test_the_wallet_asks_for_what_the_questions_name_and_nothing_else() -> None:
    score = consent.registry.question("credit-score", "acme-credit")
    offers = consent.registry.question("shop-offers", "corner-shops")
    assert score is not None
    assert offers is not None
    assert set(score.data) == sharing.SCORE_DATA
    assert set(score.data) - set(score.optional) == sharing.SCORE_NEEDS
    assert set(offers.data) == sharing.OFFERS_DATA
    assert set(offers.data) - set(offers.optional) == sharing.OFFERS_NEED


def test_the_names_of_shops_stay_here() -> None:
    """The notice promises that Acme does not learn them."""
    payment = Payment(date(2026, 5, 1), "Folio Books", "leisure", -12_00)
    assert sharing.SpendingSchema().dump(payment) == {
        "paid_on": "2026-05-01",
        "amount": -12_00,
        "kind": "leisure",
    }


def test_what_somebody_earns_is_not_spending() -> None:
    spending = sharing.spending_of(payments_of(MAYA))
    assert spending
    assert all(each.amount < 0 for each in spending)
    assert INCOME not in {each.kind for each in spending}


def test_the_notices_of_the_wallet_are_complete_in_all_their_languages() -> None:
    assert consent.registry.missing() == ()
    assert set(consent.registry.locales) == set(available_locales())


@pytest.mark.requirement("R114", "D42")
@pytest.mark.parametrize("code", available_locales())
def test_no_question_of_the_wallet_breaks_a_rule_in_any_language(code: str) -> None:
    locale, app = Locale(code), consent.registry
    for purpose in app.purposes:
        page = screens.widget(app, purpose, locale)
        html = screens.render("ask.html", page, locale, screens.site(app, locale))
        assert list(lint(html, lang=code)) == [], purpose


def test_an_address_is_shown_masked() -> None:
    account = Account(MAYA.id, MAYA.email, MAYA.name, MAYA.city)
    assert account.masked_email == "m•••@example.org"
