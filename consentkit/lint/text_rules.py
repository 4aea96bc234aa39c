"""Rules for what the question says (D13 …)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.control import Kind
from consentkit.lint.control import Meaning
from consentkit.lint.passages import visible_text
from consentkit.lint.readability import difficulty
from consentkit.lint.rule import Flaw
from consentkit.lint.rule import error
from consentkit.lint.rule import warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.passages import Passage
    from consentkit.lint.question import Question
    from consentkit.lint.tree import Element

__all__ = ["RULES", "asserted"]

_YES = (Meaning.ACCEPT, Meaning.ACCEPT_ALL)
_ANSWER = re.compile(
    r"^(?:nope|no|nein|non)(?:,? (?:thanks|thank you|danke|merci|gracias))?\b[^a-zà-ÿ]*"
    r"|^[不否][,、。\s]+|^(?:नहीं|ना)[,।!\s]+"
)
_FEWEST_WORDS = 8


def asserted(question: Question, name: str) -> Iterator[tuple[Passage, str]]:
    """Yield the passages that assert something on a list, with the words."""
    for passage in question.passages:
        for sentence in passage.sentences():
            if words := lexicon.claims(name, lexicon.fold(sentence)):
                yield passage, words
                break


@error(
    "D13",
    "terms-bundle",
    source=(
        "EDPB 05/2020 p.81; GDPR 7(2); "
        "GB/T 42574 (ticking the policy is not separate consent)"
    ),
)
def _terms_bundle(question: Question) -> Iterator[Flaw]:
    """Consent is not given together with terms or a policy."""
    for passage, words in asserted(question, "terms-bundle"):
        why = f"one statement for consent and for other papers: {words!r}"
        yield Flaw(passage.element, why, "Ask for consent in a statement of its own.")


@error(
    "D16",
    "urgency-or-reward",
    source="EDPB 03/2022 'Look over there', 'Emotional steering'; GDPR rec.42-43",
)
def _urgency_or_reward(question: Question) -> Iterator[Flaw]:
    """Nothing hurries, rewards or crowds the person into a yes."""
    declines = {id(c.element) for c in question.meaning(Meaning.DECLINE)}
    for passage, words in asserted(question, "urgency-reward"):
        # What a no is made to say is confirm-shaming, D15.
        if id(passage.element) not in declines:
            yield Flaw(passage.element, f"pressure or bait: {words!r}", "Take it out.")


@error("D17", "double-negative", source="CCPA 7004(a)(3); ICO")
def _double_negative(question: Question) -> Iterator[Flaw]:
    """No label needs two negations, and ticking never means no."""
    for control in question.controls:
        if control.kind in {Kind.LINK, Kind.FIELD}:
            continue
        # "No, …" is the answer itself, not a negation in the sentence after it.
        if lexicon.count("negators", _ANSWER.sub("", control.folded)) > 1:
            why = f"two negations in one label: “{control.label}”"
            yield Flaw(control.element, why, "Say what happens, with one verb.")
    for passage in question.prose:
        if words := lexicon.search("bad-constructs", passage.folded):
            why = f"one has to untick, or tick for a no: {words!r}"
            yield Flaw(passage.element, why, "Let on mean yes, and start with off.")


@error("D21", "acknowledgement-not-consent", source="EDPB 05/2020 Ex.17, fn.38")
def _acknowledgement(question: Question) -> Iterator[Flaw]:
    """The statement agrees; to have read or understood is not to agree."""
    do = "Say “I agree that A shares X with B so that …”."
    found = False
    for passage, words in asserted(question, "acknowledgement"):
        found = True
        yield Flaw(passage.element, f"{words!r} takes note; it does not agree", do)
    if found or not (question.annotated and question.is_readable):
        return
    for control in question.meaning(*_YES):
        says = lexicon.has("accept", lexicon.fold(control.full_name))
        if not (says or control.denies):
            why = "neither label nor group says what the person agrees to"
            yield Flaw(control.element, why, do)


@warning("D22", "vague-purpose", source="EDPB 05/2020 fn.30 (quoting WP203)")
def _vague_purpose(question: Question) -> Iterator[Flaw]:
    """The purpose is specific."""
    do = "Say what will be worked out, sent or decided, and by whom."
    for passage, words in asserted(question, "vague-purpose"):
        yield Flaw(passage.element, f"this could mean anything: {words!r}", do)
    told = question.essentials("purpose")
    if told and question.language == "en":
        words = " ".join(visible_text(element) for element in told)
        if len(words.split()) < _FEWEST_WORDS:
            yield Flaw(told[0], f"a purpose of {len(words.split())} words", do)


@error(
    "D23",
    "vague-recipient",
    source="EDPB 05/2020 p.65; C-154/21; PIPL 23; NDSMR 21(2) (list form)",
)
def _vague_recipient(question: Question) -> Iterator[Flaw]:
    """Recipients are named one by one; a class of them is nobody."""
    for passage, words in asserted(question, "umbrella"):
        folded = passage.folded
        if not _is_about_receiving(question, folded) or _names_follow(passage, words):
            continue
        why = f"{words!r} stands in place of names"
        yield Flaw(passage.element, why, "Name each recipient.")


def _is_about_receiving(question: Question, folded: str) -> bool:
    uses = lexicon.has("sharing", folded) or lexicon.has("use-words", folded)
    return uses or any(
        control.says_yes and control.folded in folded for control in question.controls
    )


def _names_follow(passage: Passage, words: str) -> bool:
    """Tell whether legal names stand after the class, there or in the next list."""
    start = passage.folded.find(words)
    if lexicon.parties(passage.text[start + len(words) :]):
        return True
    following = _next_element(passage.element)
    return (
        following is not None
        and following.tag in {"ul", "ol", "dl", "table"}
        and bool(lexicon.parties(visible_text(following)))
    )


def _next_element(element: Element) -> Element | None:
    siblings = element.parent.children if element.parent else []
    after = False
    for sibling in siblings:
        if after and not isinstance(sibling, str):
            return sibling
        after = after or sibling is element
    return None


@error(
    "D24",
    "implied-by-use",
    source="GDPR rec.32; EDPB 05/2020 p.79, 86; DPV ImpliedConsent",
)
def _implied_by_use(question: Question) -> Iterator[Flaw]:
    """Use, silence or closing is no yes."""
    for passage, words in asserted(question, "implied"):
        why = f"something else than an answer counts as a yes: {words!r}"
        yield Flaw(passage.element, why, "Count only an answer to the question.")


@warning(
    "D36",
    "hard-to-read",
    source="GDPR 12(1); EDPB 05/2020 p.67; App Measures II.4; NDSMR 21",
)
def _hard_to_read(question: Question) -> Iterator[Flaw]:
    """Sentences are short and words plain."""
    if why := difficulty(question.prose, language=question.language):
        yield Flaw(question.element, why, "Shorter sentences, everyday words.")


@error(
    "D37", "conflicting-information", source="EDPB 03/2022 'Conflicting information'"
)
def _conflicting_information(question: Question) -> Iterator[Flaw]:
    """The text does not deny what the question asks for."""
    for passage in question.prose:
        for sentence in passage.sentences():
            folded = lexicon.fold(sentence)
            denied = lexicon.search("no-sharing-claim", folded)
            if (
                denied
                and question.shares
                and not lexicon.has("claim-exception", folded)
            ):
                why = f"{denied!r}, yet this asks to share"
                yield Flaw(passage.element, why, "Say what happens, and only that.")
    for control in question.meaning(*_YES):
        if control.element.has("required") and lexicon.has("optional", control.folded):
            why = "called optional and yet required"
            yield Flaw(control.element, why, "Drop `required`.")


RULES = (
    _terms_bundle,
    _urgency_or_reward,
    _double_negative,
    _acknowledgement,
    _vague_purpose,
    _vague_recipient,
    _implied_by_use,
    _hard_to_read,
    _conflicting_information,
)
