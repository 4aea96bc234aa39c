"""Text as a person meets it: one passage a block, cut into sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.style import is_hidden
from consentkit.lint.tree import Element

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterator

__all__ = ["Passage", "own_text", "passages", "visible_text"]

# Elements that flow inside a line; any other starts a passage of its own.
_INLINE = frozenset(
    "a abbr b bdi bdo br cite code data dfn em font i img input kbd mark q ruby rt s "  # noqa: SIM905  names, read as one line
    "samp select small span strong sub sup time u var wbr".split()
)
# Patterns look ahead within a sentence; this bounds how far on hostile text.
_LONGEST_PASSAGE = 4_000
_SENTENCE_END = re.compile(r"(?<=[.!?؟।])\s+(?=[^a-z])|(?<=[。!?])(?=.)")


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of text and the element it stands in; ``folded`` is for the lexicon."""

    text: str
    element: Element

    @property
    def folded(self) -> str:
        """The text in the form that the lexicon is written in."""
        return self.text.lower()  # a passage is made of clean text

    def sentences(self) -> tuple[str, ...]:
        """Return the sentences, with their case."""
        return tuple(part for part in _SENTENCE_END.split(self.text) if part.strip())


def own_text(element: Element) -> str:
    """Return the text that stands in an element itself, not in one inside it."""
    return "".join(c for c in element.children if isinstance(c, str)).strip()


def visible_text(element: Element) -> str:
    """Return what is on the screen of an element, its own state aside."""
    return " ".join(passage.text for passage in passages(element))


def passages(
    top: Element, *, leave: Callable[[Element], bool] | None = None
) -> Iterator[Passage]:
    """Yield the visible passages below ``top`` in order, without what ``leave`` names.

    ``top`` itself counts as shown: a dialog that a script opens is judged as opened.
    """

    def skipped(element: Element) -> bool:
        if element is top:
            return False
        return is_hidden(element) or (leave is not None and leave(element))

    pieces: list[str] = []
    holder = top
    for node, block in _with_blocks(top, skipped):
        if block is not holder:
            yield from _passage(pieces, holder)
            pieces, holder = [], block
        pieces.append(node)
    yield from _passage(pieces, holder)


def _with_blocks(
    top: Element, skipped: Callable[[Element], bool]
) -> Iterator[tuple[str, Element]]:
    """Yield each text with the block it belongs to."""
    pending: list[tuple[Element | str, Element]] = [(top, top)]
    while pending:
        node, block = pending.pop()
        if isinstance(node, str):
            yield node, block
        elif not skipped(node):
            own = block if node.tag in _INLINE and node is not top else node
            if node.tag == "br":
                yield " ", block
            pending.extend((child, own) for child in reversed(node.children))


def _passage(pieces: list[str], holder: Element) -> Iterator[Passage]:
    text = lexicon.clean("".join(pieces))
    for start in range(0, len(text), _LONGEST_PASSAGE):
        yield Passage(text[start : start + _LONGEST_PASSAGE], holder)
