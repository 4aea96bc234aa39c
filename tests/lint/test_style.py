from __future__ import annotations

import pytest

from consentkit.lint.style import concealment
from consentkit.lint.style import font_pixels
from consentkit.lint.tree import Element
from consentkit.lint.tree import parse


def target(html: str) -> tuple[Element, Element]:
    """The element with id t, and the body."""
    root = parse(html)
    body = next(root.find("body"))
    return next(e for e in root.elements() if e.get("id") == "t"), body


@pytest.mark.parametrize(
    ("style", "pixels"),
    [
        ("font-size: 9px", 9.0),
        ("FONT-SIZE:9PX !important", 9.0),
        ("font-size: 9pt", 12.0),
        ("font-size: .5em", 8.0),
        ("font-size: 50%", 8.0),
        ("font-size: 2rem", 32.0),
        ("font-size: smaller", 16 * 5 / 6),
        ("font-size: xx-small", 9.6),
        ("font: italic 10px/1.2 Arial", 10.0),
        ("font-size: calc(1px + 1vw)", 16.0),
        ("color: red", 16.0),
    ],
)
def test_the_size_of_text_is_read_from_the_markup(style: str, pixels: float) -> None:
    element, _ = target(f'<p id="t" style="{style}">x</p>')

    assert font_pixels(element) == pytest.approx(pixels)


def test_relative_sizes_multiply_down_the_tree() -> None:
    element, _ = target(
        '<div style="font-size: 80%"><small><i id="t">x</i></small></div>'
    )

    assert font_pixels(element) == pytest.approx(16 * 0.8 * 5 / 6)


HIDDEN = {
    "details": "<details><summary>a</summary><p id=t>x</p></details>",
    "attribute": "<p id=t hidden>x</p>",
    "display": "<div style='display: none'><p id=t>x</p></div>",
    "visibility": "<p id=t style='visibility:hidden'>x</p>",
    "opacity": "<p id=t style='opacity: 0.0'>x</p>",
    "aria": "<div aria-hidden=true><p id=t>x</p></div>",
    "off screen": "<p id=t style='position: absolute; left: -9999px'>x</p>",
    "clipped": "<p id=t style='clip: rect(0, 0, 0, 0)'>x</p>",
    "scrolling": "<div style='max-height: 3em; overflow: scroll'><p id=t>x</p></div>",
    "transparent": "<p id=t style='color: transparent'>x</p>",
    "no size": "<p id=t style='font-size: 0'>x</p>",
}
SHOWN = {
    "plain": "<p id=t>x</p>",
    "open details": "<details open><summary>a</summary><p id=t>x</p></details>",
    "summary": "<details><summary id=t>a</summary><p>x</p></details>",
    "opacity": "<p id=t style='opacity: 0.95'>x</p>",
    "small shift": "<p id=t style='left: -2px; margin-top: 0'>x</p>",
    "no fixed height": "<div style='overflow: auto'><p id=t>x</p></div>",
}


@pytest.mark.requirement("D09")
@pytest.mark.parametrize("html", HIDDEN.values(), ids=HIDDEN.keys())
def test_what_is_out_of_sight_is_known(html: str) -> None:
    element, body = target(html)

    assert concealment(element, below=body)


@pytest.mark.requirement("D09")
@pytest.mark.parametrize("html", SHOWN.values(), ids=SHOWN.keys())
def test_what_is_in_sight_is_known(html: str) -> None:
    element, body = target(html)

    assert not concealment(element, below=body)


def test_what_hides_the_whole_question_does_not_count() -> None:
    """A dialog that a script opens is judged by what it shows once open."""
    element, _ = target("<div hidden><section><p id=t>x</p></section></div>")
    section = element.parent
    assert section is not None

    assert not concealment(element, below=section)
