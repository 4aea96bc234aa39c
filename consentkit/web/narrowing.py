"""What a new yes takes back of the one before, told before it is given and after.

Whoever says yes again decides about each box again: what an empty one leaves out is
shared no longer. It ends without a "stop", so it has to be said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.replay import act_of
from consentkit.core.act import AUTHORISING
from consentkit.core.act import State
from consentkit.log.leaf import read_leaf
from consentkit.web.answers import Matter
from consentkit.web.answers import data_titles
from consentkit.web.locale import mark

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

    from markupsafe import Markup

    from consentkit.core.act import Choice
    from consentkit.core.act import Millis
    from consentkit.core.registry import Question
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

    Key = tuple[str, str]

__all__ = ["included", "taken_back", "yes_stands"]

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
    return len(found) == 1 and found[0] is not None and _is_yes(found[0], now)


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
        if status is not None and _is_yes(status, now):
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


def taken_back(
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
    given = {
        each.key: each
        for each in act_of(leaf).choices
        if each.state in AUTHORISING and standing[each.key].record == leaf.id
    }
    earlier = _earlier(state, subject, leaf) if given else {}
    registry, told = state.installation.registry, {}
    for key, choice in given.items():
        before = earlier.get(key)
        if before is None or before.state not in AUTHORISING:
            continue
        gone = set(before.data) - set(choice.data)
        if gone and leaf.time < before.until:
            matter = Matter.of(key, registry, locale)
            told[key] = locale.text(
                _TAKEN_BACK[matter.deed],
                recipient=matter.recipient,
                data=locale.quoted(data_titles(gone, registry, locale)),
            )
    return told


def _earlier(state: AppState, subject: str, leaf: Leaf) -> dict[Key, Choice]:
    """The last answer to each question before ``leaf``; being asked is none."""
    history = state.installation.history
    person = history.person(subject)
    leaves = (
        [read_leaf(each.data) for each in history.acts(person.handle)] if person else []
    )
    ids = [each.id for each in leaves]
    older = leaves[ids.index(leaf.id) + 1 :] if leaf.id in ids else []
    found: dict[Key, Choice] = {}
    for each in older:
        for choice in act_of(each).choices:
            if choice.state is not State.REQUESTED:
                found.setdefault(choice.key, choice)
    return found


def _is_yes(status: Status, now: Millis) -> bool:
    return status.at(now) in AUTHORISING
