"""Whom a request to the JSON interface is about: its own person, or nobody's."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from consentkit.web.problems import problem
from consentkit.web.state import current_state
from consentkit.web.subject import current_subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

__all__ = ["of_a_person"]


def of_a_person(
    view: Callable[..., ResponseReturnValue],
) -> Callable[..., ResponseReturnValue]:
    """Give the view the app's state and the person; without one it is refused."""

    @functools.wraps(view)
    def checked(**values: str) -> ResponseReturnValue:
        state = current_state()
        subject = current_subject(state)
        return problem("sign-in") if subject is None else view(state, subject, **values)

    return checked
