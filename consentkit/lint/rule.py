"""What a rule is: an id, its weight, its legal source, and a check.

A check judges one subject: a question of a parsed page, a question as a browser shows
it, or what a walk through the app met.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Generic
from typing import TypeVar

from consentkit.lint import lexicon
from consentkit.lint.finding import Finding
from consentkit.lint.finding import Severity
from consentkit.lint.passages import visible_text

if TYPE_CHECKING:
    from consentkit.lint.tree import Element

__all__ = ["Flaw", "Rule", "error", "warning"]

_LONGEST_QUOTE = 60
_Subject = TypeVar("_Subject")
_TELLING = ("id", "name", "data-ck-action", "role", "type", "class")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One place where a rule does not hold: what is wrong and what to do.

    The place is an element, or an address where the fault is in going there.
    """

    element: Element | str
    why: str
    do: str


@dataclass(frozen=True, slots=True)
class Rule(Generic[_Subject]):
    """One row of the table; ``slug`` is the rule's name in words."""

    id: str
    slug: str
    severity: Severity
    source: str
    check: Callable[[_Subject], Iterator[Flaw]]

    def judge(self, subject: _Subject) -> Iterator[Finding]:
        """Yield what is wrong with a subject under this rule."""
        for flaw in self.check(subject):
            at = flaw.element
            where = at if isinstance(at, str) else _place(at)
            yield Finding(self.id, self.severity, where, flaw.why, flaw.do, self.source)


class _Maker:
    """Makes a rule out of a check; what `error` and `warning` return."""

    def __init__(self, id_: str, slug: str, severity: Severity, source: str) -> None:
        self._row = (id_, slug, severity, source)

    def __call__(self, check: Callable[[_Subject], Iterator[Flaw]]) -> Rule[_Subject]:
        return Rule(*self._row, check)


def error(id_: str, slug: str, *, source: str) -> _Maker:
    """Make a rule whose breach breaks a duty."""
    return _Maker(id_, slug, Severity.ERROR, source)


def warning(id_: str, slug: str, *, source: str) -> _Maker:
    """Make a rule whose breach weakens the question."""
    return _Maker(id_, slug, Severity.WARN, source)


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
