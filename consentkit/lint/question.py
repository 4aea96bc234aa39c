"""One place on a page that asks for consent: its controls and its text."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.control import Control
from consentkit.lint.control import Kind
from consentkit.lint.control import Meaning
from consentkit.lint.control import kind_of
from consentkit.lint.control import label_meaning
from consentkit.lint.detection import asks_consent
from consentkit.lint.detection import nearby_text
from consentkit.lint.detection import sends_grant
from consentkit.lint.passages import Passage
from consentkit.lint.passages import passages
from consentkit.lint.style import is_hidden
from consentkit.lint.surroundings import Surroundings
from consentkit.lint.tree import Element

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Question"]

_LANGUAGES = frozenset({"", "de", "en", "es", "fr", "hi", "zh"})
_YES_VALUES = frozenset(
    "1 accept agree allow given ja on oui si sí true yes".split()  # noqa: SIM905  read as one line
)


@dataclass(frozen=True, eq=False)
class Question:
    """One place that asks for consent, and the page around it."""

    element: Element
    surroundings: Surroundings

    @property
    def annotated(self) -> bool:
        """Whether the markup itself says what the controls mean."""
        return self.element.has("data-ck-root")

    @cached_property
    def controls(self) -> tuple[Control, ...]:
        """Every control in it, in document order, links included."""
        found = []
        for element in self.element.elements(skip=self._is_other):
            kind = kind_of(element)
            if kind is not None:
                found.append(self._control(element, kind))
        return tuple(found)

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """The visible text, controls' own words included."""
        return tuple(passages(self.element, leave=self._is_other))

    @cached_property
    def text(self) -> str:
        """All visible text, with its case."""
        return " ".join(passage.text for passage in self.passages)

    @cached_property
    def folded(self) -> str:
        """All visible text as the lexicon is written."""
        return lexicon.fold(self.text)

    @cached_property
    def prose(self) -> tuple[Passage, ...]:
        """The visible text that does not stand on a button."""
        return tuple(p for p in self.passages if kind_of(p.element) is not Kind.BUTTON)

    @cached_property
    def parties(self) -> tuple[str, ...]:
        """The legal names in the visible text."""
        return lexicon.parties(self.text)

    @cached_property
    def radio_groups(self) -> tuple[tuple[Control, ...], ...]:
        """The groups of radio buttons in which one means yes."""
        groups: dict[str, list[Control]] = defaultdict(list)
        for control in self.controls:
            if control.kind is Kind.RADIO:
                groups[control.element.get("name")].append(control)
        return tuple(
            tuple(radios)
            for radios in groups.values()
            if any(radio.says_yes for radio in radios)
        )

    def meaning(self, *meanings: Meaning) -> tuple[Control, ...]:
        """Return the controls in use that have one of the meanings."""
        return tuple(
            c for c in self.controls if c.meaning in meanings and not c.is_inert
        )

    @cached_property
    def language(self) -> str:
        """The primary language of the question, such as ``en``, or ``""``."""
        tag = self.element.get("lang").lower() or self.surroundings.language
        return tag.split("-", maxsplit=1)[0]

    @property
    def is_readable(self) -> bool:
        """Whether the lexicon knows the language, so that a missing word means much."""
        return self.language in _LANGUAGES

    @cached_property
    def asks(self) -> bool:
        """Whether a yes can be given here; a page that only lists answers is False."""
        return bool(self.meaning(Meaning.ACCEPT, Meaning.ACCEPT_ALL))

    @cached_property
    def implies(self) -> bool:
        """Whether the text takes something else than an answer for a yes."""
        return any(lexicon.claims("implied", p.folded) for p in self.prose)

    @cached_property
    def shares(self) -> bool:
        """Whether the yes would let data go to somebody else than the controller."""
        named = {r for c in self.controls for r in c.recipients}
        if named:
            return named != {"controller"}
        return lexicon.has("sharing", self.folded) and bool(
            len(self.parties) > 1 or lexicon.has("umbrella", self.folded)
        )

    def shown_elements(self) -> Iterator[Element]:
        """Yield the elements that are on the screen once the question is."""
        return self.element.elements(
            skip=lambda e: self._is_other(e) or (e is not self.element and is_hidden(e))
        )

    def essentials(self, name: str) -> tuple[Element, ...]:
        """Return the elements annotated as carrying one of the essentials."""
        return tuple(
            element
            for element in self.element.elements(skip=self._is_other)
            if name in element.tokens("data-ck-essential")
        )

    def _is_other(self, element: Element) -> bool:
        """Tell whether the element is the root of another question."""
        return element is not self.element and id(element) in self.surroundings.roots

    def _control(self, element: Element, kind: Kind) -> Control:
        name = self.surroundings.namer.name(element)
        nearby = (
            "" if name or kind in {Kind.BUTTON, Kind.LINK} else nearby_text(element)
        )
        meaning = self._meaning(element, kind, name or nearby)
        context = self.surroundings.namer.context(element, below=self.element)
        return Control(element, kind, meaning, name, context, nearby)

    def _meaning(self, element: Element, kind: Kind, label: str) -> Meaning:
        action = element.get("data-ck-action").lower()
        if action:
            return next((m for m in Meaning if m == action), Meaning.OTHER)
        if kind is Kind.FIELD:
            return Meaning.OTHER
        folded = lexicon.fold(label)
        if kind is Kind.RADIO:
            return _radio_meaning(element, folded)
        if kind in {Kind.BUTTON, Kind.LINK}:
            return self._button_meaning(element, kind, folded)
        if element.has("data-ck-purpose") or asks_consent(label):
            return Meaning.ACCEPT
        if not self.annotated and lexicon.has("toggle-category", folded):
            return Meaning.ACCEPT
        return Meaning.OTHER

    def _button_meaning(self, element: Element, kind: Kind, folded: str) -> Meaning:
        meaning = label_meaning(folded)
        if meaning is Meaning.OTHER and sends_grant(element):
            return Meaning.ACCEPT
        if meaning is Meaning.OTHER and lexicon.matches("withdraw-label", folded):
            return Meaning.OTHER if kind is Kind.LINK else Meaning.WITHDRAW
        if self.annotated and meaning in {Meaning.ACCEPT, Meaning.ACCEPT_ALL}:
            # Ours says so by annotation; a link "Share" elsewhere in it does not.
            return Meaning.OTHER if kind is Kind.LINK else meaning
        return meaning


def _radio_meaning(element: Element, folded: str) -> Meaning:
    value = lexicon.fold(element.get("value"))
    meaning = label_meaning(folded)
    if meaning is not Meaning.OTHER:
        return meaning
    if value in _YES_VALUES:
        return Meaning.ACCEPT
    return Meaning.DECLINE if lexicon.has("negative-option", value) else Meaning.OTHER
