"""Every word of ours on every page goes through the catalogue, in both directions."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from consentkit.web.locale import Locale

from . import screens
from .pseudo import GROWTH
from .pseudo import Pseudo
from .pseudo import disguise
from .test_translations import MESSAGES

SPOKEN = {"aria-label", "data-label", "title", "placeholder", "alt"}
"""Attributes whose text a person hears or sees."""
CODES = re.compile(r"\S*[/@.]\S*|[0-9a-f]{8,}…?|UTC")


class Spoken(HTMLParser):
    """What a page says, but for commands and the names of other languages."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self._silent = ""  # the element whose text is not listened to
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        named = tag in {"a", "span"} and "lang" in given
        if named or tag in {"code", "pre"}:
            self._silent = tag
        self.said += [text for name in SPOKEN if (text := given.get(name))]

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.said.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = ""


def english(html: str) -> set[str]:
    """The words of plain Latin letters that a page says."""
    text = CODES.sub("", " ".join(Spoken(html).said))
    return set(re.findall(r"[A-Za-z]{2,}", text))


@pytest.mark.parametrize("message", sorted(MESSAGES))
def test_the_disguise_is_longer_and_keeps_what_is_not_words(
    message: tuple[str, ...],
) -> None:
    for each in message:
        shown = disguise(each)
        assert len(shown) >= int(len(each) * GROWTH)
        assert re.findall(r"\{\w+\}", shown) == re.findall(r"\{\w+\}", each)
        assert [shown.count(mark) for mark in "*[]"] == [
            each.count(mark) for mark in "*[]"
        ]
        assert english(re.sub(r"\{\w+\}", "", shown)) == set()


@pytest.mark.requirement("R114", "D33")
@pytest.mark.parametrize("code", ["ar", "zh-Hans"])
def test_every_word_of_ours_comes_from_the_catalogue(code: str) -> None:
    """Dates and countries are lent by languages that do not use Latin letters."""
    for render in (screens.all_pages, screens.rare_pages):
        for name, page in render(Pseudo(code), lambda _: "·").items():
            # A notice names the code of its language.
            assert english(page) <= set(code.split("-")), name
            assert page.count("⟦") == page.count("⟧") > 0, name


@pytest.mark.requirement("R114")
def test_a_word_that_bypasses_the_catalogue_is_noticed() -> None:
    english_pages = screens.all_pages(Locale("en"), lambda _: "·")
    assert {"Your", "choices"} <= english(english_pages["centre"])
    assert english('<p aria-label="Stop it">⟦Ŝţöþ⟧</p>') == {"Stop", "it"}
