"""Rules for the controls that hold a choice: boxes, switches, radios, lists (D01 …)."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.address import answers_in
from consentkit.lint.control import Control
from consentkit.lint.control import Kind
from consentkit.lint.control import Meaning
from consentkit.lint.grant_field import is_grant
from consentkit.lint.passages import visible_text
from consentkit.lint.rule import Flaw
from consentkit.lint.rule import error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.question import Question
    from consentkit.lint.tree import Element

__all__ = ["RULES", "could_mean_yes", "is_on"]

# What joins the names of a list, with the preposition that may be said again.
_JOIN = re.compile(
    r",?\s*(,|/|&|、|and|or|as well as|und|oder|sowie|et|ou|ainsi que|y|e|o|u"
    r"|和|及|以及|或|与|और|तथा|या|و|أو)"
    r"(\s+(to|with|by|an|mit|à|avec|par|a|con|al?))?(\s+(the|die|der|den|dem|la|le|el|l'))?"
)
_HAN_AND = re.compile("(以及|[和及或与、])")


@error(
    "D01",
    "preselected-control",
    source=(
        "GDPR rec.32; C-673/17 Planet49; EDPB 05/2020 p.79; Taskforce p.10; "
        "App Measures III.4; MIIT 2023"
    ),
)
def _preselected_control(question: Question) -> Iterator[Flaw]:
    """No control that means yes is on at first render."""
    for control in question.controls:
        if could_mean_yes(question, control) and is_on(control):
            yield Flaw(
                control.element,
                f"this {control.kind} is already on when the page is shown",
                "Render it off; only the person turns it on.",
            )


def could_mean_yes(question: Question, control: Control) -> bool:
    """Tell whether a control that is on when the page is shown would be a yes."""
    if control.kind in {Kind.LINK, Kind.FIELD} or control.element.has("disabled"):
        # A fixed "strictly necessary" box is no choice; a fixed choice is D14's.
        return control.says_yes and control.kind is not Kind.LINK
    if control.kind in {Kind.RADIO, Kind.BUTTON}:
        return control.says_yes
    if control.kind is Kind.SELECT and not control.says_yes:
        # A list of years is no question; one with a no among its options is.
        options = control.element.find("option")
        return question.annotated and any(_says_no(option) for option in options)
    return control.says_yes or control.denies or question.annotated


def is_on(control: Control) -> bool:
    """Tell whether the markup itself turns the control on."""
    element = control.element
    if control.kind is Kind.SELECT:
        return _selected_yes(element)
    if control.kind is Kind.RANGE:
        return _above_least(element)
    if any(element.get(f"aria-{s}").lower() == "true" for s in ("checked", "pressed")):
        return True
    return element.has("checked") and element.tag == "input"


def _selected_yes(select: Element) -> bool:
    """Tell whether the list shows a yes; without `selected` its first option shows."""
    options = list(select.find("option"))
    chosen = [option for option in options if option.has("selected")]
    if not chosen and not select.has("multiple"):
        chosen = options[:1]
    return any(not _says_no(option) for option in chosen)


def _says_no(option: Element) -> bool:
    text = lexicon.fold(visible_text(option))
    value = lexicon.fold(option.get("value", text))
    if lexicon.has("empty-option", text) or value == "":
        return True
    return lexicon.has("negative-option", text) or lexicon.has("negative-option", value)


def _above_least(element: Element) -> bool:
    def number(*names: str) -> float:
        found = (element.get(name) for name in names if element.get(name))
        try:
            return float(next(found, "0"))
        except ValueError:
            return 0.0

    return number("value", "aria-valuenow") > number("min", "aria-valuemin")


@error("D02", "hidden-grant", source="GDPR rec.32")
def _hidden_grant(question: Question) -> Iterator[Flaw]:
    """No answer travels in a hidden field, an address or an unrelated button."""
    for element in question.element.find("input"):
        if element.get("type").lower() == "hidden" and is_grant(
            element.get("name"), element.get("value")
        ):
            yield Flaw(
                element,
                f"the hidden field {element.get('name')!r} sends a yes that the "
                "person neither sees nor gives",
                "Drop the field; send only what a visible control says.",
            )
    for control in question.controls:
        if _sends_unsaid(control):
            yield Flaw(
                control.element,
                f"“{control.label}” sends a yes that it does not speak of",
                "Let the button send its own business, and ask for consent apart.",
            )
    yield from _grants_in_addresses(question)


def _sends_unsaid(control: Control) -> bool:
    """Tell whether a button's own field gives a yes of which its label says nothing."""
    element, label = control.element, control.folded.strip(" .!")
    if control.kind is not Kind.BUTTON or element.get("data-ck-action"):
        return False
    said = lexicon.has("accept", label) or control.meaning is Meaning.DECLINE
    if said or lexicon.matches("neutral-submit", label):
        return False
    return is_grant(element.get("name"), element.get("value"))


