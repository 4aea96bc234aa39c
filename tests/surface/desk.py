"""Somebody at a browser: signs in, and uses nothing but the keyboard where asked to."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from tests.web import screens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from playwright.sync_api import Frame
    from playwright.sync_api import Page

    from tests.running import Running

__all__ = ["MAX_TABS", "Steps", "activate", "draw", "reset", "signed_in", "steps_of"]

_CSS = (screens.WEB / "static" / "consentkit.css").read_text("utf-8")
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


def draw(page: Page, html: str) -> None:
    """Show a page that no server sends now, with our style sheet in it."""
    page.goto("about:blank")  # else the colour scheme of the last one would linger
    page.set_content(html.replace("</head>", f"<style>{_CSS}</style></head>"))


@contextlib.contextmanager
def steps_of(page: Page) -> Iterator[Steps]:
    """Count what is done on the page from here to the end of the block."""
    steps = Steps(page)

    def loaded(frame: Frame) -> None:
        steps.loads += frame == page.main_frame

    page.on("framenavigated", loaded)
    try:
        yield steps
    finally:
        page.remove_listener("framenavigated", loaded)


@dataclass
class Steps:
    """What somebody does at a page, each thing counted: click, key, page that loads."""

    page: Page
    clicks: int = 0
    keys: int = 0
    loads: int = 0

    @property
    def total(self) -> int:
        return self.clicks + self.keys + self.loads

    def __str__(self) -> str:
        """The count as a person reads it."""
        return (
            f"{self.total} steps ({self.clicks} clicks, {self.keys} keys, "
            f"{self.loads} pages)"
        )

    def click(self, selector: str, *, leads: bool = False) -> None:
        """Click once; ``leads`` waits for the page that it leads to."""
        self.clicks += 1
        with self._leading(leads=leads):
            self.page.click(selector)

    def press(self, key: str, *, leads: bool = False) -> None:
        """Press a key once; ``leads`` waits for the page that it leads to."""
        self.keys += 1
        with self._leading(leads=leads):
            self.page.keyboard.press(key)

    def tab_to(self, selector: str) -> None:
        """Press Tab until the first such element has the focus."""
        wanted = self.page.locator(selector).first
        for _ in range(MAX_TABS):
            self.press("Tab")
            if wanted.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"{selector} cannot be reached by the Tab key")

    def _leading(self, *, leads: bool) -> contextlib.AbstractContextManager[Any]:
        return self.page.expect_navigation() if leads else contextlib.nullcontext()
