"""The page around its questions: what every rule may look up, found once a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.address import host_of
from consentkit.lint.passages import visible_text
from consentkit.lint.style import declarations
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


_PAINTED = re.compile(r"""url\(\s*["']?([^"')\s]+)""")
# Sheets and fonts that a sheet in the page asks for.
_IMPORTED = re.compile(
    r"""(?:@import\s+(?:url\()?|src:\s*url\()\s*(?:"([^"]+)|'?([^"')\s;]+))"""
)
_FOCUSED = re.compile(
    r"""(?:getElementById\(\s*|querySelector\(\s*["']\#)["']?([\w-]+)["']\s*\)"""
    r"""\s*\??\.\s*focus\("""
)


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
    def linked_sheets(self) -> bool:
        """Whether style sheets that are not in the page decide on looks as well."""
        linked = (e for e in self.document.find("link"))
        if any("stylesheet" in link.tokens("rel") for link in linked):
            return True
        return any("@import" in e.text() for e in self.document.find("style"))

    @cached_property
    def foreign_loads(self) -> tuple[tuple[Element, str], ...]:
        """What is fetched from another host when the page is shown, with the host."""
        return tuple(
            (element, host)
            for element in self.document.elements()
            for address in (_loaded_address(element), *_painted_addresses(element))
            if (host := host_of(address)) and host not in self.own_hosts
        )

    @cached_property
    def own_hosts(self) -> frozenset[str]:
        """The hosts that are the page's own."""
        return frozenset({host_of(self.address), *self._declared_hosts()})

    @cached_property
    def refreshes(self) -> tuple[Element, ...]:
        """The declarations by which the page goes on by itself."""
        return tuple(
            element
            for element in self.document.find("meta")
            if element.get("http-equiv").lower() == "refresh"
        )

    @cached_property
    def scripts(self) -> tuple[tuple[Element, str], ...]:
        """What runs by itself in the page's own markup: each element with its code."""
        return tuple(
            (element, lexicon.fold(code))
            for element in self.document.elements()
            if (code := _own_code(element))
        )

    @cached_property
    def focused_ids(self) -> frozenset[str]:
        """The ids of elements that an inline script puts the focus on."""
        found = (_FOCUSED.findall(element.text()) for element, _ in self.scripts)
        return frozenset(id_ for ids in found for id_ in ids)

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


def _own_code(element: Element) -> str:
    """Return an inline script's code, or what runs when the element is there."""
    if element.tag == "script":
        return element.text()
    return " ".join(element.get(name) for name in ("onload", "onerror", "onpageshow"))


def _painted_addresses(element: Element) -> list[str]:
    """Return the addresses of the pictures that its style asks for."""
    if element.tag == "style":
        return [one or other for one, other in _IMPORTED.findall(element.text())]
    return _PAINTED.findall(" ".join(declarations(element).values()))


def _loaded_address(element: Element) -> str:
    attribute = _LOADING.get(element.tag)
    if attribute is None:
        return ""
    if element.tag == "link" and not _LOADED_LINKS & set(element.tokens("rel")):
        return ""
    return element.get(attribute)