def _grants_in_addresses(question: Question) -> Iterator[Flaw]:
    for element in question.element.find("form", "button", "input"):
        target = element.get("action") or element.get("formaction")
        for name, value in answers_in(target):
            if is_grant(name, value):
                yield Flaw(
                    element,
                    f"the form's address carries the answer {name}={value}",
                    "Drop it from the address; send what a visible control says.",
                )


@error(
    "D10",
    "bundled-purposes",
    source="EDPB 05/2020 p.42-44; rec.43; CCPA 7004(a)(4)(B); PIPL 14, 29",
)
def _bundled_purposes(question: Question) -> Iterator[Flaw]:
    """One control stands for one purpose."""
    do = "Give each purpose a control of its own."
    for control in question.controls:
        if not control.says_yes:
            continue
        if len(control.purposes) > 1:
            named = ", ".join(control.purposes)
            yield Flaw(control.element, f"one control for the purposes {named}", do)
            continue
        families = lexicon.purpose_families(control.folded)
        if len(families) > 1 and not control.purposes:
            why = f"one control for several ends: {', '.join(families)}"
            yield Flaw(control.element, why, do)
        elif several := _several_ends(question, control):
            yield Flaw(control.element, f"one control for {several}", do)


def _several_ends(question: Question, control: Control) -> str:
    """Say that a tick box, or a radio button, is for more than one thing, or ``""``."""
    if not (control.is_toggle or control.kind is Kind.RADIO):
        return ""
    label = control.label
    for name in lexicon.parties(label):
        label = label.replace(name, "Firm")
    if words := lexicon.search("several-ends", lexicon.fold(label)):
        return f"more than one end: {words!r}"
    holder = question.surroundings.namer.label_of(control.element)
    items = list(holder.find("li")) if holder is not None else []
    return f"a list of {len(items)} ends" if len(items) > 1 else ""


@error(
    "D11",
    "bundled-recipients",
    source=(
        "EDPB 05/2020 p.45 Ex.7, p.65; PIPL 23; "
        "ICO ('categories of third-party controllers will not be specific enough')"
    ),
)
def _bundled_recipients(question: Question) -> Iterator[Flaw]:
    """One control stands for one recipient, named."""
    do = "Give each recipient, by its legal name, a control of its own."
    for control in question.controls:
        if not control.says_yes:
            continue
        if len(control.recipients) > 1:
            named = ", ".join(control.recipients)
            yield Flaw(control.element, f"one control for the recipients {named}", do)
        elif umbrella := lexicon.claims("umbrella", control.folded):
            why = f"the control lets data go to an open class: {umbrella!r}"
            yield Flaw(control.element, why, do)
        elif len(several := _listed(control.label)) > 1:
            why = f"one control for several recipients: {', '.join(several)}"
            yield Flaw(control.element, why, do)


def _listed(label: str) -> tuple[str, ...]:
    """Return the legal names that stand in one list, "A Ltd, B Ltd and C Ltd"."""
    named = lexicon.parties(label)
    for first, second in pairwise(named):
        between = label[label.index(first) + len(first) : label.index(second)]
        # A Chinese name has no first letter to tell it from the "and" before it.
        joined = between.strip() + (_HAN_AND.match(second) or [""])[0]
        if _JOIN.fullmatch(joined):
            return named[named.index(first) :]
    return ()


@error(
    "D14",
    "forced-consent",
    source="GDPR 7(4); PIPL 16; EDPB 05/2020 p.46-48; Taskforce p.13",
)
def _forced_consent(question: Question) -> Iterator[Flaw]:
    """Nothing else depends on an optional yes."""
    for control in question.controls:
        element = control.element
        needed = element.has("required") or element.get("aria-required") == "true"
        if control.is_toggle and control.says_yes and needed:
            why = "the form cannot be sent without this yes"
            yield Flaw(element, why, "Drop `required`; a no must be sendable too.")
        elif control.is_submit and _is_locked(control):
            why = "sending is blocked until something is agreed to"
            yield Flaw(element, why, "Enable it from the start.")
    for control in question.meaning(Meaning.DECLINE):
        if words := lexicon.search("leave-with-no", control.folded):
            why = f"the no throws the person out: {words!r}"
            yield Flaw(control.element, why, "Let people go on after a no.")
    for passage in question.prose:
        if words := lexicon.search("forced", passage.folded):
            why = f"the text makes the yes a condition: {words!r}"
            yield Flaw(passage.element, why, "Let people go on after a no; say so.")


