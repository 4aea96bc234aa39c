"""axe finds nothing, on any page, in any state, light and dark, in two directions."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.surface.desk import reset
from tests.surface.desk import signed_in
from tests.surface.test_states import COLOURS

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser
    from playwright.sync_api import Page

    from tests.running import Running

WALLET = ("/", "/activity", "/review", "/credit-score", "/offers", "/account")
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "forced": {"forced_colors": "active"},
    "phone": {"viewport": {"width": 320, "height": 640}},
    "arabic": {"locale": "ar"},
    "chinese": {"locale": "zh-CN"},
}


# What is another there is the colours alone: the rest is judged in the light.
RECOLOURED = {"dark", "forced"}


def check(page: Page, options: dict[str, Any] | None = None) -> None:
    found = Axe().run(page, options=options)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"


def answer(page: Page, purpose: str, action: str) -> None:
    page.goto(f"/consent/ask/{purpose}")
    press(page, action)


def press(page: Page, action: str) -> None:
    """Press a button and wait for the next page: a click alone waits for none."""
    with page.expect_navigation():
        page.click(f"[data-ck-action={action}]:visible")


def walk(page: Page, check: Callable[[Page], None]) -> None:
    """Every page of consentkit in every state that a person brings about."""
    reset(page)
    for path in ("/consent/", "/consent/ask/credit-score", "/consent/ask/shop-offers"):
        page.goto(path)
        check(page)
    for action in ("decline", "later", "accept"):
        answer(page, "credit-score", action)
        check(page)
    receipt = page.locator('main a[href*="/receipts/"]').first.get_attribute("href")
    page.goto("/consent/ask/credit-score")  # the answer stands, and can be changed
    check(page)
    notice = page.locator('a[href*="/notices/"]').first.get_attribute("href")
    addresses = (
        *("/consent/", "/consent/disclosures", "/consent/erasure"),
        *("/consent/export", "/consent/checking"),
        *(receipt, notice),
    )
    for address in (*addresses, "/consent/receipts/none"):
        assert address
        page.goto(address)
        check(page)
    page.goto("/consent/")
    press(page, "withdraw")
    check(page)


@pytest.mark.requirement("R110", "R28", "D07", "D08")
@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_on_the_pages_of_consentkit(
    browser: Browser, running: Running, look: str
) -> None:
    with signed_in(browser, running, "amal", **LOOKS[look]) as page:
        walk(page, partial(check, options=COLOURS if look in RECOLOURED else None))


@pytest.mark.requirement("R110")
@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing_on_the_pages_of_the_example(
    browser: Browser, running: Running, look: str
) -> None:
    with signed_in(browser, running, "amal", **LOOKS[look]) as page:
        for path in (*WALLET, running.affiliate, running.partner):
            page.goto(path)
            check(page, COLOURS if look in RECOLOURED else None)


@pytest.mark.requirement("R52", "D32")
def test_every_page_of_the_wallet_leads_to_ones_choices(
    browser: Browser, running: Running
) -> None:
    with signed_in(browser, running, "amal") as page:
        for path in WALLET:
            page.goto(path)
            link = page.get_by_role("link", name=re.compile("Your choices"))
            address = link.first.get_attribute("href")
            assert address
            assert page.request.get(address).status == 200
