"""Rules that only some countries have, asked for by ``--profile``; need a browser."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.lint.passages import own_text
from consentkit.lint.rule import Flaw
from consentkit.lint.rule import error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.lint.rule import Rule
    from consentkit.lint.sight import Look
    from consentkit.lint.sight import Sight
    from consentkit.lint.tree import Element

__all__ = ["PROFILES", "rules_of"]

# What a person has to notice; the rest of the question is what surrounds it.
_KEY_ITEMS = ("purpose", "data", "recipient")
_LEAST_PIXELS = 12.0  # 9 pt
_LARGER = 1.2


@error(
    "D08",
    "small-text",
    source="Korea PIPC 2022",
)
def _key_items_stand_out(sight: Sight) -> Iterator[Flaw]:
    """Purposes, data and recipients are set 9 pt at least, and a fifth larger."""
    question = sight.question
    keys = [e for name in _KEY_ITEMS for e in question.essentials(name)]
    inside = {id(below) for key in keys for below in key.elements()}
    texts = [e for e in question.element.elements() if own_text(e)]
    for view in sight.views:
        usual = _usual(view.look(e) for e in texts if id(e) not in inside)
        least = max(_LEAST_PIXELS, _LARGER * usual)
        for element in (e for e in texts if id(e) in inside):
            look = view.look(element)
            if look is not None and look.pixels < least - 0.05:
                yield _too_small(element, look, least)
                return


def _usual(looks: Iterator[Look | None]) -> float:
    return median([look.pixels for look in looks if look is not None] or [0.0])


def _too_small(element: Element, look: Look, least: float) -> Flaw:
    why = f"a key item of {look.pixels:.1f} px; Korea asks for {least:.1f} px here"
    return Flaw(element, why, "Set it a fifth larger than the text around it.")


PROFILES: Mapping[str, tuple[Rule[Sight], ...]] = {"kr": (_key_items_stand_out,)}


def rules_of(profile: str) -> tuple[Rule[Sight], ...]:
    """Return what a profile adds, nothing for ``""``.

    Raises:
        ConfigurationError: there is no such profile.
    """
    if profile and profile not in PROFILES:
        known = ", ".join(sorted(PROFILES))
        message = f"expected a profile ({known}), got {profile!r}"
        raise ConfigurationError(message)
    return PROFILES.get(profile, ())
