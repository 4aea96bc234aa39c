"""Agree, decline and stop by keyboard alone, with JavaScript and without."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.surface.desk import activate
from tests.surface.desk import reset
from tests.surface.desk import signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.running import Running

ASK = "/consent/ask/shop-offers"
ACCEPT = "[data-ck-action=accept]"
DECLINE = "[data-ck-action=decline]"
LATER = "[data-ck-action=later]"
STOP = "[data-ck-action=withdraw]"

scripts = pytest.mark.parametrize(
    "script", [True, False], ids=["with-script", "without-script"]
)


@scripts
@pytest.mark.requirement("R17", "R18", "R30", "R31", "R53", "R111", "D05", "D31")
def test_everything_can_be_said_by_keyboard_alone(
    browser: Browser, running: Running, *, script: bool
) -> None:
    with signed_in(browser, running, "tom", java_script_enabled=script) as page:
        reset(page)
        page.goto(ASK)
        to_decline = activate(page, DECLINE)
        assert re.search(r"You said\s*no", page.locator("main").inner_text())

        page.goto(ASK)
        activate(page, LATER)
        assert "later" in page.locator("main").inner_text()

        page.goto(ASK)
        to_accept = activate(page, ACCEPT)
        assert re.search(r"You said\s*yes", page.locator("main").inner_text())

        page.goto("/consent/")
        to_stop = activate(page, STOP)
        assert "stopped" in page.locator("main").inner_text()
        page.goto("/consent/")
        assert page.locator(STOP).count() == 0

        # Saying no and stopping take no more keys than saying yes.
        assert to_decline <= to_accept
        assert to_stop <= to_accept


@pytest.mark.requirement("D20", "D30", "R23")
def test_enter_alone_answers_nothing(browser: Browser, running: Running) -> None:
    with signed_in(browser, running, "tom") as page:
        page.goto(ASK)
        assert page.evaluate("document.activeElement === document.body")
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        box = "input[type=checkbox]"
        page.focus(box)
        page.keyboard.press("Enter")
        assert page.url.endswith(ASK)


@pytest.mark.requirement("R111", "D42")
def test_a_control_is_named_for_what_it_does_and_for_whom(
    browser: Browser, running: Running
) -> None:
    with signed_in(browser, running, "tom") as page:
        page.goto("/consent/ask/credit-score")
        group = page.get_by_role("group", name=re.compile("Work out your credit score"))
        assert group.count() == 1
        assert "Acme Credit Scoring Ltd" in group.evaluate(
            "element => element.getAttribute('aria-labelledby').split(' ')"
            ".map(id => document.getElementById(id).textContent).join(' ')"
        )
        assert page.get_by_role("button", name="Don’t share").count() == 1
        assert page.get_by_role("button", name="Share my spending history").count() == 1
