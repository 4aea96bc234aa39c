"""What a person sees: nothing chosen, two equal buttons, all of it in view."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.surface.desk import signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from playwright.sync_api import Page

    from tests.running import Running

ASK = "/consent/ask/credit-score"
STYLES = (
    "fontSize",
    "fontWeight",
    "fontFamily",
    "color",
    "backgroundColor",
    "borderTopWidth",
    "borderTopColor",
    "borderTopStyle",
    "opacity",
    "cursor",
)
SCHEMES = ("light", "dark")
SIZES = {
    "phone": (360, 640),
    "narrow": (320, 640),
    "tablet": (768, 900),
    "desk": (1280, 900),
}


def chosen(page: Page) -> int:
    """How many controls of the page are on, whoever turned them on."""
    found: int = page.evaluate(
        "[...document.querySelectorAll('input, option')]"
        ".filter(each => each.checked || each.selected).length"
        "+ document.querySelectorAll('[aria-checked=true], [aria-pressed=true]').length"
    )
    return found


@pytest.mark.requirement("R16", "D01", "D30")
def test_nothing_is_chosen_on_load_reload_or_back(
    browser: Browser, running: Running
) -> None:
    with signed_in(browser, running, "ruth") as page:
        page.goto(ASK)
        assert chosen(page) == 0
        page.check("input[type=checkbox]")
        page.reload()
        assert chosen(page) == 0
        page.check("input[type=checkbox]")
        page.goto("/review")
        page.go_back()
        assert chosen(page) == 0
        assert page.evaluate("document.activeElement === document.body")


@pytest.mark.requirement("R17", "R28", "D06", "D29", "D39", "D41")
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", SIZES)
def test_no_looks_like_yes(
    browser: Browser, running: Running, scheme: Any, size: str
) -> None:
    width, height = SIZES[size]
    options: dict[str, Any] = {
        "color_scheme": scheme,
        "viewport": {"width": width, "height": height},
    }
    with signed_in(browser, running, "ruth", **options) as page:
        page.goto(ASK)
        decline = page.locator("[data-ck-action=decline]")
        accept = page.locator("[data-ck-action=accept]")
        read = "(e, names) => names.map(name => getComputedStyle(e)[name])"
        assert decline.evaluate(read, STYLES) == accept.evaluate(read, STYLES)
        boxes = [each.bounding_box() for each in (decline, accept)]
        assert boxes[0]
        assert boxes[1]
        areas = [box["width"] * box["height"] for box in boxes if box]
        assert 0.9 <= areas[0] / areas[1] <= 1.1
        assert all(box["height"] >= 44 for box in boxes if box)
        # The no comes first in every layout, as in the document.
        first, second = ((box["y"], box["x"]) for box in boxes if box)
        assert first < second
        assert decline.is_enabled()
        assert accept.is_enabled()


@pytest.mark.requirement("R2", "R9", "D09", "R28")
@pytest.mark.parametrize("size", SIZES)
def test_the_essentials_are_in_view_by_plain_scrolling(
    browser: Browser, running: Running, size: str
) -> None:
    width, height = SIZES[size]
    viewport: Any = {"width": width, "height": height}
    with signed_in(browser, running, "ruth", viewport=viewport) as page:
        page.goto(ASK)
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth")
        essentials = page.locator("[data-ck-essential]")
        marks = essentials.evaluate_all("all => all.map(e => e.dataset.ckEssential)")
        assert {"controller", "purpose", "data", "recipient", "withdraw"} <= set(marks)
        for each in essentials.all():
            each.scroll_into_view_if_needed()
            assert each.is_visible()
            size_of_text = each.evaluate(
                "e => parseFloat(getComputedStyle(e).fontSize)"
            )
            assert size_of_text >= 16
        for label in ("Wallet Ltd", "Acme Credit Scoring Ltd", "Your spending history"):
            assert page.locator("main").get_by_text(label).first.is_visible()
        link = page.locator("[data-ck-essential=withdraw] a").first.get_attribute(
            "href"
        )
        assert link
        assert page.request.get(link).status == 200


@pytest.mark.requirement("D38", "R30")
def test_nothing_is_loaded_from_elsewhere_and_nothing_is_remembered(
    browser: Browser, running: Running
) -> None:
    with signed_in(browser, running, "ruth") as page:
        asked: list[str] = []
        refused: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: refused.append(message.text))
        page.goto(ASK)
        assert {urlsplit(url).netloc for url in asked} == {
            urlsplit(running.wallet).netloc
        }
        assert refused == [], "the page's own policy must have nothing to refuse"
        assert [each.get("name") for each in page.context.cookies()] == [
            "wallet_session"
        ]
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0


@pytest.mark.requirement("R113", "R114")
@pytest.mark.parametrize(
    ("locale", "direction", "tag"),
    [("de-DE", "ltr", "de"), ("ar", "rtl", "ar"), ("zh-CN", "ltr", "zh-Hans")],
)
def test_the_question_speaks_the_language_of_the_browser(
    browser: Browser, running: Running, locale: str, direction: str, tag: str
) -> None:
    viewport: Any = {"width": 360, "height": 740}
    options: dict[str, Any] = {"locale": locale, "viewport": viewport}
    with signed_in(browser, running, "xiaoyu", **options) as page:
        page.goto(ASK)
        root = page.locator("[data-ck-root]")
        assert root.get_attribute("lang") == tag
        assert root.get_attribute("dir") == direction
        text = root.inner_text()
        assert "Share my" not in text
        assert "asks you" not in text
        page_width = "document.documentElement"
        assert page.evaluate(f"{page_width}.scrollWidth <= {page_width}.clientWidth")
