"""What a new yes took back of the one before, without anybody having said "stop"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.replay import act_of
from consentkit.core.act import AUTHORISING
from consentkit.core.act import State
from consentkit.log.leaf import read_leaf

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.core.act import Choice
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation

    Key = tuple[str, str]

__all__ = ["taken_back"]


def taken_back(
    installation: Installation,
    subject: str,
    leaf: Leaf,
    standing: Mapping[Key, Status],
) -> dict[Key, frozenset[str]]:
    """The categories of each earlier yes that ``leaf``, which still stands, left out.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    given = {
        each.key: each
        for each in act_of(leaf).choices
        if each.state in AUTHORISING and standing[each.key].record == leaf.id
    }
    earlier = _earlier(installation, subject, leaf) if given else {}
    found = {}
    for key, choice in given.items():
        before = earlier.get(key)
        if before is None or before.state not in AUTHORISING:
            continue
        gone = frozenset(before.data) - set(choice.data)
        if gone and leaf.time < before.until:
            found[key] = gone
    return found


def _earlier(installation: Installation, subject: str, leaf: Leaf) -> dict[Key, Choice]:
    """The last answer to each question before ``leaf``; being asked is none."""
    history = installation.history
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
