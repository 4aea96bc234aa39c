"""The name a control has for assistive technology, and the group that it stands in.

The order is that of Accessible Name and Description Computation 1.2 and HTML-AAM:
``aria-labelledby``, ``aria-label``, the native label, the content, ``title``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.passages import visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.lint.tree import Element

__all__ = ["Namer"]

_GROUP_ROLES = frozenset({"group", "radiogroup", "region", "dialog", "alertdialog"})
_NAMED_BY_CONTENT = frozenset({"button", "a", "summary", "option"})
_CONTENT_ROLES = frozenset(
    {"button", "link", "switch", "checkbox", "radio", "menuitemcheckbox", "option"}
)


class Namer:
    """Computes names on one page; holds the page's ids and labels."""

    def __init__(self, document: Element) -> None:
        self._by_id: Mapping[str, Element] = {
            element.get("id"): element
            for element in reversed(tuple(document.elements()))
            if element.get("id")
        }
        self._labels: dict[str, list[Element]] = {}
        for label in document.find("label"):
            if label.get("for"):
                self._labels.setdefault(label.get("for"), []).append(label)

    def name(self, element: Element) -> str:
        """Return the accessible name, with its case, or ``""``."""
        return (
            self._referenced(element, "aria-labelledby")
            or lexicon.clean(element.get("aria-label"))
            or self._label(element)
            or _content(element)
            or lexicon.clean(element.get("title"))
        )

    def context(self, element: Element, *, below: Element) -> str:
        """Return the description and the names of the groups around, inside out."""
        described = self._referenced(element, "aria-describedby")
        return " ".join([described, *self._groups(element, below)]).strip()

    def group(self, element: Element, *, below: Element) -> str:
        """Return the name of the nearest named group around the element, or ``""``."""
        return next(iter(self._groups(element, below)), "")

    def _groups(self, element: Element, below: Element) -> Iterator[str]:
        for holder in element.ancestors():
            name = self._group_name(holder)
            if name:
                yield name
                described = self._referenced(holder, "aria-describedby")
                if described:
                    yield described
            if holder is below:
                return

    def _group_name(self, holder: Element) -> str:
        if holder.tag == "fieldset":
            legends = [child for child in holder.find("legend")]
            if legends:
                return visible_text(legends[0])
        if holder.tag in {"fieldset", "section"} or holder.get("role") in _GROUP_ROLES:
            return self._referenced(holder, "aria-labelledby") or lexicon.clean(
                holder.get("aria-label")
            )
        return ""

    def _referenced(self, element: Element, attribute: str) -> str:
        found = (self._by_id.get(word) for word in element.get(attribute).split())
        return lexicon.clean(" ".join(visible_text(e) for e in found if e is not None))

    def _label(self, element: Element) -> str:
        labels = list(self._labels.get(element.get("id"), [])) if element.get("id") else []
        labels += [h for h in element.ancestors() if h.tag == "label" and h not in labels]
        own = {"select", "textarea"}
        texts = (
            lexicon.clean(label.text(skip=lambda e: e.tag in own)) for label in labels
        )
        return " ".join(text for text in texts if text)


def _content(element: Element) -> str:
    if element.tag == "input":
        if element.get("type").lower() in {"submit", "button", "reset"}:
            return lexicon.clean(element.get("value"))
        if element.get("type").lower() == "image":
            return lexicon.clean(element.get("alt"))
        return ""
    if element.tag in _NAMED_BY_CONTENT or element.get("role") in _CONTENT_ROLES:
        images = " ".join(image.get("alt") for image in element.find("img"))
        return lexicon.clean(f"{visible_text(element)} {images}")
    return ""
