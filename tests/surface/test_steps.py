"""No is as near as yes, and the way out is no longer than the way in: counted.

Clicks, keys and pages that load are counted in the browser, from the page on which the
question stands, or from the centre.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.surface.desk import Steps
from tests.surface.desk import steps_of
from tests.surface.shop import QUESTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from playwright.sync_api import Page

    from tests.surface.shop import Shop

ACCEPT, DECLINE = "[data-ck-action=accept]", "[data-ck-action=decline]"
STOP = "[data-ck-action=withdraw]"
SAVE = ".consentkit-save button"
PERSON = "stepper"

# The page of ours that holds nothing else, and a page of the app with other things.
PLACES = {"the full page": "/consent/ask/{}", "a page of the app": "/today/{}"}


def show(figures: str) -> None:
    """Print what was counted, for whoever runs this with ``-s``."""
    sys.stdout.write(f"{figures}\n")


@pytest.fixture(scope="module")
def page(browser: Browser, shop: Shop) -> Iterator[Page]:
    with shop.visit(browser, PERSON) as page:
        yield page


@pytest.fixture
def anew(shop: Shop) -> Callable[[], None]:
    """Forget the person's answers."""
    return lambda: shop.forget(PERSON)


def click_answers(steps: Steps, button: str) -> None:
    """Give one answer to every question on the page, with the mouse."""
    if not steps.page.locator(SAVE).count():
        steps.click(button, leads=True)
        return
    for each in range(steps.page.locator(button).count()):
        steps.click(f"{button} >> nth={each}")
    steps.click(SAVE, leads=True)


def type_answers(steps: Steps, button: str) -> None:
    """The same by keyboard alone."""
    if not steps.page.locator(SAVE).count():
        steps.tab_to(button)
        steps.press("Enter", leads=True)
        return
    pairs = steps.page.locator(DECLINE)
    for name in pairs.evaluate_all("all => all.map(each => each.name)"):
        steps.tab_to(f"[name='{name}']")
        # The first of the pair has the focus by now; an arrow chooses the second.
        steps.press("Space" if button == DECLINE else "ArrowDown")
    steps.tab_to(SAVE)
    steps.press("Enter", leads=True)


HANDS: dict[str, Callable[[Steps, str], None]] = {
    "mouse": click_answers,
    "keyboard": type_answers,
}


def said(page: Page, word: str) -> int:
    """How many answers the result page tells, all of them ``word``."""
    told = page.locator(".consentkit-said").all_inner_texts()
    assert all(word in each for each in told), told
    return len(told)


@pytest.mark.requirement("R17", "R53", "D05", "D31")
@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("place", PLACES)
def test_no_and_stopping_take_no_more_steps_than_yes(
    place: str, question: str, page: Page, anew: Callable[[], None]
) -> None:
    address = PLACES[place].format(QUESTIONS[question])
    for hand, answer in HANDS.items():
        anew()
        page.goto(address)
        with steps_of(page) as decline:
            answer(decline, DECLINE)
        asked = said(page, "no")
        anew()
        page.goto(address)
        with steps_of(page) as accept:
            answer(accept, ACCEPT)
        assert said(page, "yes") == asked > 0
        page.goto(address)
        with steps_of(page) as stop:
            stop_all(stop, hand)
        assert said(page, "stopped") == asked

        show(f"{place}, {question}, {hand}: yes {accept}; no {decline}; stop {stop}")
        assert decline.total <= accept.total, (hand, str(decline), str(accept))
        assert stop.total <= accept.total, (hand, str(stop), str(accept))


def stop_all(steps: Steps, hand: str) -> None:
    """The first such button on the page stops all that was agreed to there."""
    if hand == "mouse":
        steps.click(f"{STOP} >> nth=0", leads=True)
    else:
        steps.tab_to(STOP)
        steps.press("Enter", leads=True)


@pytest.mark.requirement("R53", "R54", "D31")
@pytest.mark.parametrize("place", PLACES)
def test_one_of_several_answers_is_stopped_by_one_press_where_it_stands(
    place: str, page: Page, anew: Callable[[], None]
) -> None:
    anew()
    address = PLACES[place].format("shop-offers")
    page.goto(address)
    click_answers(Steps(page), ACCEPT)
    page.goto(address)
    with steps_of(page) as stop:
        stop.click("article >> nth=0 >> button", leads=True)
    assert said(page, "stopped") == 1
    assert (stop.clicks, stop.loads) == (1, 1)


@pytest.mark.requirement("R52", "R53", "D31", "D32")
@pytest.mark.parametrize("question", QUESTIONS)
def test_from_the_centre_the_way_out_is_no_longer_than_the_way_in(
    question: str, page: Page, anew: Callable[[], None]
) -> None:
    """In: the link to the question, then its answers. Out: one press."""
    anew()
    page.goto("/consent/")
    with steps_of(page) as way_in:
        link = f".consentkit-links a[href$='/ask/{QUESTIONS[question]}']"
        way_in.click(link, leads=True)
        click_answers(way_in, ACCEPT)
    page.goto("/consent/")
    with steps_of(page) as way_out:
        way_out.click(f"{STOP} >> nth=0", leads=True)
    assert said(page, "stopped") >= 1

    show(f"the centre, {question}: in {way_in}; out {way_out}")
    assert way_out.total <= way_in.total
    page.goto("/consent/")
    assert page.locator(STOP).count() == 0
