"""Is the state what the leaves say? The state is a projection; the leaves are truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.replay import replay
from consentkit.log.leaf import read_leaf
from consentkit.store.rows import STATUS_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.audit.replay import Key
    from consentkit.core.status import Status
    from consentkit.service.installation import Installation

__all__ = ["differences"]


def differences(installation: Installation) -> Iterator[str]:
    """Each answer on which the state table and the replay of all leaves differ.

    The lines name handle, purpose and recipient, and nothing about a person.

    Raises:
        MalformedError: a stored leaf is no longer one.
        LogUnavailableError: the database cannot be reached.
    """
    history = installation.history
    # The table first: acts that come in meanwhile are then in the leaves at least,
    # and a second run tells them from real differences.
    stored: dict[Key, Status | None] = dict(history.all_statuses())
    told: dict[Key, Status | None] = {
        key: row.status
        for key, row in replay(read_leaf(data) for data in history.all_leaves()).items()
    }
    for key in sorted(stored.keys() | told.keys()):
        if key not in stored or key not in told or stored[key] != told[key]:
            handle, purpose, recipient = key
            yield (
                f"subject {handle or 'without handle'}, {purpose} for {recipient}: "
                f"the leaves say {_said(told, key)}, "
                f"the state table says {_said(stored, key)}"
                + _other_columns(told.get(key), stored.get(key))
            )


def _said(answers: Mapping[Key, Status | None], key: Key) -> str:
    if key not in answers:
        return "nothing"
    status = answers[key]
    return "what cannot be read" if status is None else status.state.value


def _other_columns(one: Status | None, other: Status | None) -> str:
    """Which columns differ, where the answer itself is the same."""
    if one is None or other is None or one.state != other.state:
        return ""
    differ = [
        name for name in STATUS_COLUMNS if getattr(one, name) != getattr(other, name)
    ]
    return f", with other {', '.join(differ)}"
