"""A parsed page as plain elements: the one module that knows the HTML parser.

Lexbor follows the HTML standard's parsing algorithm, so what the rules see is what a
browser would build: a form nested in a form is dropped, a stray ``</p>`` is repaired.
The content of ``<template>`` is not part of the page and is not seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError
from consentkit.lint.sheet import read_sheet

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator
    from collections.abc import Mapping

    from selectolax.lexbor import LexborHTMLParser
    from selectolax.lexbor import LexborNode

__all__ = ["MAX_CHARACTERS", "MAX_DEPTH", "Element", "parse"]

# A page of hundreds of questions stays under 1 MB; 4 MB bounds the memory of one run.
MAX_CHARACTERS = 4_000_000

# Browsers stop nesting at 512 levels; deeper is an attack on whoever walks the tree.
MAX_DEPTH = 512


@dataclass(eq=False, slots=True)
class Element:
    """One element: tag and attribute names in lower case, children in order.

    ``styled`` is what the page's own style sheets declare for it. Two elements are
    equal only when they are the same one.
    """

    tag: str
    attributes: Mapping[str, str]
    parent: Element | None = field(default=None, repr=False)
    children: list[Element | str] = field(default_factory=list, repr=False)
    styled: dict[str, str] = field(default_factory=dict, repr=False)

    def get(self, name: str, default: str = "") -> str:
        """Return the attribute's value, stripped, or ``default``."""
        return self.attributes.get(name, default).strip()

    def has(self, name: str) -> bool:
        """Tell whether the attribute is there, with or without a value."""
        return name in self.attributes

    def tokens(self, name: str) -> tuple[str, ...]:
        """Return the attribute's words in lower case."""
        return tuple(self.get(name).lower().split())

    def ancestors(self) -> Iterator[Element]:
        """Yield the parent, its parent, and so on to the top."""
        parent = self.parent
        while parent is not None:
            yield parent
            parent = parent.parent

    def lineage(self) -> Iterator[Element]:
        """Yield this element and then its ancestors."""
        yield self
        yield from self.ancestors()

    def within(self, other: Element) -> bool:
        """Tell whether this element is ``other`` or inside it."""
        return any(element is other for element in self.lineage())

    def walk(
        self, *, skip: Callable[[Element], bool] | None = None
    ) -> Iterator[Element | str]:
        """Yield this element and all below in document order, texts as strings.

        An element for which ``skip`` is true is left out with all that it holds.
        """
        pending: list[Element | str] = [self]
        while pending:
            node = pending.pop()
            if isinstance(node, str):
                yield node
            elif skip is None or not skip(node):
                yield node
                pending.extend(reversed(node.children))

    def elements(
        self, *, skip: Callable[[Element], bool] | None = None
    ) -> Iterator[Element]:
        """Yield this element and those below in document order."""
        for node in self.walk(skip=skip):
            if isinstance(node, Element):
                yield node

    def find(self, *tags: str) -> Iterator[Element]:
        """Yield the elements here or below that have one of the tags."""
        return (element for element in self.elements() if element.tag in tags)

    def text(self, *, skip: Callable[[Element], bool] | None = None) -> str:
        """Return all text below, pieces joined as they stand."""
        return "".join(n for n in self.walk(skip=skip) if isinstance(n, str))


def parse(html: str) -> Element:
    """Parse a page or a fragment of one and return its ``html`` element.

    Raises:
        ConfigurationError: the parser is not installed.
        InvalidRequestError: the page is too long or nested too deeply.
    """
    try:
        from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415  an extra
    except ImportError as error:
        message = (
            "judging pages needs the HTML parser selectolax, which is not installed: "
            "pip install 'consentkit[lint]'"
        )
        raise ConfigurationError(message) from error
    if len(html) > MAX_CHARACTERS:
        message = (
            f"expected a page of at most {MAX_CHARACTERS} characters, "
            f"got {len(html)}: judge the part with the question alone"
        )
        raise InvalidRequestError(message, code="page-too-large")
    # Lone surrogates cannot be handed to a parser of bytes; browsers show U+FFFD.
    sound = html.encode("utf-8", "replace").decode("utf-8")
    parser = LexborHTMLParser(sound)
    if parser.root is None:
        return Element("html", {})
    copies: dict[int, Element] = {}
    top = _convert(parser.root, copies)
    _style(parser, top, copies)
    return top


def _style(
    parser: LexborHTMLParser, top: Element, copies: Mapping[int, Element]
) -> None:
    """Tell each element what the sheets in the page declare for it."""
    from selectolax.lexbor import SelectolaxError  # noqa: PLC0415  an extra

    sheets = "\n".join(
        sheet.text()
        for sheet in top.find("style")
        if sheet.get("media").lower() in {"", "all", "screen"}
    )
    for rule in read_sheet(sheets):
        try:
            nodes = parser.css(rule.selector)
        except SelectolaxError:  # such as a misspelt one; browsers drop the rule too
            continue
        for node in nodes:
            if node.mem_id in copies:
                copies[node.mem_id].styled.update(rule.declarations)


def _convert(root: LexborNode, copies: dict[int, Element]) -> Element:
    """Copy the parser's tree, without recursion: its depth is the page's choice."""
    top = copies[root.mem_id] = _element(root, None)
    pending = [(root, top, 1)]
    while pending:
        node, element, depth = pending.pop()
        if depth > MAX_DEPTH:
            message = (
                f"expected elements nested at most {MAX_DEPTH} deep: "
                f"judge the part with the question alone"
            )
            raise InvalidRequestError(message, code="page-too-deep")
        for child in node.iter(include_text=True):
            if child.is_text_node:
                element.children.append(child.text(deep=False))
            elif child.is_element_node:
                copy = copies[child.mem_id] = _element(child, element)
                element.children.append(copy)
                pending.append((child, copy, depth + 1))
    return top


def _element(node: LexborNode, parent: Element | None) -> Element:
    attributes = {name: value or "" for name, value in node.attributes.items()}
    return Element(node.tag or "", attributes, parent)
