"""Is the state what the leaves say? The state is a projection; the leaves are truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.replay import replay
from consentkit.log.leaf import read_leaf

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    stored: dict[Key, Status] = dict(history.all_statuses())
    told = {
        key: row.status
        for key, row in replay(read_leaf(data) for data in history.all_leaves()).items()
    }
    for key in sorted(stored.keys() | told.keys()):
        if stored.get(key) != told.get(key):
            handle, purpose, recipient = key
            said = told[key].state.value if key in told else "nothing"
            kept = stored[key].state.value if key in stored else "nothing"
            yield (
                f"subject {handle or 'without handle'}, {purpose} for {recipient}: "
                f"the leaves say {said}, the state table says {kept}"
            )
