"""A recipient abroad: what is told of a yes that counts only beside another one.

To share with somebody abroad takes two answers, and the gate denies while one of them
is missing (PIPL Art. 39). Neither may be told as if it were enough.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from consentkit.web.answers import declined_text
from consentkit.web.locale import mark

if TYPE_CHECKING:
    from consentkit.core.registry import Registry
    from consentkit.web.answers import CardView
    from consentkit.web.answers import ChoiceLine
    from consentkit.web.locale import Locale

__all__ = ["paired_card", "paired_line"]

_BOTH = mark(
    "{recipient} is abroad, so this is a question of its own. "
    "Data is sent only if you say yes to both."
)
# Whoever said it, and whatever became of the other one.
_SHARING_ALONE = mark(
    "There is a yes to sharing, but none to sending it abroad ({country}). "
    "So nothing is shared."
)
_ABROAD_ALONE = mark(
    "There is a yes to sending it abroad ({country}), but none to sharing. "
    "So nothing is sent."
)


def paired_card(card: CardView, registry: Registry, locale: Locale) -> CardView:
    """The card of a yes that is not enough: nothing is done, and why."""
    question = registry.question(*card.matter.key)
    if card.group != "agreed" or question is None:
        return card
    return replace(
        card,
        group="partial",
        stands=declined_text(card.matter, locale),
        lacks=locale.text(
            _ABROAD_ALONE if question.transfer else _SHARING_ALONE,
            country=locale.country(question.recipient.country),
        ),
    )


def paired_line(line: ChoiceLine, locale: Locale) -> ChoiceLine:
    """What follows from a yes that is not enough, told with it."""
    if line.answer != "yes":
        return line
    return replace(line, now=locale.text(_BOTH, recipient=line.matter.recipient))
