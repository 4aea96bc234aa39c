"""What a screen reader is told: names, roles, states, and what went wrong."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.surface.desk import draw

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from playwright.sync_api import Page

    from tests.surface.shop import Shop

ROLES = ("button", "radio", "checkbox", "link", "combobox", "group", "article")

# The tree that assistive technology reads, for the part that is answered.
SINGLE = """
- region "Work out your credit score":
  - group /^Work out your credit score I agree that Wallet Ltd shares .*score\\.$/:
    - button "Don’t share"
    - button "Share my spending history"
  - paragraph:
    - button "Ask me later"
"""
PAIR = """
- region "Answer your messages at night":
  - group /^Sharing with Night Desk Inc/:
    - radio "Don’t share"
    - radio "Share my messages to the help desk"
  - group /^Sending abroad to Night Desk Inc \\(United States\\)/:
    - radio "Don’t allow"
    - radio "Allow sending abroad"
  - paragraph:
    - button "Save my answers"
"""


def controls(page: Page) -> list[str]:
    """Every control that has a name, as role and name; the nameless ones too."""
    return [
        line.strip(" -").removesuffix(":").split(": ")[0]
        for line in page.locator("main").aria_snapshot().splitlines()
        if line.strip(" -").startswith(ROLES)
    ]


@pytest.mark.requirement("R111", "D42")
def test_a_question_is_a_group_of_two_named_controls_and_none_is_on(
    shop: Shop, browser: Browser
) -> None:
    shop.forget("listener")
    with shop.visit(browser, "listener") as page:
        for purpose, tree in (("credit-score", SINGLE), ("night-help", PAIR)):
            page.goto(f"/consent/ask/{purpose}")
            snapshot = page.locator("main").aria_snapshot()
            assert "[checked" not in snapshot
            assert "[pressed" not in snapshot
            assert "switch" not in snapshot
            expect(page.locator("main")).to_match_aria_snapshot(tree)


@pytest.mark.requirement("R110", "R111", "D42")
def test_no_two_controls_of_a_page_are_named_alike_and_none_is_nameless(
    sheet: Page, states: dict[str, str]
) -> None:
    """WCAG 2.4.6 and 4.1.2; what a link is about may stand beside it (2.4.4)."""
    for name, html in states.items():
        draw(sheet, html)
        found = Counter(controls(sheet))
        assert [each for each in found if '"' not in each and "/" not in each] == [], (
            name
        )
        twice = {
            each
            for each, times in found.items()
            if times > 1 and each.startswith(("button", "checkbox", "group"))
        }
        assert twice == set(), name


@pytest.mark.requirement("R111", "R112")
def test_what_went_wrong_is_told_first_in_words_and_announced(
    browser: Browser, shop: Shop
) -> None:
    """WCAG 3.3.1, 3.3.3 and 4.1.3: named in the title, and as a status by the form."""
    shop.forget("listener")
    with shop.visit(browser, "listener") as page:
        page.goto("/consent/ask/shop-offers")
        with page.expect_navigation():  # silence is no answer, and is told so
            page.click(".consentkit-save button")
        page.goto("/consent/ask/shop-offers")
        with page.expect_navigation():
            page.click(".consentkit-save button")
        status = page.get_by_role("status")
        assert page.title().startswith("You have not chosen an answer")
        assert "You have not chosen an answer" in status.inner_text()
        assert "Nothing was saved" in status.inner_text()
        assert page.locator(":checked").count() == 0
        order = page.locator("[role=status], [data-ck-root]").evaluate_all(
            "all => all.map(each => each.getAttribute('role'))"
        )
        assert order[0] == "status", "before the question"


@pytest.mark.requirement("R111")
def test_a_receipt_has_a_place_for_what_the_browser_finds_before_it_does(
    states: dict[str, str],
) -> None:
    """A live region must be there, and empty, before something is put into it."""
    page = states["a receipt"]
    start = page.index('id="consentkit-check"')
    region = page[page.rindex("<", 0, start) : page.index("</p>", start)]
    assert 'role="status" aria-live="polite"' in region
    assert region.endswith(">")
