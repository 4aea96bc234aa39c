"""Every page fits in seven languages and a longer one, three widths, two schemes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe

from consentkit.web.locale import Locale
from consentkit.web.locale import available_locales
from tests.surface.desk import draw
from tests.surface.desk import reset
from tests.surface.desk import signed_in
from tests.web import screens
from tests.web.pseudo import Pseudo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from playwright.sync_api import Page

    from tests.running import Running

LANGUAGES = available_locales()
WIDTHS = (320, 768, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

# The page may not scroll sideways, nor any block in it hide the end of its words.
# What is hidden from sight on purpose is clipped, and left out.
TOO_WIDE = """() => {
  const root = document.documentElement
  const wide = root.scrollWidth > root.clientWidth ? ["the page"] : []
  for (const each of document.querySelectorAll("body *")) {
    const style = getComputedStyle(each)
    const clipped = style.clipPath !== "none" || each.closest("thead")
    if (style.display !== "inline" && !clipped && each.clientWidth > 0
        && each.scrollWidth > each.clientWidth + 1)
      wide.push(each.outerHTML.slice(0, 120))
  }
  return wide
}"""


def drawn(page: Page, htmls: dict[str, str]) -> Iterator[str]:
    """Each of the pages, drawn one after the other; their names."""
    for name, html in htmls.items():
        draw(page, html)
        yield name


@pytest.fixture(scope="module")
def answered(browser: Browser, running: Running) -> Iterator[tuple[Page, str]]:
    """Somebody who shares their spending, and the address of the receipt."""
    with signed_in(browser, running, "tom") as page:
        reset(page)
        page.goto("/consent/ask/credit-score")
        page.click("[data-ck-action=accept]:visible")
        receipt = page.locator('main a[href*="/receipts/"]').first.get_attribute("href")
        assert receipt
        yield page, receipt
        reset(page)


@pytest.mark.requirement("R114", "R28", "R110")
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_page_in_every_state_fits(sheet: Page, code: str) -> None:
    locale = Locale(code)
    for number, name in enumerate(drawn(sheet, screens.all_pages(locale))):
        # Any two of page, width and scheme meet: no colour makes a word wider.
        for place, width in enumerate(WIDTHS, start=number):
            scheme = SCHEMES[place % len(SCHEMES)]
            sheet.emulate_media(color_scheme=scheme)
            sheet.set_viewport_size({"width": width, "height": 800})
            assert sheet.evaluate(TOO_WIDE) == [], (name, scheme, width)
    # Problems are a heading and a sentence: what fits a phone fits anywhere.
    sheet.set_viewport_size({"width": min(WIDTHS), "height": 800})
    for name in drawn(sheet, screens.rare_pages(locale)):
        assert sheet.evaluate(TOO_WIDE) == [], name


@pytest.mark.requirement("R114")
@pytest.mark.parametrize("code", ["de", "ar"])
def test_words_that_are_longer_by_two_fifths_still_fit(sheet: Page, code: str) -> None:
    sheet.set_viewport_size({"width": 320, "height": 800})
    locale = Pseudo(code)
    for name in drawn(sheet, screens.all_pages(locale) | screens.rare_pages(locale)):
        assert sheet.evaluate(TOO_WIDE) == [], name


@pytest.mark.requirement("R114")
def test_a_word_that_does_not_fit_is_noticed(sheet: Page) -> None:
    sheet.set_viewport_size({"width": 320, "height": 800})
    sheet.set_content(f"<p style='width: 5rem'>{'Rindfleisch' * 3}</p>")
    (found,) = sheet.evaluate(TOO_WIDE)[-1:]
    assert found.startswith("<p")


@pytest.mark.requirement("R110", "R113", "R114")
@pytest.mark.parametrize("code", LANGUAGES)
def test_the_running_pages_hold_in_each_language(
    answered: tuple[Page, str], code: str
) -> None:
    page, receipt = answered
    paths = (
        "/consent/ask/shop-offers",
        *("/consent/", receipt, "/consent/erasure"),
    )
    for path, scheme in zip(paths, SCHEMES * 2, strict=True):
        page.emulate_media(color_scheme=scheme)
        response = page.goto(f"{path}?lang={code}")
        assert response
        assert response.ok
        assert response.headers["content-language"] == code
        root = page.locator("html")
        assert root.get_attribute("lang") == code
        assert root.get_attribute("dir") == Locale(code).direction
        choices = page.locator("nav [hreflang], nav [aria-current]")
        tags = choices.evaluate_all("all => all.map(each => each.lang)")
        assert sorted(tags) == sorted(LANGUAGES)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(TOO_WIDE) == [], (path, width)
