"""Rules for the pair of answers: the yes and the no beside it (D03 …)."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from consentkit.lint import lexicon
from consentkit.lint.control import Control
from consentkit.lint.control import Kind
from consentkit.lint.control import Meaning
from consentkit.lint.rule import Flaw
from consentkit.lint.rule import error
from consentkit.lint.rule import warning
from consentkit.lint.style import declarations
from consentkit.lint.style import is_hidden

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from consentkit.lint.question import Question

__all__ = ["RULES"]

_YES = (Meaning.ACCEPT, Meaning.ACCEPT_ALL)
# What stands around the words of a button.
_AROUND = " .!>»→✓"


@error(
    "D03",
    "decline-missing",
    source="Taskforce p.8; EDPB 05/2020 Ex.17 (Yes and No); CCPA 7004(a)(2)(C)",
)
def _decline_missing(question: Question) -> Iterator[Flaw]:
    """Where a yes can be given, a no can be given."""
    do = "Put a decline of the same kind beside it, before it."
    for radios in question.radio_groups:
        if not any(radio.meaning is Meaning.DECLINE for radio in radios):
            why = "these radio buttons offer a yes and no no"
            yield Flaw(radios[0].element, why, do)
    if any(
        not _is_out_of_reach(question, c) for c in question.meaning(Meaning.DECLINE)
    ):
        return
    if pressed := _pressed_yes(question):
        why = f"“{pressed.label}” has no decline beside it"
        yield Flaw(pressed.element, why, do)
    elif not question.asks and question.implies:
        why = "the text takes a yes for granted and offers no way to say no"
        yield Flaw(question.element, why, do)


def _is_out_of_reach(question: Question, control: Control) -> bool:
    """Tell whether nothing that the person does shows the control; a fold they open."""
    for holder in control.element.lineage():
        folded = holder.parent is not None and holder.parent.tag == "details"
        if is_hidden(holder) and not folded:
            return True
        if holder is question.element:
            break
    return False


def _pressed_yes(question: Question) -> Control | None:
    """Return the control whose yes nothing on the page can answer with a no.

    A box that starts off declines by being left alone, so it counts only when it
    starts on or has to be ticked.
    """
    for control in question.meaning(*_YES):
        if control.kind in {Kind.BUTTON, Kind.LINK}:
            return control
        element = control.element
        if control.kind is Kind.TICK and (
            element.has("checked") or element.has("required")
        ):
            return control
    return None


@error(
    "D04",
    "decline-not-a-control",
    source=("Taskforce p.14; CNIL 2020-092 s.34; EDPB 03/2022 'Hidden in plain sight'"),
)
def _decline_not_a_control(question: Question) -> Iterator[Flaw]:
    """The no is the same kind of control as the yes."""
    do = "Make both the same element in the same place."
    declines = question.meaning(Meaning.DECLINE)
    if question.asks and not declines:
        for passage in question.prose:
            if words := lexicon.search("decline-in-prose", passage.folded):
                why = f"the no is a sentence: {words!r}"
                yield Flaw(passage.element, why, do)
    pressed = [
        control.kind
        for control in question.meaning(*_YES)
        if control.kind in {Kind.BUTTON, Kind.RADIO}
    ]
    if declines and pressed and not any(c.kind in pressed for c in declines):
        why = f"the no is a {declines[0].kind}, the yes a {pressed[0]}"
        yield Flaw(declines[0].element, why, do)
    elif pressed and (bare := next(filter(_is_bare, declines), None)):
        why = f"the no is a <{bare.element.tag}> that no keyboard reaches"
        yield Flaw(bare.element, why, do)


def _is_bare(control: Control) -> bool:
    """Tell whether an element only acts like a button, by a script."""
    element = control.element
    return not element.get("role") and element.tag not in {"a", "button", "input"}


@error(
    "D15",
    "confirm-shaming",
    source="EDPB 03/2022 'Emotional steering'; CCPA 7004(a)(4); DSA 25",
)
def _confirm_shaming(question: Question) -> Iterator[Flaw]:
    """The no is worded as plainly as the yes."""
    for control in question.meaning(Meaning.DECLINE, Meaning.LATER):
        folded = control.folded
        if lexicon.matches("decline-neutral", folded.strip(" .!")):
            continue
        if words := lexicon.search("confirm-shaming", folded):
            why = f"the no makes the person say something else: {words!r}"
            do = "Say only no: “Do not share”, “不同意”."
            yield Flaw(control.element, why, do)


@error(
    "D20",
    "misleading-label",
    source=(
        "EDPB 03/2022 'Misleading action'; "
        "CNIL v Facebook (accept button used to refuse)"
    ),
)
def _misleading_label(question: Question) -> Iterator[Flaw]:
    """The control that gives consent says so."""
    do = "Name the deed: “Share my spending history”, “同意共享”."
    for control in question.meaning(*_YES):
        if control.kind not in {Kind.BUTTON, Kind.LINK} or not control.label:
            continue
        empty = lexicon.matches("non-consent-label", control.folded.strip(_AROUND))
        unsaid = question.is_readable and not lexicon.has("accept", control.folded)
        if empty or unsaid:
            why = f"“{control.label}” gives consent without saying so"
            yield Flaw(control.element, why, do)
    if not question.asks and (question.implies or question.meaning(Meaning.DECLINE)):
        for control in question.controls:
            if control.kind is Kind.BUTTON and lexicon.matches(
                "non-consent-label", control.folded.strip(_AROUND)
            ):
                why = f"“{control.label}” stands where a yes is taken for granted"
                yield Flaw(control.element, why, do)


@error("D25", "later-instead-of-no", source="CCPA 7004(a)(2)(B)")
def _later_instead_of_no(question: Question) -> Iterator[Flaw]:
    """Later stands beside a no, never in its place."""
    later = question.meaning(Meaning.LATER)
    if later and question.asks and not question.meaning(Meaning.DECLINE):
        why = f"the choice is yes or “{later[0].label}”: no is missing"
        do = "Add a decline; later may stay as the third."
        yield Flaw(later[0].element, why, do)


@warning(
    "D29",
    "order-swap",
    source=("CCPA 7004(a)(3)(C); EDPB 03/2022 'Inconsistent interface'; WCAG 3.2.4"),
)
def _order_swap(question: Question) -> Iterator[Flaw]:
    """Yes and no keep their places from pair to pair."""
    pairs = [*question.radio_groups, _button_pair(question)]
    orders = [(pair, order) for pair in pairs if (order := _order(pair)) is not None]
    for pair, order in orders:
        if order != orders[0][1]:
            why = "yes and no stand in another order here than before"
            yield Flaw(pair[0].element, why, "Keep one order everywhere: no, then yes.")


def _button_pair(question: Question) -> Sequence[Control]:
    return [c for c in question.controls if c.kind is Kind.BUTTON]


def _order(controls: Sequence[Control]) -> bool | None:
    """Tell whether the no comes first; None without a pair."""
    answers = [
        control.says_yes
        for control in controls
        if control.says_yes or control.meaning is Meaning.DECLINE
    ]
    return None if len(set(answers)) < 2 else not answers[0]  # noqa: PLR2004  yes and no


@error(
    "D30", "autofocus-accept", source="EDPB 03/2022 'Deceptive snugness'; WCAG 3.2.1"
)
def _autofocus_accept(question: Question) -> Iterator[Flaw]:
    """Neither focus nor the Enter key is set on the yes."""
    do = "Leave the focus where it is."
    for control in question.meaning(*_YES):
        if control.element.has("autofocus"):
            why = "focus starts on the yes"
            yield Flaw(control.element, why, "Drop autofocus.")
        elif control.element.get("id") in question.surroundings.focused_ids:
            yield Flaw(control.element, "a script sets the focus on the yes", do)
    forms: dict[int, list[Control]] = defaultdict(list)
    for control in question.controls:
        form = question.surroundings.form_of(control.element)
        if control.is_submit and form is not None:
            forms[id(form)].append(control)
    for submits in forms.values():
        # HTML: Enter presses the first submit button. A lone yes is D03's matter.
        if len(submits) > 1 and submits[0].says_yes:
            why = "Enter gives consent: the yes is the form's first button"
            yield Flaw(submits[0].element, why, "Put the decline first.")


@error("D41", "decline-disabled", source="CCPA 7004(a)(5)(C); Taskforce p.18")
def _decline_disabled(question: Question) -> Iterator[Flaw]:
    """The no works from the start."""
    for control in question.meaning(Meaning.DECLINE):
        if why := _disabled(question, control):
            yield Flaw(control.element, why, "Enable it as the yes is enabled.")


def _disabled(question: Question, control: Control) -> str:
    element = control.element
    if element.has("disabled") or element.get("aria-disabled").lower() == "true":
        return "the decline is disabled"
    if declarations(element).get("pointer-events") == "none":
        return "the decline cannot be clicked"
    for holder in element.ancestors():
        if holder.has("inert") or (holder.tag == "fieldset" and holder.has("disabled")):
            return f"the decline is inside a disabled <{holder.tag}>"
        if holder is question.element:
            break
    return ""


@error(
    "D43",
    "bulk-grant-of-separate-consent",
    source="PIPL 23, 29, 39; GB/T 42574; Korea PIPA 22(1)",
)
def _bulk_grant(question: Question) -> Iterator[Flaw]:
    """A yes to everything does not reach what needs its own yes."""
    if not any(_needs_own_yes(control) for control in question.controls):
        return
    for control in question.meaning(Meaning.ACCEPT_ALL):
        why = f"“{control.label}” also lets data go to a recipient"
        do = "Ask for each share by itself; leave it out of the yes to all."
        yield Flaw(control.element, why, do)


def _needs_own_yes(control: Control) -> bool:
    if control.meaning is not Meaning.ACCEPT:
        return False
    if control.recipients:
        return set(control.recipients) != {"controller"}
    return control.is_toggle and bool(lexicon.parties(control.label))


RULES = (
    _decline_missing,
    _decline_not_a_control,
    _confirm_shaming,
    _misleading_label,
    _later_instead_of_no,
    _order_swap,
    _autofocus_accept,
    _decline_disabled,
    _bulk_grant,
)
