"""A form that was opened before its person was erased no longer counts (R58).

Nothing that is kept says who was erased. So a form remembers whom it was made for: the
handle, which never comes back, or, for somebody the log had not heard of, how far the
log was. Who came and was erased while such a form was open left leaves after that
point; a form as old as they were is shown again, whoever sends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.errors import InvalidRequestError

if TYPE_CHECKING:
    from consentkit.service.installation import Installation
    from consentkit.service.recording import PersonRecorder

__all__ = ["Opening", "check_not_erased_since", "opening_for"]


@dataclass(frozen=True, slots=True)
class Opening:
    """What the log knew of a person when a form was made for them.

    ``handle`` is empty if it knew nothing; ``position`` is how many leaves had been
    written then.
    """

    handle: str = ""
    position: int = 0


def opening_for(installation: Installation, subject: str) -> Opening:
    """What a form that is made now has to remember; writes nothing.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    history = installation.history
    person = history.person(subject)
    position = 0
    if person is None:
        # In this order: who comes after the position is read is told by it.
        position = history.position()
        person = history.person(subject)
    return Opening(position=position) if person is None else Opening(person.handle)


def check_not_erased_since(recorder: PersonRecorder, opened: Opening) -> None:
    """Refuse a form of somebody who was erased after it was made.

    Raises:
        InvalidRequestError: they were, or may have been (code ``erased-since``).
        LogUnavailableError: the database cannot be read.
    """
    if opened.handle:
        erased = opened.handle != recorder.person.handle
    else:
        erased = recorder.transaction.erased_newcomer_since(opened.position)
    if erased:
        raise InvalidRequestError(
            "this form was made before the records were erased; nothing was stored",
            code="erased-since",
        )
