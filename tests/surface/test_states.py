"""What holds of every page in every state: people can see it, read it and get at it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.surface.desk import draw
from tests.surface.test_languages import TOO_WIDE
from tests.web import screens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

# In the dark nothing but the colours is another.
COLOURS: dict[str, Any] = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
PHONE, DESK = {"width": 320, "height": 640}, {"width": 1280, "height": 800}

# WCAG 1.4.12: a reader may ask for this much room, and loses nothing.
ROOMY = """* { line-height: 1.5 !important; letter-spacing: .12em !important;
  word-spacing: .16em !important } p { margin-block-end: 2em !important }"""

# What somebody presses, and how large; a link in a sentence may be as small as words.
TARGETS = """() => [...document.querySelectorAll("a, button, input, select, label")]
  .filter(each => each.closest(".consentkit, .consentkit-page"))
  .filter(each => each.checkVisibility() && each.type !== "hidden")
  .filter(each => !(each.matches("input") && each.closest("label")))
  .filter(each => !each.matches(".consentkit-skip") && !each.matches("label[for]"))
  .map(each => {
    const box = each.getBoundingClientRect(), block = each.closest("p, li, dd, td, div")
    return {
      name: each.textContent.trim() || each.name,
      answer: each.matches("[data-ck-action]")
        || !!each.querySelector("[data-ck-action]"),
      inline: each.matches("a") && !!block
        && block.textContent.trim() !== each.textContent.trim(),
      size: Math.min(box.width, box.height),
    }
  })"""

# The element with the focus: what shows it, and whether it is covered or out of sight.
FOCUSED = """() => {
  const each = document.activeElement
  if (each === document.body) return null
  const style = getComputedStyle(each), box = each.getBoundingClientRect()
  const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)
  return {
    name: each.outerHTML.slice(0, 90),
    ours: !!each.closest(".consentkit, .consentkit-page"),
    shown: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    inSight: box.bottom > 0 && box.top < innerHeight && box.width > 0,
    covered: !!at && !each.contains(at) && !at.contains(each)
      && ![...(each.labels ?? [])].some(label => label.contains(at)),
  }
}"""


def each_drawn(
    sheet: Page, states: dict[str, str], size: dict[str, int] = DESK
) -> Iterator[str]:
    """The states, drawn one after the other; their names."""
    sheet.set_viewport_size({"width": size["width"], "height": size["height"]})
    for name, html in states.items():
        draw(sheet, html)
        yield name


def test_every_template_that_is_a_page_is_among_the_states(
    states: dict[str, str],
) -> None:
    folder = screens.WEB / "templates" / "consentkit"
    titles = {
        re.escape(word)
        for template in folder.glob("*.html")
        for word in re.findall(r'block title %}{{ t\("([^"]+)"\)', template.read_text())
    }
    shown = "\n".join(re.findall(r"<title>(.*?)</title>", "\n".join(states.values())))
    assert len(titles) > 8
    assert [each for each in titles if not re.search(each, shown)] == []


@pytest.mark.requirement("R110", "R28", "D07", "D08")
def test_axe_finds_nothing_in_any_state(sheet: Page, states: dict[str, str]) -> None:
    wrong, seen = {}, set[str]()
    for name in each_drawn(sheet, states):
        sheet.emulate_media(color_scheme="light")
        found = Axe().run(sheet)
        looks = set(re.findall(r'class="([^"]+)"', states[name]))
        if looks - seen:
            seen |= looks
            sheet.emulate_media(color_scheme="dark")
            dark = Axe().run(sheet, options=COLOURS)
            found.response["violations"] += dark.response["violations"]
        if found.violations_count:
            wrong[name] = found.generate_report()
    assert wrong == {}, "\n".join(f"{name}: {said}" for name, said in wrong.items())


@pytest.mark.requirement("R110", "R114")
def test_words_may_be_twice_as_large_and_have_more_room(
    sheet: Page, states: dict[str, str]
) -> None:
    """WCAG 1.4.4, 1.4.10 and 1.4.12; 320 pixels are 1280 at four times the size."""
    for name in each_drawn(sheet, states, PHONE):
        assert sheet.evaluate(TOO_WIDE) == [], (name, "320 pixels")
        sheet.add_style_tag(content=ROOMY)
        assert sheet.evaluate(TOO_WIDE) == [], (name, "text spacing")
    for name in each_drawn(sheet, states, {"width": 640, "height": 800}):
        sheet.add_style_tag(content="html { font-size: 200% !important }")
        assert sheet.evaluate(TOO_WIDE) == [], (name, "200 %")


@pytest.mark.requirement("R110", "D39")
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_what_is_pressed_is_large_enough(
    sheet: Page, states: dict[str, str], size: dict[str, int]
) -> None:
    """WCAG 2.5.8 asks for 24 pixels; an answer has the 44 of WCAG 2.5.5."""
    small = set()
    for name in each_drawn(sheet, states, size):
        for each in sheet.evaluate(TARGETS):
            least = 44 if each["answer"] else 0 if each["inline"] else 24
            if each["size"] < least:
                small.add((name, each["name"], each["size"]))
    assert sorted(small) == []


@pytest.mark.requirement("R110", "R111", "D40")
def test_whatever_has_the_focus_shows_it_and_is_in_sight(
    sheet: Page, states: dict[str, str]
) -> None:
    """WCAG 2.1.2, 2.4.7 and 2.4.11."""
    looks = set[frozenset[str]]()
    for name in each_drawn(sheet, states, PHONE):
        kinds = frozenset(re.findall(r'class="([^"]+)"', states[name]))
        if kinds in looks:
            continue
        looks.add(kinds)
        places = []
        for _ in range(60):
            sheet.keyboard.press("Tab")
            found = sheet.evaluate(FOCUSED)
            if found is None:
                break
            places.append(found["name"])
            assert found["shown"] or not found["ours"], (name, found)
            assert found["inSight"], (name, found)
            assert not found["covered"], (name, found)
        assert places, name
        assert len(places) < 60, f"{name}: the focus cannot leave"


@pytest.mark.requirement("R110")
def test_nothing_moves(sheet: Page, states: dict[str, str]) -> None:
    """With or without a wish for less motion there is none."""
    for name in each_drawn(sheet, states):
        moving = sheet.evaluate(
            "[...document.querySelectorAll('*')].filter(each => {"
            "const s = getComputedStyle(each); return s.animationName !== 'none' ||"
            "parseFloat(s.transitionDuration) > 0 || s.scrollBehavior === 'smooth'})"
            ".map(each => each.outerHTML.slice(0, 80))"
        )
        assert moving == [], name


@pytest.mark.requirement("R110", "R113")
def test_each_page_has_one_heading_a_title_and_a_language(
    sheet: Page, states: dict[str, str]
) -> None:
    titles = {}
    for name in each_drawn(sheet, states):
        levels = sheet.locator("h1, h2, h3, h4").evaluate_all(
            "all => all.map(each => Number(each.tagName[1]))"
        )
        assert levels.count(1) == 1, name
        assert levels[0] == 1, name
        steps = [deeper - level for level, deeper in pairwise(levels)]
        assert all(step <= 1 for step in steps), (name, levels)
        assert sheet.evaluate("document.documentElement.lang"), name
        titles[name] = sheet.title()
        assert titles[name], name
    refused = [titles[name] for name in ("no answer", "a spent form")]
    assert all(title != titles["a question, credit-score"] for title in refused)
