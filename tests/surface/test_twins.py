"""Decline and accept are twins: in every language, scheme and width, measured."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from typing import Any

import pytest

from consentkit.web.locale import Locale
from consentkit.web.locale import available_locales
from tests.surface.desk import draw
from tests.surface.shop import QUESTIONS
from tests.web import screens

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCHEMES: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced": {"color_scheme": "light", "forced_colors": "active"},
}
WIDTHS = (320, 768, 1280)

# What each of a pair looks like, in whatever state the pointer brings about.
TWINS = """() => [...document.querySelectorAll(".consentkit-answers")].map(pair => {
  const looks = each => {
    const style = getComputedStyle(each), text = getComputedStyle(each, "::before")
    const names = ["color", "backgroundColor", "backgroundImage", "opacity", "filter",
      "fontSize", "fontWeight", "fontFamily", "fontStyle", "textTransform",
      "letterSpacing", "textDecorationLine", "borderTopWidth", "borderTopColor",
      "borderTopStyle", "borderTopLeftRadius", "outlineStyle", "boxShadow",
      "paddingTop", "paddingLeft", "cursor", "visibility", "display"]
    return [...names.map(name => style[name]), text.content]
  }
  const boxes = [...pair.querySelectorAll("button, label")]
  return {
    actions: [...pair.querySelectorAll("[data-ck-action]")].map(
      each => each.dataset.ckAction),
    looks: boxes.map(looks),
    boxes: boxes.map(e => e.getBoundingClientRect()).map(
      b => [b.x, b.y, b.width, b.height]),
  }
})"""


def asked(purpose: str, locale: Locale = screens.ENGLISH) -> str:
    """The page that asks about one purpose."""
    app = screens.registry()
    view = screens.widget(app, purpose, locale)
    return screens.render("ask.html", view, locale, screens.site(app, locale))


def differences(pair: dict[str, Any], *, leftwards: bool) -> list[str]:
    """In what the two of a pair are not alike; the no comes first."""
    found = []
    if pair["actions"] != ["decline", "accept"]:
        found.append(f"order {pair['actions']}")
    looks = zip(*pair["looks"], strict=True)
    found += [f"{ours} and {theirs}" for ours, theirs in looks if ours != theirs]
    (x, y, width, height), (other_x, other_y, other_width, other_height) = pair["boxes"]
    if not math.isclose(width, other_width, abs_tol=1):
        found.append(f"width {width} and {other_width}")
    if not math.isclose(height, other_height, abs_tol=1):
        found.append(f"height {height} and {other_height}")
    if min(width, height) < 44:
        found.append(f"smaller than 44 by 44: {width} by {height}")
    beside = math.isclose(y, other_y, abs_tol=1) and (x > other_x) == leftwards
    below = math.isclose(x, other_x, abs_tol=1) and y < other_y
    if not beside and not below:
        found.append(f"in no row and no column: {pair['boxes']}")
    return found


@pytest.mark.requirement("R17", "R28", "D06", "D29", "D39", "D41")
@pytest.mark.parametrize("code", available_locales())
def test_no_and_yes_look_alike_everywhere(code: str, sheet: Page) -> None:
    locale = Locale(code)
    for question, purpose in QUESTIONS.items():
        draw(sheet, asked(purpose, locale))
        for scheme, media in SCHEMES.items():
            sheet.emulate_media(**media)
            for width in WIDTHS:
                sheet.set_viewport_size({"width": width, "height": 800})
                pairs = sheet.evaluate(TWINS)
                assert pairs, question
                for pair in pairs:
                    found = differences(pair, leftwards=locale.direction == "rtl")
                    assert found == [], (question, scheme, width)


@pytest.mark.requirement("R17", "D41")
@pytest.mark.parametrize("media", SCHEMES.values(), ids=SCHEMES)
def test_no_and_yes_answer_the_pointer_and_the_keyboard_alike(
    media: dict[str, Any], sheet: Page
) -> None:
    draw(sheet, asked("credit-score"))
    sheet.emulate_media(**media)
    read = """each => { const s = getComputedStyle(each); return [
      s.color, s.backgroundColor, s.textDecorationLine, s.borderTopColor,
      s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.transform] }"""
    no, yes = (
        sheet.locator(f"button[data-ck-action={a}]") for a in ("decline", "accept")
    )
    for do in ("hover", "focus"):
        looks = []
        for each in (no, yes):
            sheet.mouse.move(0, 0)
            getattr(each, do)()
            looks.append(each.evaluate(read))
        assert looks[0] == looks[1], do


BROKEN = {
    "a bolder yes": "[data-ck-action=accept] { font-weight: 900 !important }",
    "a paler no": "[data-ck-action=decline] { opacity: .6 !important }",
    "a wider yes": ".consentkit-answers { grid-template-columns: 1fr 2fr !important }",
    "a yes that comes first": ".consentkit-answers { direction: rtl }",
    "a no that is lower": "[data-ck-action=decline] { margin-top: 2rem !important }",
    "a no with another edge": "[data-ck-action=decline] { border: dotted !important }",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_difference_is_noticed(name: str, sheet: Page) -> None:
    sheet.set_viewport_size({"width": 1280, "height": 800})
    sheet.emulate_media(**SCHEMES["light"])
    draw(sheet, asked("credit-score"))
    sheet.add_style_tag(content=BROKEN[name])
    (pair,) = sheet.evaluate(TWINS)
    assert differences(pair, leftwards=False)
