"""A host restyles the question by custom properties, and never one answer alone."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING
from typing import Any

import pytest
from flask import render_template_string
from flask import request
from flask import session
from werkzeug.serving import make_server

from tests.surface.test_looks import STYLES
from tests.web.hosts import MAYA
from tests.web.hosts import host
from tests.web.screens import WEB

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from playwright.sync_api import Browser
    from playwright.sync_api import Page

PAGE = """<!doctype html><html lang="en"><head><title>Shop</title>
{{ consent_head() }}<style>{{ style|safe }}</style></head>
<body><main><div class="box">{{ consent_widget(purpose) }}</div></main></body></html>"""

ROOT, BUTTON = ".consentkit", ".consentkit-button"
CHANGES: dict[str, tuple[str, str, str, str]] = {
    # property: (what a host sets it to, where it shows, as what, what is then read)
    "accent": ("#5b2a86", BUTTON, "backgroundColor", "rgb(91, 42, 134)"),
    "on-accent": ("#fff8e1", BUTTON, "color", "rgb(255, 248, 225)"),
    "ink": ("#202040", ROOT, "color", "rgb(32, 32, 64)"),
    "paper": ("#fdf6e3", ROOT, "backgroundColor", "rgb(253, 246, 227)"),
    "line": ("#806040", ".consentkit-fact", "borderTopColor", "rgb(128, 96, 64)"),
    "font": ("Georgia, serif", BUTTON, "fontFamily", "Georgia, serif"),
    "size": ("20px", BUTTON, "fontSize", "20px"),
    "radius": ("17px", BUTTON, "borderTopLeftRadius", "17px"),
    "measure": ("400px", ROOT, "maxInlineSize", "400px"),
    "space": ("20px", ".consentkit-fact", "paddingTop", "15px"),
    "desk": ("#223344", ".consentkit-page", "backgroundColor", "rgb(34, 51, 68)"),
}
SET = "".join(f"--consentkit-{name}: {row[0]};" for name, row in CHANGES.items())
PAIRS = {"credit-score": ".consentkit-button", "shop-offers": ".consentkit-pick"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """A shop of somebody's, whose page has the question and a style from the query."""
    server = make_server("127.0.0.1", 0, shop(tmp_path), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def shop(folder: Path) -> Flask:
    app = host(folder).app

    @app.get("/styled/<purpose>")
    def styled(purpose: str) -> str:
        session["person"] = MAYA
        return render_template_string(
            PAGE, style=request.args.get("style", ""), purpose=purpose
        )

    return app


def opened(
    browser: Browser, served: str, style: str, purpose: str = "credit-score"
) -> Page:
    page = browser.new_context(base_url=served).new_page()
    page.goto("/")
    query = page.evaluate("style => new URLSearchParams({style}).toString()", style)
    page.goto(f"/styled/{purpose}?{query}")
    return page


def computed(page: Page, selector: str, names: tuple[str, ...]) -> list[Any]:
    found: list[Any] = page.locator(selector).first.evaluate(
        "(e, names) => names.map(name => getComputedStyle(e)[name])", list(names)
    )
    return found


def test_every_property_that_the_style_sheet_reads_is_tried_here() -> None:
    css = (WEB / "static" / "consentkit.css").read_text("utf-8")

    assert set(re.findall(r"var\(--consentkit-([a-z-]+)", css)) == set(CHANGES)


def test_a_host_sets_colours_letters_corners_and_gaps(
    browser: Browser, served: str
) -> None:
    plain = opened(browser, served, "")
    dressed = opened(browser, served, f":root {{ {SET} }}")

    for name, (_, selector, read, expected) in CHANGES.items():
        if name != "desk":
            assert computed(dressed, selector, (read,)) == [expected], name
            assert computed(plain, selector, (read,)) != [expected], name
    for each in (plain, dressed):
        each.goto("/consent/")
    page = f"document.documentElement.style.cssText = {SET!r}"
    dressed.evaluate(page)
    assert computed(dressed, ".consentkit-page", ("backgroundColor",)) == [
        CHANGES["desk"][3]
    ]


@pytest.mark.requirement("R17", "R28", "D06")
@pytest.mark.parametrize("purpose", PAIRS)
@pytest.mark.parametrize("where", [":root", "[data-ck-action=decline]", "*"])
def test_no_property_of_ours_makes_one_answer_paler_than_the_other(
    browser: Browser, served: str, where: str, purpose: str
) -> None:
    pale = SET.replace("#5b2a86", "#f4f4f4").replace("#fff8e1", "#e8e8e8")
    picks = f".consentkit-pick:has({where})" if where.startswith("[") else where
    page = opened(browser, served, f"{where}, {picks} {{ {pale} }}", purpose)
    kind = PAIRS[purpose]
    no, yes = (
        f"{kind}[data-ck-action={act}], {kind}:has([data-ck-action={act}])"
        for act in ("decline", "accept")
    )
    looks = (*STYLES, "borderTopLeftRadius", "paddingTop", "paddingLeft")

    assert computed(page, no, looks) == computed(page, yes, looks)
    boxes = [page.locator(each).first.bounding_box() for each in (no, yes)]
    assert boxes[0]
    assert boxes[1]
    assert boxes[0]["height"] == pytest.approx(boxes[1]["height"], abs=1)


@pytest.mark.requirement("D08")
def test_letters_and_gaps_cannot_be_set_too_small(
    browser: Browser, served: str
) -> None:
    tiny = ":root { --consentkit-size: 6px; --consentkit-space: 0px }"
    page = opened(browser, served, tiny)

    assert computed(page, BUTTON, ("fontSize",)) == ["16px"]
    boxes = [each.bounding_box() for each in page.locator(BUTTON).all()[:2]]
    assert all(box and box["height"] >= 44 for box in boxes)
    assert float(computed(page, ".consentkit-answers", ("rowGap",))[0][:-2]) >= 6
