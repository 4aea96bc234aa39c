"""Rules for the way through an app: to the no, to the yes, and back (D05 …)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.lint.finding import Findings
from consentkit.lint.rule import Flaw
from consentkit.lint.rule import error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.lint.walk import Journey

__all__ = ["RULES", "judge_journey"]

# The list says 50 ms; one try each over a network cannot tell that from chance.
_NOTICED = 1.0


@error("D02", "hidden-grant", source="GDPR rec.32")
def _hidden_grant(journey: Journey) -> Iterator[Flaw]:
    """The form sent as it stands gives nothing."""
    if journey.untouched_grants:
        why = "sending the form with nothing chosen agreed to something"
        yield Flaw(journey.question, why, "Take a missing answer for no answer.")


@error(
    "D05",
    "decline-extra-steps",
    source=(
        "CCPA 7004(a)(2)(A); Taskforce p.8; EDPB 03/2022 'Longer than necessary'; "
        "CNIL v Google/Facebook 2021"
    ),
)
def _decline_extra_steps(journey: Journey) -> Iterator[Flaw]:
    """Saying no takes no more steps than saying yes."""
    do = "Offer the no where the yes is, and finish at once."
    if not journey.answered:
        return
    if journey.decline_steps is None:
        why = f"yes takes {_steps(journey.accept_steps)}, and there is no way to no"
        yield Flaw(journey.question, why, do)
    elif journey.decline_steps > (journey.accept_steps or 0):
        no, yes = _steps(journey.decline_steps), _steps(journey.accept_steps)
        yield Flaw(journey.question, f"no takes {no}, yes takes {yes}", do)


@error(
    "D12",
    "coupled-form",
    source="EDPB 05/2020 p.81; GB/T 42574 (own interface or step)",
)
def _coupled_form(journey: Journey) -> Iterator[Flaw]:
    """Using something else agrees to nothing."""
    for address in journey.features_grant:
        why = "using this, with its form left as it is, gave consent"
        yield Flaw(address, why, "Ask in a step of its own; record nothing here.")


@error(
    "D14",
    "forced-consent",
    source="GDPR 7(4); PIPL 16; EDPB 05/2020 p.46-48; Taskforce p.13",
)
def _forced_consent(journey: Journey) -> Iterator[Flaw]:
    """What worked before works after a no."""
    if journey.refused_service:
        why = "after a no this page is refused, and it worked before"
        yield Flaw(journey.refused_service, why, "Serve it whatever the answer is.")


@error(
    "D24",
    "implied-by-use",
    source="GDPR rec.32; EDPB 05/2020 p.79, 86; DPV ImpliedConsent",
)
def _implied_by_use(journey: Journey) -> Iterator[Flaw]:
    """Opening an address agrees to nothing."""
    for address in journey.visits_grant:
        why = "opening this address gave consent, with no form sent"
        yield Flaw(address, why, "Let only a POST with a form token change anything.")


@error(
    "D28",
    "nagging",
    source=(
        "NDSMR 22(5); App Measures III.2; EDPB 03/2022 'Continuous prompting'; "
        "Garante 2021 s.6.2; CNIL s.39"
    ),
)
def _nagging(journey: Journey) -> Iterator[Flaw]:
    """After a no nobody is asked again unbidden."""
    for address in journey.asked_again:
        why = "after a no this page asks again by itself"
        do = "Keep the no; ask again when the notice changes, or when they come to it."
        yield Flaw(address, why, do)


@error(
    "D31",
    "withdraw-friction",
    source=(
        "GDPR 7(3); EDPB 05/2020 p.113-115; CCPA 7004(a)(4)(A), (a)(5); DPDP r.3(c)(i)"
    ),
)
def _withdraw_friction(journey: Journey) -> Iterator[Flaw]:
    """Taking back is as easy as giving."""
    for demand in journey.stop_demands:
        why = f"the stop is not one press: {demand}"
        yield Flaw(journey.stop_place, why, "One button, nothing to fill in.")
    # Where the question came by itself, one click on a standing link makes up for it.
    most = (journey.accept_steps or 0) + journey.came_by_itself
    if journey.stop_steps and journey.stop_steps > most:
        stop, yes = _steps(journey.stop_steps), _steps(journey.accept_steps)
        why = f"taking back takes {stop}, agreeing took {yes}"
        yield Flaw(journey.stop_place, why, "Bring the stop nearer and drop questions.")


@error(
    "D32",
    "withdraw-hidden",
    source="Taskforce p.32-35; EDPB 03/2022 'Dead end'; CCPA 7004(a)(5)(B)",
)
def _withdraw_hidden(journey: Journey) -> Iterator[Flaw]:
    """The way back is two clicks away at most, and leads there."""
    if journey.answered and not journey.stop_place:
        why = "after a yes no stop is to be found within two clicks"
        do = "Link every page to one place that shows what stands, with its stop."
        yield Flaw(journey.start, why, do)
    elif journey.stop_clicks > 1:
        why = f"the place where one stops, {journey.stop_place}, has no link from here"
        yield Flaw(journey.start, why, "Put the link to it on every page.")
    for address in journey.dead_links:
        why = "the link to change one's answers leads nowhere"
        yield Flaw(address, why, "Serve that page, without scripts as well.")


@error("D44", "signal-ignored", source="CCPA 7025(c)(1), (c)(6); W3C GPC")
def _signal_ignored(journey: Journey) -> Iterator[Flaw]:
    """Global Privacy Control keeps sharing off, and the page says so."""
    if journey.signal_overridden:
        why = "with Sec-GPC: 1 a choice to share is shown as on"
        yield Flaw(journey.question, why, "Show it off; the signal is a no.")
    if not journey.signal_shown:
        why = "with Sec-GPC: 1 nothing says that the signal counts"
        do = "Say “Opt-out signal honoured” beside the question."
        yield Flaw(journey.question, why, do)


@error("D41", "decline-disabled", source="CCPA 7004(a)(5)(C); Taskforce p.18")
def _decline_delayed(journey: Journey) -> Iterator[Flaw]:
    """A no is done as soon as a yes."""
    later = journey.decline_seconds - journey.accept_seconds
    if journey.answered and journey.decline_steps and later > _NOTICED:
        why = f"the no takes the server {later:.1f} s longer than the yes"
        yield Flaw(journey.question, why, "Do the work after the answer, for both.")


def _steps(number: int | None) -> str:
    return f"{number} step" if number == 1 else f"{number} steps"


RULES = (
    _hidden_grant,
    _decline_extra_steps,
    _coupled_form,
    _decline_delayed,
    _forced_consent,
    _implied_by_use,
    _nagging,
    _withdraw_friction,
    _withdraw_hidden,
    _signal_ignored,
)
# These need no answer to be sent, so they hold for a question that takes a script.
_WITHOUT_ANSWER = frozenset({"D12", "D24", "D44"})


def judge_journey(journey: Journey) -> Findings:
    """Apply every rule that the walk could try."""
    tried = [r for r in RULES if journey.answered or r.id in _WITHOUT_ANSWER]
    found = (finding for rule in tried for finding in rule.judge(journey))
    return Findings(
        tuple(dict.fromkeys(found)),
        questions=1,
        rules_checked=tuple(rule.id for rule in tried),
    )
