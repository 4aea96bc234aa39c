"""Rules for the way back, as far as one page tells of it (D31, D32, D45, D46)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.control import Meaning
from consentkit.lint.passages import visible_text
from consentkit.lint.readability import grade
from consentkit.lint.rule import Flaw
from consentkit.lint.rule import error
from consentkit.lint.rule import warning
from consentkit.lint.style import is_hidden
from consentkit.lint.text_rules import asserted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.question import Question
    from consentkit.lint.tree import Element

__all__ = ["RULES"]

_MOST_GRADES_APART = 2.0
_DEAD = re.compile(r"#?|javascript:.*", re.IGNORECASE)


@error(
    "D31",
    "withdraw-friction",
    source=(
        "GDPR 7(3); EDPB 05/2020 p.113-115; CCPA 7004(a)(4)(A), (a)(5); DPDP r.3(c)(i)"
    ),
)
def _withdraw_friction(question: Question) -> Iterator[Flaw]:
    """Stopping asks for nothing, and for no other channel."""
    do = "One button, nothing to fill in."
    for control in question.meaning(Meaning.WITHDRAW):
        form = question.surroundings.form_of(control.element)
        for field in form.find("input", "select", "textarea") if form else ():
            needed = field.has("required") or field.get("aria-required") == "true"
            if needed and not is_hidden(field):
                asked = question.surroundings.namer.name(field) or field.get("name")
                yield Flaw(field, f"stopping demands an answer: “{asked}”", do)
    for passage in question.prose:
        words = lexicon.search("withdraw-detour", passage.folded)
        alone = lexicon.has("exclusively", passage.folded)
        if words and (alone or not _leads_on(passage.element)):
            why = f"stopping takes another channel than agreeing: {words!r}"
            yield Flaw(passage.element, why, "Let people stop here, as they agreed.")


def _leads_on(element: Element) -> bool:
    return any(not _DEAD.fullmatch(link.get("href")) for link in element.find("a"))


@error(
    "D32",
    "withdraw-hidden",
    source="Taskforce p.32-35; EDPB 03/2022 'Dead end'; CCPA 7004(a)(5)(B)",
)
def _withdraw_hidden(question: Question) -> Iterator[Flaw]:
    """The link to the way back leads somewhere, without scripts."""
    for passage in question.passages:
        if not lexicon.has("withdrawal", passage.folded):
            continue
        for link in passage.element.find("a"):
            if _DEAD.fullmatch(link.get("href")):
                why = "the link to change one's answer leads nowhere"
                yield Flaw(link, why, "Serve that page, without scripts as well.")


@warning(
    "D45", "withdraw-wording-harder", source="EDPB 03/2022 'Stirring'; CCPA 7004(a)(2)"
)
def _withdraw_wording(question: Question) -> Iterator[Flaw]:
    """Stopping reads as calmly and as easily as agreeing."""
    stops = question.meaning(Meaning.WITHDRAW)
    if not stops:
        return
    for passage, words in asserted(question, "loss-guilt"):
        why = f"stopping is made to feel like a loss: {words!r}"
        yield Flaw(passage.element, why, "State what follows, nothing more.")
    told = " ".join(visible_text(e) for e in question.essentials("withdraw"))
    asked = " ".join(visible_text(e) for e in question.essentials("purpose"))
    if told and asked and grade(told) - grade(asked) > _MOST_GRADES_APART:
        yield Flaw(
            stops[0].element,
            "how to stop is harder to read than what was agreed to",
            "Shorten the sentences about stopping.",
        )


@error(
    "D46",
    "irrevocable-wording",
    source=(
        "GDPR 7(3) (tell before consent); PIPL 15; DPDP s.6(4); EDPB 05/2020 p.116"
    ),
)
def _irrevocable_wording(question: Question) -> Iterator[Flaw]:
    """The text says that consent can be withdrawn, and where."""
    for passage, words in asserted(question, "irrevocable"):
        why = f"the text says there is no way back: {words!r}"
        yield Flaw(passage.element, why, "Consent can always be withdrawn; say so.")
        return
    if not (question.asks or question.implies):
        return
    if not _tells_way_back(question):
        where = " with a link to the place" if question.annotated else ""
        why = f"no sentence{where} says that a yes can be withdrawn"
        do = "Add one sentence on how to stop, with a link to the place."
        yield Flaw(question.element, why, do)


def _tells_way_back(question: Question) -> bool:
    """Tell whether withdrawal is told of; our own text has to lead there as well."""
    if not question.annotated:
        # A form often stands under the sentence; the box around both is enough.
        around = question.element.parent or question.element
        told = question.surroundings.tells_of_withdrawal(around)
        return told or not question.is_readable
    places = [
        passage.element
        for passage in question.passages
        if lexicon.has("withdrawal", passage.folded)
    ]
    if not question.is_readable:
        places += question.essentials("withdraw")
    return any(_leads_on(place) for place in places)


RULES = (
    _withdraw_friction,
    _withdraw_hidden,
    _withdraw_wording,
    _irrevocable_wording,
)
