"""Two people at one device, and one without an account: nobody answers for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.surface.shop import Shop

ANN, BEN = "ann", "ben"
ASK = "/consent/ask/credit-score"
SEVERAL = "/consent/ask/shop-offers"
ACCEPT = "[data-ck-action=accept]"
SAVE = ".consentkit-save button"


@pytest.fixture
def new(shop: Shop) -> Shop:
    for person in (ANN, BEN):
        shop.forget(person)
    return shop


@pytest.mark.requirement("R23", "R116")
def test_nobody_without_an_account_can_answer_and_nothing_of_theirs_is_kept(
    browser: Browser, new: Shop
) -> None:
    """A visit before the sign-in leaves nothing that could become a yes by it."""
    with new.visit(browser) as page:
        before = new.host.acts()
        for address in (ASK, SEVERAL, "/today/credit-score"):
            page.goto(address)
            assert page.locator("form, input, [data-ck-action]").count() == 0
            assert page.get_by_text("Please sign in first").is_visible()
        assert page.context.cookies() == []
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0
        new.sign_in(page, ANN)
        page.goto(ASK)
        assert page.locator(ACCEPT).is_visible()
        assert page.locator(":checked").count() == 0
        page.goto("/consent/")
        assert "You share data with nobody" in page.inner_text("main")
        assert new.host.acts() == before


@pytest.mark.requirement("R32", "R115", "R116")
@pytest.mark.parametrize("address", [ASK, SEVERAL, "/today/credit-score"])
def test_a_form_that_one_opened_cannot_be_sent_by_another(
    address: str, browser: Browser, new: Shop
) -> None:
    with new.visit(browser, ANN) as page:
        page.goto(address)
        before = new.host.acts()
        new.sign_in(page, BEN)
        if address == SEVERAL:
            page.locator(ACCEPT).first.check()
        with page.expect_navigation() as told:
            page.click(SAVE if address == SEVERAL else ACCEPT)
        assert told.value.status == 403
        assert new.host.acts() == before
        assert not new.host.grants()
        page.go_back()
        assert page.locator(":checked").count() == 0


@pytest.mark.requirement("R115", "R116")
def test_a_form_sent_after_signing_out_stores_nothing(
    browser: Browser, new: Shop
) -> None:
    with new.visit(browser, ANN) as page:
        page.goto(ASK)
        before = new.host.acts()
        new.sign_out(page)
        with page.expect_navigation() as told:
            page.click(ACCEPT)
        assert told.value.status == 401
        new.sign_in(page, BEN)
        page.reload()  # sends what Ann pressed once more, as Ben
        assert new.host.acts() == before


@pytest.mark.requirement("R32", "R116")
def test_who_signs_in_next_sees_their_own_answers_and_can_stop_only_those(
    browser: Browser, new: Shop
) -> None:
    with new.visit(browser, ANN) as page:
        page.goto(ASK)
        page.click(ACCEPT)
        result = page.url
        page.goto("/consent/")
        new.sign_in(page, BEN)
        page.click("[data-ck-action=withdraw] >> nth=0")  # of Ann's page, left open
        assert (ANN, "credit-score", "acme-credit") in new.host.grants()
        page.goto(result)
        assert "There is nothing at this address" in page.inner_text("main")
        page.goto("/consent/")
        assert "You share data with nobody" in page.inner_text("main")
        page.goto(ASK)
        assert page.locator("[data-ck-action=withdraw]").count() == 0


@pytest.mark.requirement("R32", "R116")
def test_two_browsers_of_two_people_do_not_mix(browser: Browser, new: Shop) -> None:
    with new.visit(browser, ANN) as hers, new.visit(browser, BEN) as his:
        for page in (hers, his):
            page.goto(ASK)
        hers.click(ACCEPT)
        his.click("[data-ck-action=decline]")
        assert "You said yes" in hers.inner_text("main")
        assert "You said no" in his.inner_text("main")
        assert new.host.grants() == [(ANN, "credit-score", "acme-credit")]
        his.goto(hers.url)
        assert "There is nothing at this address" in his.inner_text("main")


@pytest.mark.requirement("R116")
def test_a_form_cannot_be_carried_from_one_browser_to_another(
    browser: Browser, new: Shop
) -> None:
    with new.visit(browser, ANN) as hers, new.visit(browser, BEN) as his:
        hers.goto(ASK)
        token = hers.locator("form [name=token]").last.get_attribute("value")
        his.goto(ASK)
        his.locator("form [name=token]").last.evaluate(
            "(field, token) => { field.value = token }", token
        )
        before = new.host.acts()
        his.click(ACCEPT)
        assert his.locator(".consentkit-said").count() == 0
        assert new.host.acts() == before
