"""Somebody lets somebody else answer for them, as calls on ``ConsentKit``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import has_request_context

from consentkit.core.period import millis_of
from consentkit.errors import InvalidRequestError
from consentkit.service import representing
from consentkit.web.gate import id_of
from consentkit.web.state import current_state
from consentkit.web.subject import current_representative
from consentkit.web.subject import subject_key

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from consentkit.core.purpose import Purpose
    from consentkit.store.representing import Delegation
    from consentkit.web.subject import SubjectId

__all__ = ["Delegating"]


class Delegating:
    """The part of ``ConsentKit`` that is about delegates."""

    def delegate(
        self,
        subject: SubjectId,
        *,
        to: SubjectId,
        label: str,
        purposes: Collection[str | Purpose],
        until: datetime,
    ) -> Delegation:
        """Let ``to`` answer for the person about these purposes, until then (R84).

        Call it when the person has asked for it. ``label`` is what they call the
        delegate. They see it on their page and can take it back at any time.

        Raises:
            InvalidRequestError: it names no declared purpose, or one of two stages,
                ends before it begins, is to the person themselves, or the person is too
                young; or who asks for it acts for them, for nobody can pass that on
                (code ``delegation``).
            LogUnavailableError: the database cannot be written.
        """
        state = current_state()
        if has_request_context() and current_representative(state) is not None:
            raise InvalidRequestError(
                "this cannot be delegated: only the person can let somebody answer for "
                "them, not who acts for them",
                code="delegation",
            )
        return representing.delegate(
            state.installation,
            subject_key(subject),
            to=subject_key(to),
            label=label,
            purposes=[id_of(each) for each in purposes],
            until=millis_of(until),
        )

    def delegations(self, subject: SubjectId) -> list[Delegation]:
        """Everybody whom the person ever let answer for them, oldest first."""
        installation = current_state().installation
        return installation.representations.delegations(subject_key(subject))

    def end_delegation(self, subject: SubjectId, delegation: str) -> None:
        """Take a delegation back by its id; what was done on it stays (R84).

        Raises:
            LogUnavailableError: the database cannot be written.
        """
        installation = current_state().installation
        representing.end_delegation(installation, subject_key(subject), delegation)
