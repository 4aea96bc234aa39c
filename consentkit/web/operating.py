"""What officials do with an app's consents, as calls on ``ConsentKit``.

Each is logged with the person, their affiliation and the reason: give ``by`` and
``reason`` as text, or ``by`` as an ``Official``.
"""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import TYPE_CHECKING

from consentkit.core.act import Millis
from consentkit.errors import InvalidRequestError
from consentkit.service import administering
from consentkit.service import correcting
from consentkit.service import invalidating
from consentkit.service import suspending
from consentkit.service.administering import Official
from consentkit.web.gate import id_of
from consentkit.web.state import current_state
from consentkit.web.subject import subject_key

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Mapping

    from consentkit.core.purpose import Purpose
    from consentkit.core.vocabulary import Recipient
    from consentkit.log.leaf import Leaf
    from consentkit.service.administering import AdministrativeAct
    from consentkit.service.correcting import Correction
    from consentkit.service.invalidating import Invalidation
    from consentkit.web.subject import SubjectId

__all__ = ["Operating", "millis"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Operating:
    """The part of ``ConsentKit`` that is for officials."""

    def invalidate(
        self,
        *,
        notice: str | None = None,
        widget: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        purpose: str | Purpose | None = None,
        recipient: str | Recipient | None = None,
        by: Official | str,
        reason: str = "",
    ) -> Invalidation:
        """Set invalid what was taken through a bad notice or widget, or in a time.

        ``widget`` is the ``template_sha256`` of notices. Nobody has to act; run it
        again if it was cut short.

        Raises:
            InvalidRequestError: it does not say which consents, or who and why.
            LogUnavailableError: the database cannot be written.
        """
        taken = invalidating.Taken(
            notice=notice,
            widget=widget,
            since=millis(since),
            until=millis(until),
            purpose=_id(purpose),
            recipient=_id(recipient),
        )
        return invalidating.invalidate(
            current_state().installation, taken, by=Official.of(by, reason)
        )

    def correct(
        self,
        subject: SubjectId,
        *,
        wrong: str,
        said: Mapping[tuple[str, str], Collection[str]] | None = None,
        by: Official | str,
        reason: str = "",
    ) -> Correction:
        """Correct an act that was recorded by mistake, by a new one.

        ``said`` is what the person really said by (purpose, recipient): the data they
        agreed to, fewer than recorded, or none for a no. Without it, what the act still
        grants is set invalid.

        Raises:
            InvalidRequestError: no such act of that person, or it would widen.
            LogUnavailableError: the database cannot be written.
        """
        mistake = correcting.Mistake(subject_key(subject), wrong, said)
        return correcting.correct(
            current_state().installation, mistake, by=Official.of(by, reason)
        )

    def suspend(
        self,
        purpose: str | Purpose | None = None,
        *,
        recipient: str | Recipient | None = None,
        by: Official | str,
        reason: str = "",
    ) -> Leaf | None:
        """Stop a purpose, a recipient, the pair, or with neither all; None if it was.

        Raises:
            InvalidRequestError: no such purpose or recipient, or nobody answers for it.
            LogUnavailableError: the database cannot be written.
        """
        return suspending.suspend(
            current_state().installation,
            _id(purpose),
            _id(recipient),
            by=Official.of(by, reason),
        )

    def resume(
        self,
        purpose: str | Purpose | None = None,
        *,
        recipient: str | Recipient | None = None,
        by: Official | str,
        reason: str = "",
    ) -> Leaf | None:
        """Lift exactly what ``suspend`` stopped with these words; None if nothing.

        Raises:
            InvalidRequestError: nobody answers for it.
            LogUnavailableError: the database cannot be written.
        """
        return suspending.resume(
            current_state().installation,
            _id(purpose),
            _id(recipient),
            by=Official.of(by, reason),
        )

    def administrative_acts(self) -> list[AdministrativeAct]:
        """What officials did, oldest first: who, for whom, why."""
        return administering.administrative_acts(current_state().installation)


def millis(moment: datetime | None) -> Millis | None:
    """An aware time as we store it.

    Raises:
        InvalidRequestError: it does not say its zone (code ``selection``).
    """
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise InvalidRequestError(
            "expected a time with its zone, such as 2026-01-01T00:00:00+00:00; got one "
            "without",
            code="selection",
        )
    return Millis((moment - _EPOCH) // timedelta(milliseconds=1))


def _id(value: str | Purpose | Recipient | None) -> str | None:
    return None if value is None else id_of(value)
