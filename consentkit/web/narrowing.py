"""What a new yes takes back of the one before, told before it is given and after.

Whoever says yes again decides about each box again: what an empty one leaves out is
shared no longer. It ends without a "stop", so it has to be said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.service.narrowing import taken_back
from consentkit.web.answers import Matter
from consentkit.web.answers import data_titles
from consentkit.web.locale import mark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

    from markupsafe import Markup

    from consentkit.core.registry import Question
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

    Key = tuple[str, str]

__all__ = ["included", "told_taken_back", "yes_stands"]

_TAKEN_BACK = {
    "share": mark("No longer shared with {recipient}: {data}."),
    "use": mark("No longer used by {recipient}: {data}."),
    "send": mark("No longer sent abroad to {recipient}: {data}."),
}
_INCLUDED = mark(
    "Your yes to {recipient} includes {data}. "
    "If you say yes again and leave the box empty, you take that back."
)


def yes_stands(
    state: AppState, asked: Sequence[Question], standing: Mapping[Key, Status]
) -> bool:
    """Whether the one question that is asked has a yes, which "later" would end."""
    now = state.installation.clock()
    found = [standing.get(each.key) for each in asked]
    return len(found) == 1 and found[0] is not None and found[0].authorises(now)


def included(
    state: AppState,
    asked: Sequence[Question],
    standing: Mapping[Key, Status],
    locale: Locale,
) -> tuple[Markup, ...]:
    """What an empty box would take back, a sentence for each recipient."""
    now = state.installation.clock()
    ticked: dict[str, set[str]] = {}
    for each in asked:
        status = standing.get(each.key)
        if status is not None and status.authorises(now):
            ticked.setdefault(each.recipient.name, set()).update(
                status.data & set(each.optional)
            )
    registry = state.installation.registry
    return tuple(
        locale.text(
            _INCLUDED,
            recipient=name,
            data=locale.quoted(data_titles(data, registry, locale)),
        )
        for name, data in ticked.items()
        if data
    )


def told_taken_back(
    state: AppState,
    subject: str,
    leaf: Leaf,
    standing: Mapping[Key, Status],
    locale: Locale,
) -> dict[Key, Markup]:
    """What ``leaf`` took back of the yes before it, as far as it still stands.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    registry, told = state.installation.registry, {}
    gone = taken_back(state.installation, subject, leaf, standing)
    for key, data in gone.items():
        matter = Matter.of(key, registry, locale)
        told[key] = locale.text(
            _TAKEN_BACK[matter.deed],
            recipient=matter.recipient,
            data=locale.quoted(data_titles(data, registry, locale)),
        )
    return told
