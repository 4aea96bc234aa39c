"""The name a control has for assistive technology, and the group that it stands in.

The order is that of Accessible Name and Description Computation 1.2 and HTML-AAM:
``aria-labelledby``, ``aria-label``, the native label, the content, ``title``.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.passages import visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.tree import Element

__all__ = ["Namer"]

# A name is for reading aloud; what is longer is an attack on the patterns.
_LONGEST_NAME = 2_000
_LABELABLE = frozenset({"button", "meter", "output", "progress", "select", "textarea"})
# What a person fills in, or chooses from, is not part of the label around it.
_OWN_TEXT = frozenset({"select", "textarea"})
_GROUPS = frozenset({"fieldset", "section"})
_GROUP_ROLES = frozenset({"group", "radiogroup", "region", "dialog", "alertdialog"})
_NAMED_BY_CONTENT = frozenset({"button", "a", "summary", "option"})
_CONTENT_ROLES = frozenset(
    {"button", "link", "switch", "checkbox", "radio", "menuitemcheckbox", "option"}
)


class Namer:
    """Computes names on one page; holds the page's ids and labels."""

    def __init__(self, document: Element) -> None:
        self._by_id: dict[str, Element] = {}
        for element in document.elements():
            if element.get("id"):
                self._by_id.setdefault(element.get("id"), element)
        self._labels: dict[int, list[Element]] = defaultdict(list)
        for label in document.find("label"):
            labelled = self._labelled(label)
            if labelled is not None:
                self._labels[id(labelled)].append(label)
        self._group_names: dict[int, str] = {}

    def element(self, id_: str) -> Element | None:
        """Return the element with that id; of several, as browsers do, the first."""
        return self._by_id.get(id_)

    def label_of(self, element: Element) -> Element | None:
        """Return the ``<label>`` of a control, if it has one."""
        return next(iter(self._labels.get(id(element), ())), None)

    def name(self, element: Element) -> str:
        """Return the accessible name, with its case, or ``""``."""
        name = (
            self._referenced(element, "aria-labelledby")
            or lexicon.clean(element.get("aria-label"))
            or self._label(element)
            or _content(element)
            or lexicon.clean(element.get("title"))
        )
        return name[:_LONGEST_NAME]

    def context(self, element: Element, *, below: Element) -> str:
        """Return the description and the names of the groups around, inside out."""
        described = self._referenced(element, "aria-describedby")
        return " ".join([described, *self._groups(element, below)]).strip()

    def group(self, element: Element, *, below: Element | None = None) -> str:
        """Return the name of the nearest named group around the element, or ``""``."""
        return next(self._groups(element, below), "")

    def _groups(self, element: Element, below: Element | None) -> Iterator[str]:
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
        if id(holder) not in self._group_names:
            self._group_names[id(holder)] = self._find_group_name(holder)
        return self._group_names[id(holder)]

    def _find_group_name(self, holder: Element) -> str:
        if holder.tag not in _GROUPS and holder.get("role") not in _GROUP_ROLES:
            return ""
        name = self._referenced(holder, "aria-labelledby")
        name = name or lexicon.clean(holder.get("aria-label"))
        if not name and holder.tag == "fieldset":
            children = (c for c in holder.children if not isinstance(c, str))
            legends = (child for child in children if child.tag == "legend")
            name = visible_text(legend) if (legend := next(legends, None)) else ""
        return name

    def _referenced(self, element: Element, attribute: str) -> str:
        found = (self._by_id.get(word) for word in element.get(attribute).split())
        return lexicon.clean(" ".join(visible_text(e) for e in found if e is not None))

    def _labelled(self, label: Element) -> Element | None:
        """Return what a label names: by ``for``, else the first control in it."""
        if label.get("for"):
            return self.element(label.get("for"))
        inside = (e for e in label.elements() if _is_labelable(e))
        return next(inside, None)

    def _label(self, element: Element) -> str:
        texts = (
            lexicon.clean(label.text(skip=lambda e: e.tag in _OWN_TEXT))
            for label in self._labels.get(id(element), ())
        )
        return " ".join(text for text in texts if text)


def _is_labelable(element: Element) -> bool:
    if element.tag == "input":
        return element.get("type").lower() != "hidden"
    return element.tag in _LABELABLE or element.get("role") in _CONTENT_ROLES


def _content(element: Element) -> str:
    if element.tag == "input":
        if element.get("type").lower() in {"submit", "button", "reset"}:
            return lexicon.clean(element.get("value"))
        if element.get("type").lower() == "image":
            return lexicon.clean(element.get("alt"))
        return ""
    named = element.tag in _NAMED_BY_CONTENT or element.has("onclick")
    if named or element.get("role") in _CONTENT_ROLES:
        images = " ".join(image.get("alt") for image in element.find("img"))
        return lexicon.clean(f"{visible_text(element)} {images}")
    return ""
