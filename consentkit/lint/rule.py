"""What a rule is: an id, its weight, its legal source, and a check of one question."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.finding import Finding
from consentkit.lint.finding import Severity
from consentkit.lint.passages import visible_text

if TYPE_CHECKING:
    from consentkit.lint.question import Question
    from consentkit.lint.tree import Element

__all__ = ["Flaw", "Rule", "error", "warning"]

_LONGEST_QUOTE = 60
_TELLING = ("id", "name", "data-ck-action", "role", "type", "class")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One place where a rule does not hold: what is wrong and what to do."""

    element: Element
    why: str
    do: str


Check = Callable[["Question"], Iterator[Flaw]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table; ``slug`` is the rule's name in words."""

    id: str
    slug: str
    severity: Severity
    source: str
    check: Check

    def judge(self, question: Question) -> Iterator[Finding]:
        """Yield what is wrong with a question under this rule."""
        for flaw in self.check(question):
            where = _place(flaw.element)
            yield Finding(self.id, self.severity, where, flaw.why, flaw.do, self.source)


def error(id_: str, slug: str, *, source: str) -> Callable[[Check], Rule]:
    """Make a rule whose breach breaks a duty."""
    return lambda check: Rule(id_, slug, Severity.ERROR, source, check)


def warning(id_: str, slug: str, *, source: str) -> Callable[[Check], Rule]:
    """Make a rule whose breach weakens the question."""
    return lambda check: Rule(id_, slug, Severity.WARN, source, check)


def _place(element: Element) -> str:
    """Describe where an element is: the last steps to it and its first words."""
    steps = [e for e in element.lineage() if e.tag not in {"html", "body"}][:3]
    path = " > ".join(_step(step) for step in reversed(steps)) or element.tag
    words = visible_text(element) or lexicon.clean(element.get("value"))
    quoted = words[: _LONGEST_QUOTE - 1] + "…" if len(words) > _LONGEST_QUOTE else words
    return f"{path} “{quoted}”" if quoted else path


def _step(element: Element) -> str:
    for name in _TELLING:
        if element.get(name):
            return f'{element.tag}[{name}="{element.get(name)}"]'
    return element.tag
