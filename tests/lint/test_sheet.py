"""What a page's own style sheets and scripts say, told from their text."""

from __future__ import annotations

import pytest

from consentkit.lint.colour import read_colour
from consentkit.lint.script import foreign_call
from consentkit.lint.script import kept_cookie
from consentkit.lint.style import declarations
from consentkit.lint.style import font_pixels
from consentkit.lint.tree import parse

SHEETS = {
    "a class": (".x { font-size: 9px }", 9.0),
    "the heavier selector": ("#p { font-size: 9px } p { font-size: 20px }", 9.0),
    "the later of two": ("p { font-size: 20px } p { font-size: 9px }", 9.0),
    "a comment": ("/* p { font-size: 8px } */ p { font-size: 9px }", 9.0),
    "a block for all screens": ("@media screen { p { font-size: 9px } }", 9.0),
    "a block for some screens": (
        "@media (max-width: 9px) { p { font-size: 9px } }",
        16,
    ),
    "a state": ("p:hover { font-size: 9px }", 16.0),
    "a selector that is none": ("p[ { font-size: 9px }", 16.0),
    "an open end": ("p { font-size: 9px", 16.0),
}


@pytest.mark.parametrize(("css", "pixels"), SHEETS.values(), ids=SHEETS.keys())
def test_a_sheet_in_the_page_is_read(css: str, pixels: float) -> None:
    page = parse(f'<style>{css}</style><p class="x" id="p">A')

    assert font_pixels(next(page.find("p"))) == pixels


def test_the_attribute_outweighs_the_sheet() -> None:
    page = parse('<style>p { color: red; left: 0 }</style><p style="color: blue">A')

    assert declarations(next(page.find("p"))) == {"color": "blue", "left": "0"}


COLOURS = {
    "#fff": (255.0, 255.0, 255.0),
    "#0a58ca": (10.0, 88.0, 202.0),
    "rgb(1, 2, 3)": (1.0, 2.0, 3.0),
    "rgba(1,2,3,1)": (1.0, 2.0, 3.0),
    "silver": (192.0, 192.0, 192.0),
    "rgba(1, 2, 3, .5)": None,
    "var(--ink)": None,
    "transparent": None,
}


@pytest.mark.parametrize(("value", "colour"), COLOURS.items())
def test_a_colour_is_read_where_it_is_certain(value: str, colour: object) -> None:
    assert read_colour(value) == colour


CALLS = {
    "an image": ("new image().src = 'https://a.example/x'", "a.example"),
    "no scheme": ("fetch('//a.example/x')", "a.example"),
    "the own host": ("fetch('https://own.example/x')", ""),
    "an address without host": ("fetch('/x')", ""),
    "after a yes": ("function yes() { fetch('https://a.example') }", ""),
    "after a click": ("addeventlistener('click', () => fetch('//a.example'))", ""),
}


@pytest.mark.requirement("D38")
@pytest.mark.parametrize(("code", "host"), CALLS.values(), ids=CALLS.keys())
def test_a_call_that_a_script_makes_at_once_is_told(code: str, host: str) -> None:
    assert foreign_call(code, own={"", "own.example"}) == host


@pytest.mark.requirement("D38")
def test_a_cookie_that_no_session_needs_is_told() -> None:
    assert kept_cookie("document.cookie = '_ga=1'") == "_ga"
    assert not kept_cookie("document.cookie = 'sessionid=1'")
    assert not kept_cookie("const yes = () => { document.cookie = '_ga=1' }")
