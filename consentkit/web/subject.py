"""The app's own id of a person, in the one form that consentkit keeps."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

from consentkit.errors import ConfigurationError
from consentkit.errors import InvalidRequestError

if TYPE_CHECKING:
    from consentkit.web.state import AppState

__all__ = ["SubjectId", "current_subject", "subject_key"]

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
        text = str(value)
        if _KEY.match(text):
            return text
    raise InvalidRequestError(
        "a subject id must be text, a number or a UUID, 1 to 255 characters without "
        f"control characters; got a value of type {type(value).__name__}",
        code="invalid-subject",
    )


def current_subject(state: AppState) -> str | None:
    """The person of this request, None if nobody is signed in.

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