def _is_locked(control: Control) -> bool:
    """Tell whether a button in sight cannot be pressed; the no is D41's matter."""
    element = control.element
    return (
        element.has("disabled")
        and not control.is_inert
        and control.meaning not in {Meaning.DECLINE, Meaning.LATER}
    )


@error(
    "D18",
    "polarity-flip",
    source="CCPA 7004(a)(3); EDPB 03/2022 'Inconsistent interface'",
)
def _polarity_flip(question: Question) -> Iterator[Flaw]:
    """All switches of one question point the same way: on means allow."""
    if not any(c.says_yes and not c.denies for c in question.controls):
        return
    for control in question.controls:
        if control.kind in {Kind.TICK, Kind.SWITCH} and control.denies:
            yield Flaw(
                control.element,
                "switching this on means no, while on means yes beside it",
                "Word it so that on means allow, or move it to a group of its own.",
            )


@error("D19", "ambiguous-toggle", source="CCPA 7004(a)(3); WCAG 1.4.1, 4.1.2")
def _ambiguous_toggle(question: Question) -> Iterator[Flaw]:
    """A switch says its state in words, and to assistive technology."""
    for control in question.controls:
        if control.kind is not Kind.SWITCH:
            continue
        element = control.element
        native = element.tag == "input"
        if not native and element.get("aria-checked").lower() not in {"true", "false"}:
            why = "the switch does not tell assistive technology its state"
            yield Flaw(element, why, 'Give it aria-checked="false".')
        beside = element.parent or element
        words = lexicon.fold(visible_text(beside))
        if question.is_readable and not lexicon.has("state-words", words):
            why = "nothing but colour or position says whether it is on"
            yield Flaw(
                element, why, "Put the state beside it in words: Off, Not shared."
            )


@error("D42", "nameless-control", source="WCAG 1.3.1, 2.4.6, 4.1.2; EDPB 05/2020 p.65")
def _nameless_control(question: Question) -> Iterator[Flaw]:
    """Every choice has an accessible name; a share names its recipient."""
    for control in question.controls:
        answers = control.is_toggle or control.kind is Kind.RADIO or control.meaning
        if not answers or control.is_inert:
            continue
        if not control.name:
            why = f"this {control.kind} has no accessible name"
            yield Flaw(
                control.element, why, "Put it inside a <label> that says it all."
            )
        elif _is_bare(control):
            why = f"“{control.name}” alone does not say to what"
            yield Flaw(control.element, why, "Put the whole statement in the label.")
        elif not _names_recipient(question, control):
            why = "neither its name nor its group's says who would receive the data"
            yield Flaw(control.element, why, "Name the recipient in label or legend.")
    yield from _ungrouped_radios(question)


def _is_bare(control: Control) -> bool:
    """Tell whether a box reads yes and no more."""
    if not (control.is_toggle and control.says_yes):
        return False
    described = control.element.has("aria-describedby")
    return not described and lexicon.matches("bare-answer", control.folded)


def _names_recipient(question: Question, control: Control) -> bool:
    """Tell whether a sharing control names a party; True where none can be told."""
    sharing = set(control.recipients) - {"controller"}
    if not sharing or not control.says_yes or not question.parties:
        return True
    words = {name.split()[0] for name in question.parties}
    return any(word in control.full_name for word in words)


def _ungrouped_radios(question: Question) -> Iterator[Flaw]:
    group_of = question.surroundings.namer.group
    for radios in question.radio_groups:
        if not group_of(radios[0].element, below=question.element):
            why = "the radio buttons stand in no named group: what do they answer?"
            do = "Put them in a <fieldset> whose <legend> is the question."
            yield Flaw(radios[0].element, why, do)


RULES = (
    _preselected_control,
    _hidden_grant,
    _bundled_purposes,
    _bundled_recipients,
    _forced_consent,
    _polarity_flip,
    _ambiguous_toggle,
    _nameless_control,
)
