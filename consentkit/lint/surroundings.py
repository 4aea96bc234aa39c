"""The page around its questions: what every rule may look up, found once a page."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.address import host_of
from consentkit.lint.passages import visible_text
from consentkit.lint.style import font_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.naming import Namer
    from consentkit.lint.tree import Element

__all__ = ["Surroundings"]

_LOADING = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "input": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "video": "src",
}
_LOADED_LINKS = frozenset({"icon", "modulepreload", "preload", "stylesheet"})


@dataclass(frozen=True, eq=False)
class Surroundings:
    """The document, its names and language, and what it does by itself.

    ``roots`` are the identities of the elements at which questions start.
    """

    document: Element
    namer: Namer
    roots: frozenset[int]
    language: str
    address: str
    _telling: dict[int, bool] = field(default_factory=dict, repr=False)

    @cached_property
    def text_pixels(self) -> float:
        """The size of the page's running text, as far as the markup tells."""
        return font_pixels(next(self.document.find("body"), self.document))

    @cached_property
    def foreign_loads(self) -> tuple[tuple[Element, str], ...]:
        """What is fetched from another host when the page is shown, with the host."""
        own = {host_of(self.address), *self._declared_hosts()}
        return tuple(
            (element, host)
            for element in self.document.elements()
            if (host := host_of(_loaded_address(element))) and host not in own
        )

    @cached_property
    def refreshes(self) -> tuple[Element, ...]:
        """The declarations by which the page goes on by itself."""
        return tuple(
            element
            for element in self.document.find("meta")
            if element.get("http-equiv").lower() == "refresh"
        )

    @cached_property
    def submitting_scripts(self) -> tuple[Element, ...]:
        """The inline scripts that send a form or press a button after a time."""
        return tuple(
            element
            for element in self.document.find("script")
            if lexicon.has("automatic-submit", lexicon.fold(element.text()))
        )

    @cached_property
    def gesture_scripts(self) -> tuple[Element, ...]:
        """The inline scripts that answer for the person when they move or scroll."""
        return tuple(
            element
            for element in self.document.find("script")
            if lexicon.has("gesture-script", lexicon.fold(element.text()))
        )

    def tells_of_withdrawal(self, element: Element) -> bool:
        """Tell whether the text of an element says that a yes can be withdrawn."""
        if id(element) not in self._telling:
            text = lexicon.fold(visible_text(element))
            self._telling[id(element)] = lexicon.has("withdrawal", text)
        return self._telling[id(element)]

    def form_of(self, element: Element) -> Element | None:
        """Return the form that owns the element, if any (HTML, form owner)."""
        if element.get("form"):
            return self.namer.element(element.get("form"))
        return next((e for e in element.lineage() if e.tag == "form"), None)

    def _declared_hosts(self) -> Iterator[str]:
        for element in self.document.find("base", "link"):
            if element.tag == "base" or "canonical" in element.tokens("rel"):
                yield host_of(element.get("href"))


def _loaded_address(element: Element) -> str:
    attribute = _LOADING.get(element.tag)
    if attribute is None:
        return ""
    if element.tag == "link" and not _LOADED_LINKS & set(element.tokens("rel")):
        return ""
    return element.get(attribute)
