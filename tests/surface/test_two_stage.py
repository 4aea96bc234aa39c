"""A yes of two stages in a real browser: with the back button, and without scripts."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING
from typing import Literal

import pytest
import time_machine
from axe_playwright_python.sync_playwright import Axe
from flask import redirect
from flask import session
from werkzeug.serving import make_server

from tests.web.hosts import MAYA
from tests.web.two_stages import Wallet
from tests.web.two_stages import make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser
    from playwright.sync_api import Page
    from werkzeug.wrappers import Response

QUESTION = "/consent/ask/credit-score"


@pytest.fixture
def wallet(tmp_path: Path) -> Iterator[tuple[Wallet, str]]:
    """The app on a port of its own; ``/in`` signs Maya in."""
    with time_machine.travel(0, tick=True) as clock:
        clock.move_to("2026-11-22T12:00:00+00:00")
        wallet = make(tmp_path, clock)

        @wallet.shop.app.get("/in")
        def sign_in() -> Response:
            session["person"] = MAYA
            return redirect("/")

        server = make_server("127.0.0.1", 0, wallet.shop.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield wallet, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@contextlib.contextmanager
def at(browser: Browser, address: str, *, scripts: bool = True) -> Iterator[Page]:
    context = browser.new_context(base_url=address, java_script_enabled=scripts)
    try:
        page = context.new_page()
        page.goto("/in")
        yield page
    finally:
        context.close()


@pytest.mark.requirement("R33", "R110")
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_both_stages_take_two_presses_and_a_link(
    wallet: tuple[Wallet, str], browser: Browser, *, scripts: bool
) -> None:
    app, address = wallet
    with at(browser, address, scripts=scripts) as page:
        page.goto(QUESTION)
        page.click("[data-ck-action=accept]")
        assert "One step is left" in page.inner_text("main")
        assert not app.allows("session")

        page.goto(app.link)
        buttons = page.locator(".consentkit-answers button")
        boxes = [buttons.nth(n).bounding_box() for n in range(2)]
        assert buttons.nth(0).get_attribute("value") == "refused"
        assert boxes[0]
        assert boxes[1]
        assert boxes[0]["height"] == boxes[1]["height"]
        buttons.nth(1).click()
        assert "You said yes to sharing" in page.inner_text("main")
        assert app.allows()


@pytest.mark.requirement("R33")
def test_going_back_and_pressing_the_other_button_tells_what_stands(
    wallet: tuple[Wallet, str], browser: Browser
) -> None:
    app, address = wallet
    with at(browser, address) as page:
        page.goto(QUESTION)
        page.click("[data-ck-action=accept]")
        page.goto(app.link)
        page.click("[data-ck-action=accept] >> visible=true")
        page.go_back()
        assert page.locator("[data-ck-action=decline]").count() in {0, 1}
        if page.locator("[data-ck-action=decline]").count():
            page.click("[data-ck-action=decline]")
        assert "This link was used before" in page.inner_text("main")
        assert app.allows()
        page.reload()
        assert app.shop.acts() == 2


@pytest.mark.requirement("R33", "D26")
def test_the_enter_key_confirms_nothing(
    wallet: tuple[Wallet, str], browser: Browser
) -> None:
    app, address = wallet
    with at(browser, address) as page:
        page.goto(QUESTION)
        page.click("[data-ck-action=accept]")
        page.goto(app.link)
        page.keyboard.press("Enter")
        page.reload()
        assert app.score[0] == "requested"


@pytest.mark.requirement("R33", "R112")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_of_two_stages(
    wallet: tuple[Wallet, str], browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    app, address = wallet
    with at(browser, address) as page:
        page.emulate_media(color_scheme=scheme)
        page.goto(QUESTION)
        with page.expect_navigation():
            page.click("[data-ck-action=accept]")
        for path in (page.url, "/consent/", app.link, app.link[:-30]):
            page.goto(path)
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
