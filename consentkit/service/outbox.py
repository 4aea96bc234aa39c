"""What has to be told of an act, put beside it: committed together, or not at all.

Every recipient that got data under what ended is told (GDPR Art. 19), and so is the app
itself, which may hold data that has no other basis any more (GDPR Art. 17(1)(b)).
``service.telling`` delivers it.
"""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from typing import TYPE_CHECKING

from consentkit.audit.replay import act_of
from consentkit.core.act import AUTHORISING
from consentkit.core.act import State
from consentkit.core.record import rfc3339
from consentkit.core.registry import CROSS_BORDER
from consentkit.core.status import status_of
from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.store.deliveries import Delivery

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

    from consentkit.core.act import Choice
    from consentkit.core.status import Status
    from consentkit.log.leaf import Leaf
    from consentkit.service.recording import PersonRecorder
    from consentkit.store.deliveries import Shared

    Key = tuple[str, str]

__all__ = [
    "ENDED",
    "ERASED",
    "ERASURE_TASK",
    "NARROWED",
    "tell_of_change",
    "tell_of_ending",
    "tell_of_erasure",
]

ENDED = "consent.ended"
"""A message: consents ended, so what came under their records is to be deleted."""

NARROWED = "consent.narrowed"
"""A message: they hold for less data, so the rest is to be deleted."""

ERASED = "consent.erased"
"""A message: the person had all their records erased."""

ERASURE_TASK = "consent.erasure-task"
"""For the app itself, see ``telling.ErasureTask``."""


def tell_of_ending(
    recorder: PersonRecorder,
    leaf: Leaf,
    ended: Mapping[Key, Status],
    standing: Mapping[Key, Status],
    state: State,
) -> None:
    """Put what has to be told beside the act that ended these grants.

    ``standing`` are the person's answers; those in ``ended`` may stand there as they
    were. It is the caller's transaction: committed with the act, or not at all.

    Raises:
        LogUnavailableError: the database cannot be written.
    """
    shared = recorder.transaction.shared(recorder.subject, ended.keys())
    _tell(recorder, leaf, ENDED, shared, state.value)
    _leave_tasks(recorder, leaf, ended, standing)


def tell_of_change(
    recorder: PersonRecorder,
    leaf: Leaf,
    choices: Sequence[Choice],
    standing: Mapping[Key, Status],
) -> None:
    """Put beside an act what it took back of the answers in ``standing``.

    Who decides again and says no ends a yes as much as who presses stop, and a new yes
    that leaves data out ends the old one for that data (R57). So does one of two who
    agreed together and agrees anew alone: their yes waits for the other's again.

    Raises:
        LogUnavailableError: the database cannot be written.
    """
    act = act_of(leaf)
    after = {**standing, **{each.key: status_of(act, each) for each in choices}}
    before = {
        each.key: standing[each.key]
        for each in choices
        if each.key in standing and standing[each.key].state in AUTHORISING
    }
    for state in (State.REFUSED, State.DEFERRED, State.REQUESTED):
        ended = {key: was for key, was in before.items() if after[key].state is state}
        if ended:
            tell_of_ending(recorder, leaf, ended, after, state)
    narrowed = {
        key: was._replace(data=was.data - after[key].data)
        for key, was in before.items()
        if after[key].state in AUTHORISING and not was.data <= after[key].data
    }
    if narrowed:
        _tell_of_narrowing(recorder, leaf, narrowed)
        _leave_tasks(recorder, leaf, narrowed, after)


def _tell_of_narrowing(
    recorder: PersonRecorder, leaf: Leaf, narrowed: Mapping[Key, Status]
) -> None:
    """One message a recipient: which data of which record it may keep no longer.

    Of what never went to it, and of the data it may keep, it hears nothing.
    """
    shared = recorder.transaction.shared(recorder.subject, narrowed.keys())
    gone: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (purpose, recipient), status in narrowed.items():
        gone[purpose.removesuffix(CROSS_BORDER), recipient] |= status.data
    for recipient in sorted({each.recipient for each in shared} - {OWN_USE_ID}):
        told = [
            {"data": sorted(data), "purpose": each.purpose, "record": each.record}
            for each in shared
            if each.recipient == recipient
            and (data := gone[each.purpose, recipient].intersection(each.data))
        ]
        if told:
            _send(recorder, leaf, recipient, NARROWED, {"narrowed": told})


def _leave_tasks(
    recorder: PersonRecorder,
    leaf: Leaf,
    ended: Mapping[Key, Status],
    standing: Mapping[Key, Status],
) -> None:
    """For the app itself: the data that it holds and no grant covers any more."""
    for purpose, data in _without_basis(ended, standing):
        _add(
            recorder,
            leaf,
            OWN_USE_ID,
            ERASURE_TASK,
            {"data": list(data), "purpose": purpose},
        )


def tell_of_erasure(
    recorder: PersonRecorder, leaf: Leaf, shared: Sequence[Shared]
) -> None:
    """Put beside an erasure what recipients have to be told of it (GDPR Art. 17(2)).

    The messages outlive the person's row and lead nowhere: they hold ids of records.

    Raises:
        LogUnavailableError: the database cannot be written.
    """
    _tell(recorder, leaf, ERASED, shared, "erased")


def _tell(
    recorder: PersonRecorder,
    leaf: Leaf,
    event: str,
    shared: Sequence[Shared],
    state: str,
) -> None:
    """One message a recipient: of its own records only, and of no person by name."""
    for recipient in sorted({each.recipient for each in shared} - {OWN_USE_ID}):
        ended = [
            {"purpose": each.purpose, "record": each.record, "state": state}
            for each in shared
            if each.recipient == recipient
        ]
        _send(recorder, leaf, recipient, event, {"ended": ended})


def _send(
    recorder: PersonRecorder,
    leaf: Leaf,
    recipient: str,
    event: str,
    what: Mapping[str, object],
) -> None:
    told = {
        **what,
        "act": leaf.id,
        "controller": recorder.installation.registry.controller.id,
        "log": recorder.installation.origin,
        "recipient": recipient,
    }
    body = {"data": told, "timestamp": rfc3339(recorder.now), "type": event}
    _add(recorder, leaf, recipient, event, body)


def _without_basis(
    ended: Mapping[Key, Status], standing: Mapping[Key, Status]
) -> list[tuple[str, tuple[str, ...]]]:
    """By purpose, the data of ``ended`` that no grant in ``standing`` covers."""
    covered = {
        category
        for key, status in standing.items()
        if (key not in ended or ended[key].record != status.record)
        and status.state in AUTHORISING
        and not key[0].endswith(CROSS_BORDER)  # which allows nothing by itself
        for category in status.data
    }
    left: dict[str, set[str]] = defaultdict(set)
    for (purpose, _), status in ended.items():
        left[purpose.removesuffix(CROSS_BORDER)] |= status.data - covered
    return [(purpose, tuple(sorted(data))) for purpose, data in left.items() if data]


def _add(
    recorder: PersonRecorder, leaf: Leaf, recipient: str, event: str, body: object
) -> None:
    recorder.transaction.add_delivery(
        Delivery(
            id="msg_" + secrets.token_hex(16),
            handle=recorder.person.handle,
            recipient=recipient,
            event=event,
            record=leaf.id,
            body=json.dumps(body, sort_keys=True, separators=(",", ":")).encode(),
            created=recorder.now,
            due=recorder.now,
        )
    )
