"""Where a page asks for consent: by annotation, or by its words and controls.

``data-ck-root`` marks our own widgets. Everywhere else three things give a question
away: a tick box that says "I agree that … my data", a button "Accept" under a
sentence about cookies, a sentence that takes silence for a yes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.control import Kind
from consentkit.lint.control import Meaning
from consentkit.lint.control import kind_of
from consentkit.lint.control import label_meaning
from consentkit.lint.passages import passages
from consentkit.lint.passages import visible_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.naming import Namer
    from consentkit.lint.tree import Element

__all__ = ["asks_consent", "find_roots", "nearby_text"]

_CONTAINERS = frozenset({"form", "dialog", "section", "article", "aside", "main"})
_CONTAINER_ROLES = frozenset({"dialog", "alertdialog", "region", "form", "banner"})
# Below this, what stands around the controls is a caption, not the question.
_LEAST_PROSE = 20
# A longer neighbouring text is a paragraph of its own, not a tick box's label.
_LONGEST_LABEL = 400


def find_roots(document: Element, namer: Namer) -> tuple[Element, ...]:
    """Return the elements that hold a question each, none inside another."""
    marked = [e for e in document.elements() if e.has("data-ck-root")]
    found = [
        container
        for seed in _seeds(document, namer)
        if not any(seed.within(root) for root in marked)
        and (container := _container(seed)) is not None
    ]
    outermost = {
        id(e)
        for group in (marked, found)
        for e in group
        if not any(e is not other and e.within(other) for other in group)
    }
    return tuple(e for e in document.elements() if id(e) in outermost)


def _seeds(document: Element, namer: Namer) -> Iterator[Element]:
    """Yield what gives an unannotated question away."""
    for element in document.elements():
        kind = kind_of(element)
        if kind in {Kind.BUTTON, Kind.LINK}:
            if _is_yes_button(namer, element):
                yield element
        elif kind not in {None, Kind.FIELD}:
            name = lexicon.fold(namer.name(element) or nearby_text(element))
            group = lexicon.fold(namer.group(element, below=document))
            if asks_consent(name) or (kind is Kind.RADIO and asks_consent(group)):
                yield element
    for passage in passages(document):
        if lexicon.claims("implied", passage.folded) and _is_about_data(passage.folded):
            yield passage.element


def asks_consent(folded: str) -> bool:
    """Tell whether a label is about the use of a person's data."""
    if lexicon.has("marketing", folded):
        return True
    return lexicon.has("statement", folded) and lexicon.has("data-words", folded)


def _is_about_data(folded: str) -> bool:
    return lexicon.has("data-words", folded) and lexicon.has("use-words", folded)


def _is_yes_button(namer: Namer, element: Element) -> bool:
    meaning = label_meaning(lexicon.fold(namer.name(element)))
    if meaning not in {Meaning.ACCEPT, Meaning.ACCEPT_ALL}:
        return False
    container = _container(element)
    return container is not None and _is_about_data(lexicon.fold(_prose(container)))


def _container(seed: Element) -> Element | None:
    """Return the element that holds the question around ``seed``.

    It is the nearest sectioning element, form or dialog that has prose of its own;
    on a page of plain boxes the nearest box that has.
    """
    holders = [e for e in seed.ancestors() if e.tag not in {"html", "body"}]
    form = next((e for e in holders if e.tag == "form"), None)
    for holder in holders:
        if form is not None and form.within(holder) is False:
            continue
        is_section = holder.tag in _CONTAINERS or holder.get("role") in _CONTAINER_ROLES
        is_box = form is None and holder.tag == "div"
        beyond_form = form is not None and holder is not form
        if (is_section or is_box or beyond_form) and len(
            _prose(holder)
        ) >= _least_prose(holder):
            return holder
    return holders[-1] if holders else seed


def _least_prose(holder: Element) -> int:
    """Chinese says in one sign what takes Latin letters three."""
    text = visible_text(holder)
    return _LEAST_PROSE // 3 if any("\u4e00" <= c <= "\u9fff" for c in text) else (
        _LEAST_PROSE
    )


def _prose(holder: Element) -> str:
    """Return the text of a box that does not stand on its buttons."""
    return " ".join(
        p.text for p in passages(holder, leave=lambda e: kind_of(e) is Kind.BUTTON)
    )


def nearby_text(element: Element) -> str:
    """Return the text around a control that has no label of its own."""
    holder = element.parent
    while holder is not None and holder.tag in {"span", "b", "i"}:
        holder = holder.parent
    if holder is None or holder.tag in {"body", "html"}:
        return ""
    alone = sum(kind_of(e) not in {None, Kind.LINK} for e in holder.elements()) == 1
    text = lexicon.clean(holder.text())
    return text if alone and len(text) <= _LONGEST_LABEL else ""
