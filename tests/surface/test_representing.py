"""The pages of who acts for somebody, in a browser: axe, small screens, the steps."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import session
from werkzeug.serving import make_server

from consentkit.web.locale import available_locales
from tests import declared
from tests.web.test_representing import KIM
from tests.web.test_representing import LEE
from tests.web.test_representing import PROOF
from tests.web.test_representing import RUTH
from tests.web.test_representing import TOM
from tests.web.test_representing import delegated
from tests.web.test_representing import household

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 320, "height": 640}},
    "arabic": {"locale": "ar"},
}
PLACES = [
    *((RUTH, "parent", KIM, path) for path in ("ask/credit-score", "")),
    (KIM, "none", KIM, "ask/credit-score"),
    (LEE, "delegate", TOM, ""),
    *((TOM, "none", TOM, path) for path in ("", "delegations")),
]


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an app in which a browser says who it is, and for whom."""
    home = household(
        tmp_path_factory.mktemp("family"),
        registry=declared.registry(locales=available_locales()),
    )

    @home.app.get("/as/<who>/<actor>/<subject>")
    def sign_in(who: str, actor: str, subject: str) -> str:
        proof = PROOF if actor == "parent" else {}
        said = {"subject": subject, "by": who, "actor": actor, "label": subject.title()}
        session["person"] = who
        session["acts"] = None if actor == "none" else {**said, **proof}
        return "signed in"

    delegated(home, "credit-score", "shop-offers")
    server = make_server("127.0.0.1", 0, home.app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.requirement("R110")
@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_nothing_is_cut_off(
    browser: Browser, family: str, look: str
) -> None:
    for who, actor, subject, path in PLACES:
        context = browser.new_context(base_url=family, **LOOKS[look])
        page = context.new_page()
        page.request.get(f"{family}/as/{who}/{actor}/{subject}")
        page.goto(f"/consent/{path}")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
        wide = "document.documentElement.scrollWidth > window.innerWidth"
        assert not page.evaluate(wide), page.url
        context.close()


@pytest.mark.requirement("R84")
def test_a_delegation_is_taken_back_by_one_press(browser: Browser, family: str) -> None:
    context = browser.new_context(base_url=family)
    page = context.new_page()
    page.request.get(f"{family}/as/{TOM}/none/{TOM}")
    page.goto("/consent/")
    page.click("text=See it, or take it back")
    page.click("text=Take this back")
    assert "You took this back on" in page.inner_text("main")
    assert not page.locator("text=Take this back").count()
    context.close()
