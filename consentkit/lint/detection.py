"""Where a page asks for consent: by annotation, or by its words and controls.

``data-ck-root`` marks our own widgets. Everywhere else three things give a question
away: a tick box that says "I agree that … my data", a button "Accept" under a
sentence about cookies, a sentence that takes silence for a yes.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.control import Kind
from consentkit.lint.control import Meaning
from consentkit.lint.control import kind_of
from consentkit.lint.control import label_meaning
from consentkit.lint.grant_field import is_certain_grant
from consentkit.lint.passages import passages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.naming import Namer
    from consentkit.lint.passages import Passage
    from consentkit.lint.tree import Element

__all__ = [
    "asks_consent",
    "find_roots",
    "looks_like_button",
    "nearby_text",
    "sends_grant",
]

_CONTAINERS = frozenset({"article", "aside", "dialog", "div", "main", "section"})
# Boxes that may hold one question; a page's <main> holds more.
_BOXES = frozenset({"article", "aside", "dialog", "div", "section"})
_LONGEST_QUESTION = 2_000
_CONTAINER_ROLES = frozenset({"alertdialog", "banner", "dialog", "form", "region"})
# Below this, what stands around the controls is a caption, not the question.
_LEAST_PROSE = 20
# A longer neighbouring text is a paragraph of its own, not a tick box's label.
_LONGEST_LABEL = 400
_IN_LINE = frozenset({"a", "b", "em", "i", "small", "span", "strong"})
_HAN = re.compile(r"[\u3400-\u9fff]")


def find_roots(document: Element, namer: Namer) -> tuple[Element, ...]:
    """Return the elements that hold a question each, none inside another."""
    marked = {id(e) for e in document.elements() if e.has("data-ck-root")}
    found = _Finder(namer).containers(document, marked)
    return tuple(
        element
        for element in document.elements()
        if (id(element) in marked and not _is_below(element, marked))
        or (id(element) in found and not _is_below(element, found))
    )


def _is_below(element: Element, known: set[int]) -> bool:
    return any(id(holder) in known for holder in element.ancestors())


class _Finder:
    """Finds unannotated questions on one page; reads each box's text once."""

    def __init__(self, namer: Namer) -> None:
        self._namer = namer
        self._prose_of: dict[int, str] = {}

    def containers(self, document: Element, marked: set[int]) -> set[int]:
        """Return the identities of the elements around what gives a question away."""
        return {
            id(self._container(seed))
            for seed in self._seeds(document)
            if not any(id(holder) in marked for holder in seed.lineage())
        }

    def _seeds(self, document: Element) -> Iterator[Element]:
        for element in document.elements():
            kind = kind_of(element)
            if kind in {Kind.BUTTON, Kind.LINK}:
                gives_away = self._is_yes_button(element) or self._is_other_answer(
                    element, kind
                )
            elif kind is None:
                gives_away = _is_hidden_grant(element)
            else:
                gives_away = kind is not Kind.FIELD and self._is_consent_box(element)
            if gives_away:
                yield element
        for passage in passages(document):
            if _takes_for_granted(passage.folded) or _tells_to_withdraw(passage):
                yield passage.element

    def _is_yes_button(self, element: Element) -> bool:
        if sends_grant(element):
            return True
        name = self._namer.name(element)
        if label_meaning(lexicon.fold(name)) not in {
            Meaning.ACCEPT,
            Meaning.ACCEPT_ALL,
        }:
            return False
        if kind_of(element) is Kind.LINK and not _acts(element, lexicon.fold(name)):
            return False
        if asks_consent(name):
            return True
        prose = self._prose(self._container(element))
        folded = lexicon.fold(prose)
        if lexicon.has("strong-accept", lexicon.fold(name)):
            # "I consent" is about a use already; of what, the text around says.
            return lexicon.has("data-words", folded) or _concerns_own(prose)
        return _is_about_data(folded) or _hands_over(prose) or _concerns_own(prose)

    def _is_other_answer(self, element: Element, kind: Kind) -> bool:
        """Tell a no under a question about data, and a stop of a consent."""
        if element.get("data-ck-action").lower() == "withdraw":
            return True
        folded = lexicon.fold(self._namer.name(element))
        if kind is not Kind.BUTTON or lexicon.has("leaving-link", folded):
            return False
        if lexicon.matches("withdraw-label", folded):
            return lexicon.has("data-words", folded) or lexicon.has("sharing", folded)
        if label_meaning(folded) is not Meaning.DECLINE:
            return False
        prose = self._prose(self._container(element))
        return asks_consent(prose) or _concerns_own(prose)

    def _is_consent_box(self, element: Element) -> bool:
        name = self._namer.name(element) or nearby_text(element)
        if asks_consent(name):
            return True
        group = self._namer.group(element)
        return kind_of(element) is Kind.RADIO and asks_consent(group)

    def _container(self, seed: Element) -> Element:
        """Return the element that holds the question around ``seed``.

        It is the form, or the nearest box or section, that has prose of its own;
        where there is none, the page.
        """
        holders = [e for e in seed.lineage() if e.tag not in {"html", "body"}]
        forms = [i for i, holder in enumerate(holders) if holder.tag == "form"]
        for holder in holders[forms[0] :] if forms else holders:
            if (forms or _is_container(holder)) and self._has_prose(holder):
                return self._whole(holder)
        return next((e for e in seed.ancestors() if e.tag == "body"), seed)

    def _whole(self, form: Element) -> Element:
        """Return the box around a form that holds nothing else than its question."""
        box = form.parent
        if form.tag != "form" or box is None or box.tag not in _BOXES:
            return form
        others = [
            element
            for element in box.elements(skip=lambda e: e is form)
            if element.tag == "form" or kind_of(element) not in {None, Kind.LINK}
        ]
        short = len(self._prose(box)) <= _LONGEST_QUESTION
        return box if short and not others else form

    def _has_prose(self, holder: Element) -> bool:
        prose = self._prose(holder)
        # Chinese says in one sign what takes Latin letters three.
        least = _LEAST_PROSE // 3 if _HAN.search(prose) else _LEAST_PROSE
        return len(prose) >= least

    def _prose(self, holder: Element) -> str:
        """Return the text of a box that does not stand on its buttons."""
        if id(holder) not in self._prose_of:
            found = passages(holder, leave=lambda e: kind_of(e) is Kind.BUTTON)
            self._prose_of[id(holder)] = " ".join(p.text for p in found)
        return self._prose_of[id(holder)]


