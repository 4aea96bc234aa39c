"""Rules for what a live page does and which state it shows (D01, D27, D40 …)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.lint.choice_rules import could_mean_yes
from consentkit.lint.choice_rules import is_on
from consentkit.lint.control import Kind
from consentkit.lint.control import Meaning
from consentkit.lint.rule import Flaw
from consentkit.lint.rule import error
from consentkit.lint.sight import STAMP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.sight import Sight

__all__ = ["RULES"]

_YES = (Meaning.ACCEPT, Meaning.ACCEPT_ALL)


@error(
    "D01",
    "preselected-control",
    source=(
        "GDPR rec.32; C-673/17 Planet49; EDPB 05/2020 p.79; Taskforce p.10; "
        "App Measures III.4; MIIT 2023"
    ),
)
def _preselected_control(sight: Sight) -> Iterator[Flaw]:
    """No control that means yes is on once scripts have run, or after going back."""
    do = "Render it off, with autocomplete=off; only the person turns it on."
    for control in sight.question.controls:
        # What the markup turns on, the parsed page tells; here is what scripts did.
        if control.kind is Kind.SELECT or is_on(control):
            continue
        if not could_mean_yes(sight.question, control):
            continue
        if any(look.on for _, look in sight.shown_in(control.element)):
            why = f"this {control.kind} is on once the page has loaded"
            yield Flaw(control.element, why, do)
    for label in sight.meeting.returning:
        why = f"“{label}” is on again after the page was left and loaded anew"
        yield Flaw(sight.question.element, why, do)


@error("D19", "ambiguous-toggle", source="CCPA 7004(a)(3); WCAG 1.4.1, 4.1.2")
def _ambiguous_toggle(sight: Sight) -> Iterator[Flaw]:
    """Who sees no colours sees whether a switch is on."""
    for control in sight.question.controls:
        if control.element.get(STAMP) in sight.meeting.coloured:
            why = f"only a colour tells whether this {control.kind} is on"
            yield Flaw(control.element, why, "Show the state in words, or by a shape.")


@error(
    "D24",
    "implied-by-use",
    source="GDPR rec.32; EDPB 05/2020 p.79, 86; DPV ImpliedConsent",
)
def _implied_by_waiting(sight: Sight) -> Iterator[Flaw]:
    """Nobody's silence is taken for a yes."""
    for deed in sight.meeting.idled:
        why = f"while nobody did anything for half an hour, the page {deed}"
        yield Flaw(sight.question.element, why, "Do nothing until the person does.")


@error("D27", "gesture-consent", source="EDPB 05/2020 Ex.16 (p.86); GDPR rec.32")
def _gesture_consent(sight: Sight) -> Iterator[Flaw]:
    """Scrolling, Escape and leaving the window send and keep nothing."""
    for deed in sight.meeting.deeds:
        why = f"without an answer, the page {deed}"
        yield Flaw(
            sight.question.element, why, "Let only the button that says yes send one."
        )


@error(
    "D30", "autofocus-accept", source="EDPB 03/2022 'Deceptive snugness'; WCAG 3.2.1"
)
def _focus_on_accept(sight: Sight) -> Iterator[Flaw]:
    """Focus does not start on the yes."""
    for control in sight.question.meaning(*_YES):
        if any(look.focused for _, look in sight.shown_in(control.element)):
            why = "focus starts on the yes"
            yield Flaw(control.element, why, "Leave the focus where it is.")


@error("D38", "acts-before-choice", source="EDPB 05/2020 p.90; App Measures III.1")
def _acts_before_choice(sight: Sight) -> Iterator[Flaw]:
    """Nobody else is called and nothing lasting is kept before the answer."""
    element = sight.question.element
    for host in sight.meeting.hosts:
        why = f"showing the question already calls {host}"
        yield Flaw(element, why, "Serve it from your own host, or after the yes.")
    for name in sight.meeting.cookies:
        why = f"the cookie {name!r} is kept before the answer"
        yield Flaw(element, why, "Set it after the yes; a session needs one alone.")


@error(
    "D40",
    "state-lies",
    source="CCPA 7004(a)(3); WCAG 4.1.2; EDPB 03/2022 'Misleading action'",
)
def _state_lies(sight: Sight) -> Iterator[Flaw]:
    """What a switch shows, tells and sends is one and the same state."""
    do = "Draw the state from the control's own: use a plain checkbox."
    for control in sight.question.controls:
        stamp = control.element.get(STAMP)
        if stamp in sight.meeting.stubborn:
            why = f"this {control.kind} looks the same whether it is on or off"
            yield Flaw(control.element, why, do)
        if stamp in sight.meeting.lying:
            why = f"this {control.kind} tells assistive technology another state"
            yield Flaw(control.element, why, do)


@error("D41", "decline-disabled", source="CCPA 7004(a)(5)(C); Taskforce p.18")
def _decline_disabled(sight: Sight) -> Iterator[Flaw]:
    """The no works from the first moment, as the yes does."""
    for control in sight.question.meaning(Meaning.DECLINE):
        if any(look.disabled for _, look in sight.shown_in(control.element)):
            why = "the decline cannot be pressed"
            yield Flaw(control.element, why, "Enable it as the yes is enabled.")


RULES = (
    _preselected_control,
    _ambiguous_toggle,
    _implied_by_waiting,
    _gesture_consent,
    _focus_on_accept,
    _acts_before_choice,
    _state_lies,
    _decline_disabled,
)
