"""Rules for where the question stands and what stands in it (D08 …)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.control import Control
from consentkit.lint.control import Kind
from consentkit.lint.control import Meaning
from consentkit.lint.detection import looks_like_button
from consentkit.lint.passages import own_text
from consentkit.lint.passages import visible_text
from consentkit.lint.rule import Flaw
from consentkit.lint.rule import error
from consentkit.lint.rule import warning
from consentkit.lint.style import concealment
from consentkit.lint.style import font_pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.passages import Passage
    from consentkit.lint.question import Question
    from consentkit.lint.tree import Element

__all__ = ["RULES"]

_LEAST_PIXELS = 12.0
_LEAST_SHARE_OF_BODY = 0.9
# EDPB 05/2020 fn. 42: what the first layer holds; withdrawal is D46's.
_ON_FIRST_LAYER = ("controller", "purpose", "data")
_ESSENTIALS = (*_ON_FIRST_LAYER, "recipient", "withdraw")
_MEDIA = frozenset({"img", "picture", "video", "audio", "iframe", "object", "embed"})
_MANY_TOGGLES = 10
_TOO_DEEP = 3
# One Han sign carries about as much as one word of another script.
_SCRIPTS = {
    "Han": re.compile(r"[\u3400-\u9fff]"),
    "Latin": re.compile(r"[A-Za-zÀ-ÿ]+"),
    "Devanagari": re.compile(r"[\u0900-\u0963\u0970-\u097f]+"),
    "Arabic": re.compile(r"[\u0621-\u064a]+"),
    "Cyrillic": re.compile(r"[\u0400-\u04ff]+"),
}
_SCRIPT_OF = {
    "zh": "Han",
    "hi": "Devanagari",
    "ar": "Arabic",
    **dict.fromkeys(("en", "de", "fr", "es", "it", "nl", "pt", "sv"), "Latin"),
}
_FOREIGN_SHARE = 0.5
# One passage: a few foreign words are a name, a line of them is another language.
_FEWEST_FOREIGN, _MOSTLY = 6, 0.8
_WEB = re.compile(r"\S+@\S+|https?://\S+|\S+\.\w{2,}/\S*|[A-Z]{2,}|\b\w*\d\w*")


@error(
    "D08",
    "small-text",
    source=(
        "App Measures I.4 (text too small, too dense); "
        "MIIT 2023 (no shrinking text); Korea PIPC 2022"
    ),
)
def _small_text(question: Question) -> Iterator[Flaw]:
    """No text of the question is set smaller than the page's own."""
    usual = question.surroundings.text_pixels
    least = max(_LEAST_PIXELS, _LEAST_SHARE_OF_BODY * usual)
    for element in question.shown_elements():
        size = font_pixels(element)
        if size < least and own_text(element):
            why = f"text of {size:.1f} px; at least {least:.1f} px can be read"
            yield Flaw(element, why, "Set it at the size of the page's text.")
            return


@error(
    "D09",
    "concealed-essential",
    source=(
        "EDPB 05/2020 fn.42 (identity + purpose on first layer); "
        "App Measures I.3 (> 4 clicks)"
    ),
)
def _concealed_essential(question: Question) -> Iterator[Flaw]:
    """What the person has to know, and the no, are in view without a click."""
    do = "Show it on the first layer, in full."
    has_to_tell = question.annotated and question.asks
    for name in _ESSENTIALS:
        carriers = question.essentials(name)
        for element in carriers:
            reason = concealment(element, below=question.element)
            if reason or not visible_text(element):
                why = f"the {name} is not in view: {reason or 'it has no text'}"
                yield Flaw(element, why, do)
        if name in _ON_FIRST_LAYER and not carriers and has_to_tell:
            why = f'nothing is marked data-ck-essential="{name}"'
            yield Flaw(question.element, why, do)
    for control in question.meaning(Meaning.DECLINE):
        if reason := concealment(control.element, below=question.element):
            yield Flaw(control.element, f"the decline is not in view: {reason}", do)
    yield from _folded_sharing(question)


