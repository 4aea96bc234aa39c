"""Without a style sheet or a script, under the strictest policy: all still works."""

from __future__ import annotations

import gzip
import re
from typing import TYPE_CHECKING

import pytest

from tests.surface.shop import QUESTIONS
from tests.web import screens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from playwright.sync_api import Page
    from playwright.sync_api import Route

    from tests.surface.shop import Shop

PERSON = "bare"
STATIC = screens.WEB / "static"
MOST_BYTES = 10 * 1024
STRICT = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
VIOLATIONS = """window.violations = []
document.addEventListener("securitypolicyviolation", event =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`))"""
ACTS = (
    ("/consent/ask/credit-score", "[data-ck-action=decline]", "You said no"),
    ("/consent/ask/credit-score", "button[data-ck-action=later]:visible", "later"),
    ("/consent/ask/credit-score", "[data-ck-action=accept]", "You said yes"),
    ("/consent/", "[data-ck-action=withdraw]", "stopped"),
    ("/consent/erasure", "main form button", "Your records are erased"),
)


def live(page: Page) -> Iterator[str]:
    """No, later, yes, stop and erase, by the buttons; what each result page tells."""
    for address, button, told in ACTS:
        page.goto(address)
        page.click(f"{button} >> nth=0")
        assert told in page.inner_text("main"), (address, button)
        yield page.inner_text("main")


@pytest.fixture
def new(shop: Shop) -> Shop:
    shop.forget(PERSON)
    return shop


@pytest.mark.requirement("R30", "R110")
def test_without_a_style_sheet_the_order_and_the_meaning_stay(
    browser: Browser, new: Shop
) -> None:
    with new.visit(browser, PERSON) as page:
        page.route("**/*.css", lambda route: route.abort())
        for purpose in QUESTIONS.values():
            page.goto(f"/consent/ask/{purpose}")
            answers = page.locator(".consentkit-answers").first
            assert answers.evaluate("e => getComputedStyle(e).display") == "block"
            marks = page.locator("[data-ck-essential], .consentkit-answers")
            tops = marks.evaluate_all(
                "all => all.map(e => e.getBoundingClientRect().y)"
            )
            assert tops == sorted(tops), "read from top to bottom"
            words = page.locator("main").inner_text()
            assert words.index("I agree that") < words.index("Don’t ")
            for each in page.locator(".consentkit-answers [data-ck-action]").all():
                assert each.is_visible()
        assert len(list(live(page))) == len(ACTS)


@pytest.mark.requirement("R30")
def test_without_a_script_everything_can_be_said_from_a_page_of_the_app(
    browser: Browser, new: Shop
) -> None:
    with new.visit(browser, PERSON, java_script_enabled=False) as page:
        page.goto("/today/shop-offers")
        for each in page.locator("[data-ck-action=accept]").all():
            each.check()
        page.click(".consentkit-save button")
        assert page.inner_text("main").count("You said yes") == 2
        page.goto("/today/shop-offers")
        page.click("[data-ck-action=withdraw] >> nth=0")
        assert page.inner_text("main").count("stopped") == 2
        assert len(list(live(page))) == len(ACTS)


@pytest.mark.requirement("R30", "D38")
def test_the_strictest_policy_has_nothing_to_refuse(
    browser: Browser, new: Shop
) -> None:
    def harden(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        headers = {**answer.headers, "content-security-policy": STRICT}
        route.fulfill(response=answer, headers=headers)

    with new.visit(browser, PERSON) as page:
        refused: list[str] = []
        page.on("console", lambda message: refused.append(message.text))
        page.add_init_script(VIOLATIONS)
        page.route(re.compile(r"/(consent|today)/"), harden)
        pages = ("", "disclosures", "export", "erasure", "checking", "ask/night-help")
        for address in (*(f"/consent/{each}" for each in pages), "/today/shop-offers"):
            page.goto(address)
            assert page.evaluate("violations") == [], address
        for _ in live(page):
            assert page.evaluate("violations") == []
        assert refused == []


@pytest.mark.requirement("R30")
@pytest.mark.parametrize("name", ["consentkit.css", "fresh.js", "receipt.js"])
def test_what_a_page_loads_is_small(name: str) -> None:
    assert len(gzip.compress((STATIC / name).read_bytes())) <= MOST_BYTES


@pytest.mark.requirement("R30", "D38")
def test_a_question_asks_for_nothing_but_its_style_sheet_and_its_script(
    browser: Browser, new: Shop
) -> None:
    asked: list[str] = []
    with new.visit(browser, PERSON) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto("/consent/ask/credit-score")
    assert asked == [
        f"{new.url}/consent/ask/credit-score",
        f"{new.url}/consent/static/consentkit.css",
        f"{new.url}/consent/static/fresh.js",
    ]
