"""A page to judge: parsed once, with the questions that it asks."""

from __future__ import annotations

from dataclasses import dataclass

from consentkit.lint.detection import find_roots
from consentkit.lint.naming import Namer
from consentkit.lint.question import Question
from consentkit.lint.surroundings import Surroundings
from consentkit.lint.tree import parse

__all__ = ["Page"]


@dataclass(frozen=True)
class Page:
    """What one page asks, in document order."""

    questions: tuple[Question, ...]

    @classmethod
    def parse(cls, html: str, *, lang: str = "", address: str = "") -> Page:
        """Read a page; ``lang`` is its language where the markup names none.

        ``address`` tells the page's own host from others; without it any absolute
        address counts as another's, unless the page says which one is its own.

        Raises:
            ConfigurationError: the HTML parser is not installed.
            InvalidRequestError: the page is too long or nested too deeply.
        """
        document = parse(html)
        namer = Namer(document)
        roots = find_roots(document, namer)
        known = frozenset(id(root) for root in roots)
        language = (document.get("lang") or lang).lower()
        around = Surroundings(document, namer, known, language, address)
        return cls(tuple(Question(root, around) for root in roots))
