"""What a live page does when somebody moves, tries a switch, leaves and comes back."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import urldefrag

from consentkit.lint.address import answers_in
from consentkit.lint.control import Control
from consentkit.lint.control import Kind
from consentkit.lint.grant_field import is_grant
from consentkit.lint.page import Page
from consentkit.lint.sight import STAMP
from consentkit.lint.sight import Meeting

if TYPE_CHECKING:
    from playwright.sync_api import Locator
    from playwright.sync_api import Page as Tab
    from playwright.sync_api import Request

    from consentkit.lint.question import Question

__all__ = ["gestures", "returning", "switches"]

_PAUSE = 300  # milliseconds: longer than the debounce of common scroll handlers
# A wall of hundreds of switches is drawn by one rule; twelve of them show it.
_MOST_SWITCHES = 12
_STORED = "[document.cookie, ...Object.entries(localStorage).flat()].join(';')"
_IS_ON = (
    "e => ['aria-checked', 'aria-pressed'].some(n => e.getAttribute(n) === 'true')"
    " || e.checked === true"
)
_LIES = (
    "e => typeof e.checked === 'boolean' && e.hasAttribute('aria-checked')"
    " && e.checked !== (e.getAttribute('aria-checked') === 'true')"
)
# The label shows the state where the control itself is drawn over.
# The greatest difference in brightness between the same places of two pictures.
_GREATEST_GREY = """async (pictures) => {
  const greys = await Promise.all(pictures.map(async (data) => {
    const image = new Image();
    image.src = "data:image/png;base64," + data;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    const { data: rgba } = pen.getImageData(0, 0, image.width, image.height);
    const grey = [];
    for (let i = 0; i < rgba.length; i += 4)
      grey.push(0.2126 * rgba[i] + 0.7152 * rgba[i + 1] + 0.0722 * rgba[i + 2]);
    return grey;
  }));
  if (greys[0].length !== greys[1].length) return null;
  return greys[0].reduce((m, g, i) => Math.max(m, Math.abs(g - greys[1][i])), 0);
}"""
_LEAST_GREY = 48.0  # of 255; less is lost on a poor screen or in sunlight
_BOX = "e => (e.labels && e.labels[0]) || e.closest('label') || e.parentElement || e"


def gestures(tab: Tab) -> tuple[str, ...]:
    """Scroll, press Escape and leave the window, and return what the page did then."""
    sent: list[str] = []

    def note(request: Request) -> None:
        grants = any(is_grant(*pair) for pair in answers_in(request.url))
        if request.method != "GET" or grants:
            sent.append(f"sends a {request.method} to {request.url}")

    before, address = tab.evaluate(_STORED), tab.url
    tab.on("request", note)
    try:
        _move(tab)
    finally:
        tab.remove_listener("request", note)
    if tab.url != address:
        return (*sent, f"goes on to {tab.url}")
    if tab.evaluate(_STORED) != before:
        sent.append("keeps something in the browser")
    return tuple(dict.fromkeys(sent))


def _move(tab: Tab) -> None:
    tab.mouse.move(200, 200)
    tab.mouse.wheel(0, 600)
    tab.wait_for_timeout(_PAUSE)
    tab.mouse.wheel(0, -600)
    tab.mouse.move(200, 0)
    tab.keyboard.press("Escape")
    tab.evaluate(
        "for (const name of ['mouseleave', 'mouseout'])"
        " document.dispatchEvent(new MouseEvent(name, {clientY: -1, bubbles: true}))"
    )
    tab.wait_for_timeout(_PAUSE)


def switches(tab: Tab, question: Question, *, beside: Tab) -> Meeting:
    """Try each switch; tell those that look the same both ways, and those that lie.

    Afterwards each is on: what a page makes of that on the way back is seen then.
    Pictures are compared ``beside``, in a tab of no page, which is closed.
    """
    stubborn, lying, coloured = set(), set(), set()
    toggles = [c for c in question.controls if c.kind in {Kind.TICK, Kind.SWITCH}]
    for control in toggles[:_MOST_SWITCHES]:
        stamp = control.element.get(STAMP)
        live = tab.locator(f'[{STAMP}="{stamp}"]')
        if control.element.has("disabled") or not _box(live).is_visible():
            continue
        pictures = _both_ways(live)
        if pictures is not None and pictures[0] == pictures[1]:
            stubborn.add(stamp)
        elif pictures is not None and _differ_in_colour_alone(beside, pictures):
            coloured.add(stamp)
        if live.evaluate(_LIES):
            lying.add(stamp)
    beside.close()
    return Meeting(
        stubborn=frozenset(stubborn),
        lying=frozenset(lying),
        coloured=frozenset(coloured),
    )


def _box(live: Locator) -> Locator:
    """Return what is seen of a control: itself with its label."""
    handle = live.evaluate_handle(_BOX).as_element()
    stamp = handle.get_attribute(STAMP) if handle else ""
    return live.page.locator(f'[{STAMP}="{stamp}"]')


def _both_ways(live: Locator) -> tuple[bytes, bytes] | None:
    """Work the switch by script, as the keyboard would, and return its pictures.

    The pointer stays away, and focus is dropped: neither may pass for a state.
    """
    before, was_on = _picture(live), live.evaluate(_IS_ON)
    live.evaluate("e => { e.click(); e.blur(); }")
    live.page.wait_for_timeout(_PAUSE)  # an animated switch comes to rest
    if not live.count() or live.evaluate(_IS_ON) == was_on:
        return None  # it asks something first, or tells no state: D19's matter
    return before, _picture(live)


def _differ_in_colour_alone(tab: Tab, pictures: tuple[bytes, bytes]) -> bool:
    """Tell whether nobody who sees no colours could tell two pictures apart."""
    encoded = [base64.b64encode(picture).decode() for picture in pictures]
    most = tab.evaluate(_GREATEST_GREY, encoded)
    return most is not None and float(most) < _LEAST_GREY


def _picture(live: Locator) -> bytes:
    return _box(live).screenshot(animations="disabled", caret="hide")


def returning(tab: Tab, question: Question, address: str) -> tuple[str, ...]:
    """Leave the page and come back, both ways; return the labels of what is on."""
    before = {control.label for control in question.controls if _is_yes(control)}
    tab.reload()
    found = _on_now(tab)
    tab.goto("about:blank")
    tab.go_back()
    if urldefrag(tab.url).url != urldefrag(address).url:
        tab.goto(address)
    return tuple(dict.fromkeys(x for x in (*found, *_on_now(tab)) if x in before))


def _is_yes(control: Control) -> bool:
    return control.says_yes and control.kind in {Kind.TICK, Kind.SWITCH, Kind.RADIO}


def _on_now(tab: Tab) -> list[str]:
    """Return the labels of all that is on though the markup does not say so."""
    on = "[...document.querySelectorAll('input')].filter(e => e.checked"
    tab.evaluate(
        f"{on} && !e.defaultChecked).forEach(e => e.setAttribute('{STAMP}', 'on'))"
    )
    page = Page.parse(tab.content())
    return [
        control.label
        for question in page.questions
        for control in question.controls
        if control.element.get(STAMP) == "on"
    ]
