"""Pictures of the running example app for the docs: ``make screenshots``.

The app is started as real processes in a folder that is thrown away, somebody signs
in, and each page is opened, answered and photographed as people meet it. A picture is
reduced to the colours that it needs; one that is too heavy or shows no page of ours
stops the script.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from PIL import Image
from playwright.sync_api import Error

from consentkit.lint.chromium import chromium
from tests.running import example_app
from tests.surface.desk import signed_in

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["IMAGES", "LARGEST", "SHOTS"]

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
LARGEST = 60_000  # bytes of a picture; a page of the docs has ten of them
_COLOURS = (16, 12, 8)  # letters are grey on one paper, buttons have one colour
_DESK: dict[str, Any] = {"viewport": {"width": 640, "height": 760}}
_PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}}
_TALLEST, _SHORT = 2_000, 1_100  # what is further down, a picture need not show
_NARROW = 500
_MARGIN = 32
_ASK = "/consent/ask/credit-score"
_ACCEPT = "[data-ck-action=accept]"
_STOP = "[data-ck-action=withdraw]"
_STATEMENT = ".consentkit-statement"
_CHECKED = "[data-outcome=holds]"
_WHO = "maya"
_PATIENCE = 30  # seconds until an answer is in the log

Step = Callable[["Page"], object]
"""What somebody does on a page before its picture is taken."""


@dataclass(frozen=True)
class Shot:
    """One picture: how to get to the page, and what has to be on it."""

    name: str
    go: Step
    shows: str
    options: dict[str, Any] = field(default_factory=lambda: _DESK)


def _open(path: str) -> Step:
    return lambda page: page.goto(path)


def _press(selector: str) -> Step:
    """Press the first control of the kind, and wait for what comes."""
    return lambda page: page.locator(selector).first.click()


def _agree(page: Page) -> None:
    page.goto(_ASK)
    _press(_ACCEPT)(page)


def _receipt(page: Page) -> None:
    """The receipt of the yes that holds, once the page has checked its proof."""
    page.goto("/consent/")
    page.locator("a[href*='/receipts/']").first.click()
    for _ in range(_PATIENCE):
        page.wait_for_timeout(1_000)
        if page.locator(_CHECKED).count():
            return
        page.reload()


def _share(page: Page) -> None:
    """Have the score worked out, which sends data to the credit scorer."""
    page.goto("/credit-score")
    page.locator("main form button").first.click()
    page.goto("/consent/disclosures")


def _stop(page: Page) -> None:
    page.goto("/consent/")
    _press(_STOP)(page)


SHOTS = (
    Shot("bill", _open("/review"), "main"),
    Shot("question", _open(_ASK), _STATEMENT),
    Shot("question-phone", _open(_ASK), _STATEMENT, options=_PHONE),
    Shot(
        *("question-dark", _open(_ASK), _STATEMENT),
        options={**_PHONE, "color_scheme": "dark"},
    ),
    Shot(
        *("question-zh", _open(f"{_ASK}?lang=zh-Hans"), _STATEMENT),
        options=_PHONE,
    ),
    Shot("question-ar", _open(f"{_ASK}?lang=ar"), _STATEMENT, options=_PHONE),
    Shot("answer", _agree, ".consentkit-said"),
    Shot("shares", _share, ".consentkit-table"),
    Shot("centre", _open("/consent/"), _STOP),
    Shot("receipt", _receipt, _CHECKED),
    Shot("erasure", _open("/consent/erasure"), "main form"),
    Shot("stopped", _stop, ".consentkit-said"),
)
"""In the order of one visit: each picture finds what the ones before it left."""


def take(folder: Path) -> None:
    """Walk through the app and write the pictures.

    Raises:
        ValueError: a page shows something else, or a picture is heavier than a page
            of the docs should load.
    """
    with (
        tempfile.TemporaryDirectory() as instance,
        example_app(Path(instance)) as app,
        chromium() as browser,
    ):
        for shot in SHOTS:
            with signed_in(browser, app, _WHO, **shot.options) as page:
                shot.go(page)
                _expect(page, shot)
                picture = _small(_photograph(page))
            if len(picture) > LARGEST:
                raise ValueError(f"{shot.name}: {len(picture)} bytes of {LARGEST}")
            (folder / f"{shot.name}.png").write_bytes(picture)
            sys.stdout.write(f"{shot.name}.png: {len(picture)} bytes\n")


def _expect(page: Page, shot: Shot) -> None:
    """Wait for what the picture is of.

    Raises:
        ValueError: the page has something else; the error says what.
    """
    try:
        page.locator(shot.shows).first.wait_for(timeout=_PATIENCE * 1_000)
    except Error as error:
        said = page.locator("body").inner_text()
        raise ValueError(
            f"{shot.name}: no {shot.shows} on this page: {said}"
        ) from error


def _photograph(page: Page) -> bytes:
    """The page from its top to the end of what it says, at rest."""
    page.evaluate("document.activeElement.blur()")
    width, end = page.evaluate(
        "[innerWidth, document.querySelector('main').getBoundingClientRect().bottom]"
    )
    height = min(end + _MARGIN, _SHORT if width < _NARROW else _TALLEST)
    return page.screenshot(
        full_page=True,
        animations="disabled",
        clip={"x": 0, "y": 0, "width": width, "height": height},
    )


def _small(picture: bytes) -> bytes:
    """The same picture, with as many colours as fit into its weight."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in _COLOURS:
        written = io.BytesIO()
        reduced = image.quantize(colours, dither=Image.Dither.NONE)
        reduced.save(written, "PNG", optimize=True)
        if written.tell() <= LARGEST:
            break
    return written.getvalue()


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    take(Path(sys.argv[1]) if sys.argv[1:] else IMAGES)
