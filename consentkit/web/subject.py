"""The app's own id of a person, in the one form that consentkit keeps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

from consentkit.core.representative import Representative
from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError

if TYPE_CHECKING:
    from consentkit.web.state import AppState

__all__ = [
    "SubjectId",
    "bearer",
    "current_representative",
    "current_subject",
    "is_delegate",
    "signed_in_subject",
    "subject_key",
]

SubjectId = str | int | UUID
"""What an app may use as a person's id: text, a number or a UUID."""

_KEY = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,255}\Z")


def subject_key(value: object) -> str:
    """The id as text.

    Raises:
        InvalidRequestError: it is no text, number or UUID, or not 1 to 255 characters
            without control characters.
    """
    # A bool is an int to Python, but never somebody's id.
    if isinstance(value, SubjectId) and not isinstance(value, bool):
        try:
            text = str(value)
        except ValueError:  # thousands of digits, which Python does not write
            text = ""
        if _KEY.match(text):
            return text
    raise InvalidRequestError(
        "a subject id must be text, a number or a UUID, 1 to 255 characters without "
        f"control characters; got a value of type {type(value).__name__}",
        code="invalid-subject",
    )


def current_subject(state: AppState) -> str | None:
    """Whom this request is about, None if nobody is signed in.

    That is who is signed in, or for whom they act.

    Raises:
        ConfigurationError: the app has no subject loader, or one of its loaders
            returned nothing that can be used.
    """
    here = signed_in_subject(state)
    acting = current_representative(state) if here is not None else None
    return here if acting is None else str(acting.subject)


def current_representative(state: AppState) -> Representative | None:
    """Who acts for the person of this request, None if they do it themselves.

    Raises:
        ConfigurationError: the app's loader returned something else, or an id that is
            none, or it is about somebody who is not signed in.
    """
    load = state.loaders.representative
    here = signed_in_subject(state) if load else None
    acting = load() if load and here is not None else None
    if acting is None:
        return None
    if not isinstance(acting, Representative):
        raise ConfigurationError(
            "the representative_loader must return a Representative, or None for a "
            f"person who acts for themselves; got {type(acting).__name__}"
        )
    try:
        both = subject_key(acting.subject), subject_key(acting.by)
    except InvalidRequestError as error:
        raise ConfigurationError(
            f"the representative_loader must name two subjects: {error}"
        ) from error
    if here not in both:
        raise ConfigurationError(
            "the representative_loader must return who is signed in, as one who acts "
            "for somebody; it returned two other people"
        )
    return acting


def is_delegate(state: AppState) -> bool:
    """Whether who is signed in acts for somebody, about a part of it only."""
    acting = current_representative(state)
    return acting is not None and not acting.is_guardian


def bearer(state: AppState, subject: str) -> str:
    """Whom the form tokens of this request are made for: who acts, and for whom."""
    acting = current_representative(state)
    if acting is None or str(acting.subject) != subject:
        return subject
    # No id holds a line break, so that no person is anybody's pair.
    return f"{subject}\n{acting.actor}\n{acting.by}"


def signed_in_subject(state: AppState) -> str | None:
    """Who is signed in, None if nobody is.

    Raises:
        ConfigurationError: the app has no subject loader, or it returned no usable id.
    """
    if state.loaders.subject is None:
        raise ConfigurationError(
            "consentkit cannot tell who is signed in: register a function that returns "
            "their id, or None for nobody, with @consent.subject_loader"
        )
    value = state.loaders.subject()
    if value is None:
        return None
    try:
        return subject_key(value)
    except InvalidRequestError as error:
        raise ConfigurationError(
            "the subject_loader must return the id of whoever is signed in, or None "
            f"for nobody: {error}"
        ) from error
