"""Somebody at a browser: signs in, and uses nothing but the keyboard where asked to."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from playwright.sync_api import Page

    from tests.running import Running

__all__ = ["MAX_TABS", "activate", "reset", "signed_in"]

MAX_TABS = 60  # more than any of our pages has controls


@contextlib.contextmanager
def signed_in(
    browser: Browser, running: Running, name: str, **options: Any
) -> Iterator[Page]:
    """A page of somebody who is signed in to the wallet."""
    email = next(each for each in running.people if each.startswith(name))
    context = browser.new_context(base_url=running.wallet, **options)
    try:
        page = context.new_page()
        page.goto("/sign-in")
        page.fill("#email", email)
        page.fill("#password", running.people[email])
        page.press("#password", "Enter")
        page.wait_for_url("**/")
        yield page
    finally:
        context.close()


def activate(page: Page, selector: str, *, key: str = "Enter") -> int:
    """Reach an element by Tab alone and press ``key``; how many keys that took."""
    for pressed in range(1, MAX_TABS):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and focused.evaluate(
            "(element, wanted) => element.matches(wanted)", selector
        ):
            with page.expect_navigation():
                page.keyboard.press(key)
            return pressed + 1
    raise AssertionError(f"{selector} cannot be reached by the Tab key")


def reset(page: Page) -> None:
    """Stop whatever stands, so that a test finds a person who shares nothing."""
    page.goto("/consent/")
    while page.locator("[data-ck-action=withdraw]").count():
        page.locator("[data-ck-action=withdraw]").first.click()
        page.goto("/consent/")
