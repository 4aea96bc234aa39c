"""What can be pressed, ticked or chosen, and what it does to the person's answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.style import is_hidden

if TYPE_CHECKING:
    from consentkit.lint.tree import Element

__all__ = ["Control", "Kind", "Meaning", "kind_of", "label_meaning"]


class Kind(StrEnum):
    """How the control is worked."""

    TICK = "checkbox"
    SWITCH = "switch"
    RADIO = "radio button"
    SELECT = "list"
    RANGE = "slider"
    BUTTON = "button"
    LINK = "link"
    FIELD = "field"


class Meaning(StrEnum):
    """What using it says; ``data-ck-action`` has the same words."""

    ACCEPT = "accept"
    ACCEPT_ALL = "accept-all"
    DECLINE = "decline"
    LATER = "later"
    WITHDRAW = "withdraw"
    OTHER = ""


_TOGGLES = frozenset({Kind.TICK, Kind.SWITCH, Kind.SELECT, Kind.RANGE})
_ROLES = {
    "button": Kind.BUTTON,
    "link": Kind.LINK,
    "checkbox": Kind.TICK,
    "menuitemcheckbox": Kind.TICK,
    "switch": Kind.SWITCH,
    "radio": Kind.RADIO,
    "slider": Kind.RANGE,
}
_INPUTS = {
    "checkbox": Kind.TICK,
    "radio": Kind.RADIO,
    "range": Kind.RANGE,
    "submit": Kind.BUTTON,
    "button": Kind.BUTTON,
    "image": Kind.BUTTON,
    "reset": Kind.BUTTON,
}
_TAGS = {
    "button": Kind.BUTTON,
    "select": Kind.SELECT,
    "textarea": Kind.FIELD,
    "a": Kind.LINK,
}


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """One control: its element, what it is, what it says, what it is called.

    ``name`` is the accessible name; ``context`` what its group and description add;
    ``nearby`` the text beside a control that nobody labelled.
    """

    element: Element
    kind: Kind
    meaning: Meaning
    name: str
    context: str
    nearby: str

    @property
    def label(self) -> str:
        """The words a person reads as the control's own."""
        return self.name or self.nearby

    @property
    def folded(self) -> str:
        """The label as the lexicon is written."""
        return lexicon.fold(self.label)

    @property
    def full_name(self) -> str:
        """The label together with what its group and description say."""
        return f"{self.label} {self.context}".strip()

    @property
    def purposes(self) -> tuple[str, ...]:
        """The purpose ids it is annotated with."""
        return _listed(self.element, "data-ck-purpose")

    @property
    def recipients(self) -> tuple[str, ...]:
        """The recipient ids it is annotated with."""
        return _listed(self.element, "data-ck-recipient")

    @property
    def denies(self) -> bool:
        """Whether switching it on means *no*."""
        polarity = self.element.get("data-ck-polarity").lower()
        if polarity:
            return polarity != "allow"
        return lexicon.has("opt-out", self.folded)

    @property
    def is_toggle(self) -> bool:
        """Whether it stays on or off, rather than acting once."""
        return self.kind in _TOGGLES

    @property
    def says_yes(self) -> bool:
        """Whether using it, or leaving it on, gives consent."""
        return self.meaning in {Meaning.ACCEPT, Meaning.ACCEPT_ALL}

    @property
    def is_inert(self) -> bool:
        """Whether nobody can see or press it, as with a decoy for the Enter key."""
        return self.element.has("disabled") and is_hidden(self.element)

    @property
    def is_submit(self) -> bool:
        """Whether it sends the form it stands in."""
        if self.kind is not Kind.BUTTON:
            return False
        if self.element.tag == "button":
            return self.element.get("type", "submit").lower() == "submit"
        return self.element.get("type").lower() in {"submit", "image"}


def _listed(element: Element, name: str) -> tuple[str, ...]:
    return tuple(element.get(name).lower().replace(",", " ").split())


def kind_of(element: Element) -> Kind | None:
    """Return what kind of control the element is, or None when it is none."""
    role = element.get("role").lower()
    if role in _ROLES:
        return _ROLES[role]
    if element.tag == "input":
        type_ = element.get("type", "text").lower()
        return None if type_ == "hidden" else _INPUTS.get(type_, Kind.FIELD)
    if element.tag == "a" and not element.has("href"):
        return None
    if element.tag in _TAGS:
        return _TAGS[element.tag]
    return Kind.BUTTON if element.has("onclick") else None


def label_meaning(folded: str) -> Meaning:
    """Return what a button with this label says, as far as the words tell."""
    bare = folded.strip(" .!>»→×✓")
    if lexicon.matches("later", bare):
        return Meaning.LATER
    if lexicon.has("decline-label", bare):
        return Meaning.DECLINE
    if lexicon.has("accept-all", bare):
        return Meaning.ACCEPT_ALL
    if lexicon.has("accept-label", bare):
        return Meaning.ACCEPT
    if lexicon.has("confirm-shaming", bare):
        return Meaning.DECLINE
    return Meaning.OTHER
