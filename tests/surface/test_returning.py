"""Back, reload, a restored page: nothing is chosen, and nothing is sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

import pytest

from tests.surface.shop import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from playwright.sync_api import BrowserType
    from playwright.sync_api import Page
    from playwright.sync_api import Request

    from tests.surface.shop import Shop

PERSON = "returner"
CHOICES = "main input:is([type=radio], [type=checkbox])"
CHOSEN = (
    "[...document.querySelectorAll('input, option, button')].filter(each =>"
    " each.matches(':checked, [aria-checked=true], [aria-pressed=true]')"
    ").map(each => each.name)"
)
PLACES = ("/consent/ask/{}", "/today/{}")


def choose(page: Page) -> None:
    """Tick every box and one of each pair, and press nothing."""
    for each in page.locator(CHOICES).all():
        each.check()
    assert page.evaluate(CHOSEN)


@pytest.fixture
def page(browser: Browser, shop: Shop) -> Iterator[Page]:
    shop.forget(PERSON)
    with shop.visit(browser, PERSON) as page:
        yield page


WAYS: dict[str, Callable[[Page], object]] = {
    "reload": lambda page: page.reload(),
    "back": lambda page: (page.goto("/consent/"), page.go_back()),
    "back from far away": lambda page: (page.goto("about:blank"), page.go_back()),
    "forward": lambda page: (page.go_back(), page.go_forward()),
    "the same address again": lambda page: page.goto(page.url),
}


@pytest.mark.requirement("R16", "R23", "D01", "D30")
@pytest.mark.parametrize("way", WAYS)
def test_no_way_back_to_a_question_finds_anything_chosen(way: str, page: Page) -> None:
    for question, purpose in QUESTIONS.items():
        for place in PLACES:
            page.goto("/consent/checking")
            page.goto(place.format(purpose))
            assert page.evaluate(CHOSEN) == [], (question, place)
            choose(page)
            WAYS[way](page)
            assert page.url.endswith(place.format(purpose))
            assert page.evaluate(CHOSEN) == [], (question, place, way)


@pytest.fixture(scope="module")
def keeper(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> Iterator[Browser]:
    """A browser that keeps pages alive for the back button, as people's do."""
    browser = browser_type.launch(
        **browser_type_launch_args,
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield browser
    browser.close()


@pytest.mark.requirement("R16", "R23", "D01", "D30")
@pytest.mark.parametrize("place", PLACES)
def test_a_page_that_is_kept_alive_comes_back_with_nothing_chosen(
    place: str, keeper: Browser, shop: Shop
) -> None:
    """Whoever comes back: what was ticked and not sent is chosen anew or not at all."""
    shop.forget(PERSON)
    with shop.visit(keeper, PERSON) as page:
        for away in ("/consent/checking", "/sign-out", f"/sign-in/{PERSON}-2"):
            shop.sign_in(page, PERSON)
            page.goto(place.format("shop-offers"))
            choose(page)
            page.goto(away)
            page.go_back(wait_until="commit")  # what was kept is not loaded
            assert page.url.endswith("/shop-offers")
            page.wait_for_function(f"!{CHOSEN}.length", timeout=30_000)


@pytest.mark.requirement("R16", "R17")
def test_what_was_chosen_can_be_left_open_again(page: Page) -> None:
    """A radio cannot be unchosen by itself, and no question has to be answered."""
    for place in PLACES:
        page.goto(place.format("shop-offers"))
        choose(page)
        page.click("button[type=reset]")
        assert page.evaluate(CHOSEN) == []
        assert page.url.endswith(place.format("shop-offers"))
        page.click("main form:has([type=radio]) button:not([hidden])[type=submit]")
        assert "You have not chosen an answer" in page.inner_text("main")


@pytest.mark.requirement("R16")
def test_no_browser_is_asked_to_fill_anything_in(page: Page) -> None:
    for purpose in QUESTIONS.values():
        for place in PLACES:
            page.goto(place.format(purpose))
            forms = page.locator("form:has([data-ck-action])")
            for each in forms.filter(has=page.locator("[name^=choice]")).all():
                assert each.get_attribute("autocomplete") == "off"
            for each in page.locator(CHOICES).all():
                assert each.get_attribute("autocomplete") == "off"
                assert not each.evaluate("e => e.required || e.defaultChecked")


@pytest.mark.requirement("R31", "R115")
def test_going_back_and_reloading_send_no_form_again(page: Page) -> None:
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.method != "GET":
            sent.append(request.url)

    page.on("request", note)
    acts: tuple[tuple[str, str, str], ...] = (
        ("/consent/ask/credit-score", "[data-ck-action=accept]", "/consent/result/"),
        ("/consent/", "[data-ck-action=withdraw]", "/consent/result/"),
        ("/consent/ask/credit-score", "[data-ck-action=decline]", "/consent/result/"),
        ("/consent/erasure", "main form button", "/consent/erased"),
    )
    for address, button, leads in acts:
        page.goto(address)
        sent.clear()
        page.click(f"{button} >> visible=true >> nth=0")
        told = page.inner_text("main")
        assert leads in page.url
        assert len(sent) == 1
        page.reload()
        assert page.inner_text("main") == told
        page.go_back()
        assert page.url.endswith(address)
        assert page.evaluate(CHOSEN) == []
        page.go_forward()
        assert leads in page.url
        assert len(sent) == 1, "nothing was sent again"


@pytest.mark.requirement("R31")
def test_a_result_that_one_comes_back_to_tells_what_counts_now(page: Page) -> None:
    page.goto("/consent/ask/credit-score")
    page.click("[data-ck-action=accept]")
    result = page.url
    assert "You said yes" in page.inner_text("main")
    page.goto("/consent/")
    page.click("[data-ck-action=withdraw] >> nth=0")
    page.goto(result)
    assert "You said yes" not in page.inner_text("main")
    assert "stopped" in page.inner_text("main")
