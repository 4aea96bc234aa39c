"""What somebody at a browser does without answering is no answer; nor is a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.surface.desk import reset
from tests.surface.desk import signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser
    from playwright.sync_api import Page

    from tests.running import Running
    from tests.surface.shop import Shop

QUESTION = "/consent/ask/shop-offers"
HOURS = 24 * 60 * 60 * 1000
GESTURES: dict[str, Callable[[Page], object]] = {
    "scrolling to the end": lambda page: page.mouse.wheel(0, 20_000),
    "the Escape key": lambda page: page.keyboard.press("Escape"),
    "the Enter key": lambda page: page.keyboard.press("Enter"),
    "a click beside it": lambda page: page.mouse.click(3, 300),
    "hovering over yes": lambda page: page.hover("[data-ck-action=accept] >> nth=0"),
    "waiting for a day": lambda page: page.clock.fast_forward(HOURS),
    "another tab": lambda page: page.context.new_page().goto("/"),
    "going back": lambda page: page.go_back(),
    "closing it": lambda page: page.close(run_before_unload=True),
}


@pytest.mark.requirement("R23", "D26", "D27")
@pytest.mark.parametrize("name", GESTURES)
def test_no_gesture_but_a_press_on_an_answer_is_an_answer(
    name: str, browser: Browser, running: Running
) -> None:
    with signed_in(browser, running, "xiaoyu") as page:
        reset(page)
        before = page.inner_text("main")
        page.clock.install()
        page.goto(QUESTION)
        GESTURES[name](page)
        after = page.context.new_page()
        after.goto("/consent/")
        assert after.inner_text("main") == before


@pytest.mark.requirement("R107", "D44")
def test_a_browser_that_opts_out_reads_that_it_is_heeded(
    browser: Browser, running: Running
) -> None:
    signal = {"Sec-GPC": "1"}
    with signed_in(browser, running, "xiaoyu", extra_http_headers=signal) as page:
        for path in ("/consent/", QUESTION):
            page.goto(path)
            assert page.get_by_text("Opt-out signal honoured").first.is_visible()
        with page.expect_response("**/.well-known/gpc.json") as said:
            page.goto("/.well-known/gpc.json")
        assert said.value.json()["gpc"] is True


@pytest.mark.requirement("R107", "D44")
def test_only_a_browser_that_opts_out_reads_of_its_signal(
    states: dict[str, str],
) -> None:
    for name, html in states.items():
        signals = name.startswith(("a signal", "in spite of it"))
        assert ("Opt-out signal honoured" in html) == signals, name


@pytest.mark.requirement("R106", "R109")
def test_a_signal_ends_what_was_shared_and_its_absence_brings_nothing_back(
    browser: Browser, shop: Shop
) -> None:
    shop.forget("quiet")
    with shop.visit(browser, "quiet") as page:
        page.goto("/consent/ask/credit-score")
        page.click("[data-ck-action=accept]")
        assert shop.host.allows("quiet")
        page.set_extra_http_headers({"Sec-GPC": "1"})
        response = page.goto("/consent/")
        assert response
        assert "Sec-GPC" in response.headers["vary"]
        assert "no-store" in response.headers["cache-control"]
        assert "You share data with nobody" in page.inner_text("main")
        page.set_extra_http_headers({})
        page.goto("/consent/")
        assert "You share data with nobody" in page.inner_text("main")
        assert not shop.host.allows("quiet")