def _is_container(holder: Element) -> bool:
    return holder.tag in _CONTAINERS or holder.get("role") in _CONTAINER_ROLES


def _is_hidden_grant(element: Element) -> bool:
    if element.tag != "input" or element.get("type").lower() != "hidden":
        return False
    return is_certain_grant(element.get("name"), element.get("value"))


def sends_grant(element: Element) -> bool:
    """Tell whether the button sends a field that says yes, whatever it reads."""
    return element.tag in {"button", "input"} and is_certain_grant(
        element.get("name"), element.get("value")
    )


def _acts(link: Element, folded: str) -> bool:
    """Tell whether a link answers, rather than being the title of something to read."""
    if lexicon.matches("bare-answer", folded) or lexicon.has("accept-all", folded):
        return True
    if lexicon.has("possessive", folded) or lexicon.has("data-words", folded):
        return True
    return looks_like_button(link)


def looks_like_button(link: Element) -> bool:
    """Tell whether a link is dressed as a button, by what its classes are called."""
    return any("btn" in word or "button" in word for word in link.tokens("class"))


def _tells_to_withdraw(passage: Passage) -> bool:
    """Tell whether a headline says that this is where consent is withdrawn."""
    return passage.element.tag in {"h1", "h2"} and lexicon.matches(
        "withdraw-label", passage.folded
    )


def _takes_for_granted(folded: str) -> bool:
    """Tell whether a text tells its reader that something counts as their yes."""
    return (
        bool(lexicon.claims("implied", folded))
        and lexicon.has("address-to-reader", folded)
        and _is_about_data(folded)
    )


def asks_consent(label: str) -> bool:
    """Tell whether a label is about the use of a person's data."""
    folded = lexicon.fold(label)
    if lexicon.has("marketing", folded):
        return True
    if _hands_over(label):
        return True
    if lexicon.has("statement", folded) and lexicon.has("data-words", folded):
        return True
    states = lexicon.has("statement", folded) or lexicon.has("acknowledgement", folded)
    return states and _concerns_own(label)


def _concerns_own(text: str) -> bool:
    """Tell whether somebody else would get, or use, what is the person's own."""
    folded = lexicon.fold(text)
    return (
        lexicon.has("possessive", folded)
        and (lexicon.has("use-words", folded) or lexicon.has("sharing", folded))
        and bool(lexicon.parties(text) or lexicon.has("umbrella", folded))
    )


def _hands_over(text: str) -> bool:
    """Tell whether a text gives what is somebody's to a party that it names."""
    return lexicon.has("hand-over", lexicon.fold(text)) and bool(lexicon.parties(text))


def _is_about_data(folded: str) -> bool:
    return lexicon.has("data-words", folded) and lexicon.has("use-words", folded)


def nearby_text(element: Element) -> str:
    """Return the text around a control that has no label of its own."""
    holder = element.parent
    while holder is not None and holder.tag in {"span", "b", "i"}:
        holder = holder.parent
    if holder is None or holder.tag in {"body", "html"}:
        return ""
    controls = (e for e in holder.elements() if kind_of(e) not in {None, Kind.LINK})
    if len(tuple(islice(controls, 2))) > 1:
        return lexicon.clean("".join(_following(element)))[:_LONGEST_LABEL]
    text = lexicon.clean(holder.text())
    return text if len(text) <= _LONGEST_LABEL else ""


def _following(element: Element) -> Iterator[str]:
    """Yield the text that stands right after a box, up to the next block or control."""
    siblings = element.parent.children if element.parent else []
    for sibling in siblings[siblings.index(element) + 1 :]:
        if isinstance(sibling, str):
            yield sibling
        elif sibling.tag in _IN_LINE and all(
            kind_of(e) in {None, Kind.LINK} for e in sibling.elements()
        ):
            yield sibling.text()
        else:
            return