def _folded_sharing(question: Question) -> Iterator[Flaw]:
    """Find sharing that only a folded part tells of."""
    if question.annotated:
        return
    told = lexicon.has("sharing", question.folded)
    for details in question.element.find("details"):
        if details.has("open"):
            continue
        text = details.text()
        if not told and lexicon.claims("umbrella", lexicon.fold(text)):
            why = "that data goes to others is said only in a folded part"
            yield Flaw(details, why, "Say it on the first layer.")
        elif told and lexicon.parties(text) and not question.parties:
            why = "who receives the data is said only in a folded part"
            yield Flaw(details, why, "Say it on the first layer.")


@error(
    "D12",
    "coupled-form",
    source="EDPB 05/2020 p.81; GB/T 42574 (own interface or step)",
)
def _coupled_form(question: Question) -> Iterator[Flaw]:
    """The form of the question is for nothing else."""
    do = "Give the question a form of its own, on a step of its own."
    outer = next((e for e in question.element.ancestors() if e.tag == "form"), None)
    if outer is not None:
        yield Flaw(outer, "the question stands inside another form", do)
        return
    forms = {
        id(form): form
        for c in question.controls
        if c.says_yes and (form := question.surroundings.form_of(c.element)) is not None
    }
    forms |= {id(form): form for form in _forms_with_hidden_grants(question)}
    for control in question.controls:
        form = question.surroundings.form_of(control.element)
        if form is None or id(form) not in forms:
            continue
        if why := _other_business(question, control):
            yield Flaw(control.element, why, do)
            return
    for form in forms.values():
        # A control may belong to a form that stands elsewhere (HTML, form owner).
        if not form.within(question.element) and not question.element.within(form):
            why = "the answer is sent with a form elsewhere on the page"
            yield Flaw(form, why, do)


def _forms_with_hidden_grants(question: Question) -> Iterator[Element]:
    if not (question.asks or question.meaning(Meaning.WITHDRAW)):
        yield from question.element.find("form")


def _other_business(question: Question, control: Control) -> str:
    """Say what else than the answer a control of the form is for, or ``""``."""
    if control.kind is Kind.FIELD and not _is_address(question, control):
        asked = control.label or control.element.get("name")
        return f"the form also asks for “{asked}”"
    neutral = lexicon.matches("neutral-submit", control.folded.strip(" .!"))
    sends = control.is_submit or (
        control.kind is Kind.LINK and looks_like_button(control.element)
    )
    if sends and not (control.meaning or neutral or _answers(control)):
        return f"the form's button is for something else: “{control.label}”"
    return ""


def _answers(control: Control) -> bool:
    """Tell whether a button speaks of the answer, in words that decide nothing."""
    lists = ("decline-label", "negators", "strong-accept")
    empty = lexicon.matches("non-consent-label", control.folded.strip(" .!"))
    return empty or any(lexicon.has(name, control.folded) for name in lists)


def _is_address(question: Question, control: Control) -> bool:
    """Tell whether the field is the address that the person agrees to be written to."""
    contact = control.element.get("type").lower() in {"email", "tel"}
    return contact and any(
        lexicon.has("contact", c.folded) for c in question.meaning(Meaning.ACCEPT)
    )


@error(
    "D33",
    "language-discontinuity",
    source=(
        "EDPB 03/2022 'Language discontinuity'; DPDP s.5(3); "
        "App Measures I.4 (no Simplified Chinese)"
    ),
)
def _language_discontinuity(question: Question) -> Iterator[Flaw]:
    """The question speaks the page's language, and one language."""
    do = "Give the whole question in one language, the page's or the one chosen."
    page = question.surroundings.language.split("-", maxsplit=1)[0]
    # With a language switch beside it the person may have chosen another one.
    switch = any(link.has("hreflang") for link in question.element.find("a"))
    if page and question.language != page and not switch:
        why = f"the question is in {question.language!r}, the page in {page!r}"
        yield Flaw(question.element, why, do)
    elif _other_tongue(question.language, question.text):
        why = f"the text is not in the language it is marked as, {question.language!r}"
        yield Flaw(question.element, why, do)
    for passage in question.passages:
        if _is_foreign(question, passage):
            why = "this passage is in another language than the rest"
            yield Flaw(passage.element, why, do)
        if key := lexicon.search("message-key", passage.folded):
            why = f"a placeholder is shown in place of words: {key!r}"
            yield Flaw(passage.element, why, "Translate it.")


def _is_foreign(question: Question, passage: Passage) -> bool:
    """Tell whether one passage is in a language that neither page nor markup names."""
    own = next((e.get("lang") for e in passage.element.lineage() if e.get("lang")), "")
    language = question.language
    if language not in _SCRIPT_OF or own.split("-", 1)[0].lower() not in {"", language}:
        return False
    text = _WEB.sub(" ", passage.text)
    for name in lexicon.parties(text):
        text = text.replace(name, " ")
    usual, foreign = _SCRIPT_OF[language], 0
    counted = {script: len(e.findall(text)) for script, e in _SCRIPTS.items()}
    foreign = sum(counted.values()) - counted[usual]
    if foreign >= _FEWEST_FOREIGN and foreign > _MOSTLY * sum(counted.values()):
        return True
    return bool(lexicon.foreign_passage(lexicon.fold(text), language))


def _other_tongue(language: str, text: str) -> bool:
    """Tell whether most words are in another script, or in another language of it.

    Legal names are left out: they stay as they are in every language.
    """
    if language not in _SCRIPT_OF:
        return False
    for name in lexicon.parties(text):
        text = text.replace(name, " ")
    counted = {script: len(e.findall(text)) for script, e in _SCRIPTS.items()}
    foreign = sum(counted.values()) - counted[_SCRIPT_OF[language]]
    if foreign > _FOREIGN_SHARE * sum(counted.values()):
        return True
    return bool(lexicon.foreign_tongue(lexicon.fold(text), language))


@warning("D34", "promo-inside", source="EDPB 03/2022 'Look over there'")
def _promo_inside(question: Question) -> Iterator[Flaw]:
    """Nothing in the question leads away from it."""
    for element in question.element.elements():
        if element.tag in _MEDIA and (question.annotated or element.tag != "img"):
            why = f"an <{element.tag}> in the question draws the eye away"
            yield Flaw(element, why, "Ask in words alone.")
    for control in question.controls:
        if control.kind is Kind.LINK and _sells(control):
            why = f"“{control.label}” is an offer, not part of the question"
            yield Flaw(control.element, why, "Take the link out.")


def _sells(control: Control) -> bool:
    address = lexicon.fold(control.element.get("href"))
    return lexicon.has("promotion", control.folded) or lexicon.has(
        "offer-address", address
    )


@warning("D35", "maze", source="EDPB 03/2022 'Privacy maze', 'Too many options'")
def _maze(question: Question) -> Iterator[Flaw]:
    """Many choices come with one way to say no to all."""
    toggles = [c for c in question.controls if c.is_toggle and c.says_yes]
    radios = {
        c.element.get("name")
        for c in question.controls
        if c.kind is Kind.RADIO and c.says_yes
    }
    number = len(toggles) + len(radios)
    declines = question.meaning(Meaning.DECLINE)
    at_once = any(c.kind is Kind.BUTTON for c in declines)
    if number > _MANY_TOGGLES and not at_once:
        why = f"{number} choices, and no way to say no to all at once"
        yield Flaw(question.element, why, "Add one button that declines them all.")
    for toggle in toggles:
        holders = [e for e in toggle.element.ancestors() if e.tag == "details"]
        if len([e for e in holders if e.within(question.element)]) >= _TOO_DEEP:
            why = f"a choice lies {len(holders)} layers deep"
            yield Flaw(toggle.element, why, "Show every choice on one overview.")


RULES = (
    _small_text,
    _concealed_essential,
    _coupled_form,
    _language_discontinuity,
    _promo_inside,
    _maze,
)
