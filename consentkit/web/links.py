"""Links that confirm a yes: made, handed to the app's sender, and told of.

The link is sealed and says nothing to who sees it on its way. It is made after the act
is committed, so that what fails in sending loses nothing.
"""

from __future__ import annotations

from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING
from typing import NamedTuple

from flask import current_app
from flask import url_for

from consentkit.core.act import Millis
from consentkit.core.registry import CROSS_BORDER
from consentkit.errors import ConfigurationError
from consentkit.service.awaiting import LIFETIME
from consentkit.service.confirming import ConfirmationLink
from consentkit.web import frame
from consentkit.web.locale import mark
from consentkit.web.subject import bearer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

    from markupsafe import Markup

    from consentkit.core.registry import Question
    from consentkit.service.awaiting import Awaited
    from consentkit.service.choosing import Chosen
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = [
    "FAILED",
    "SENT",
    "USED",
    "LinkHint",
    "again_form",
    "check_can_confirm",
    "link_hint",
    "send_link",
]

SENT, FAILED, USED = "sent", "failed", "used"
"""What the page after a form is to tell of a link, as its address says it."""

_HINTS = {
    SENT: (
        mark("One step is left"),
        mark(
            "We sent you a message with a link. "
            "Your yes counts only once you open it and confirm."
        ),
    ),
    FAILED: (
        mark("We could not send you the link"),
        mark(
            "Your answer is saved, and your yes does not count yet. "
            "Please wait a minute, then try again."
        ),
    ),
    USED: (
        mark("This link was used before"),
        mark("A link counts once. This is what stands now."),
    ),
}
_GOES_ON = mark("Until then, your earlier yes goes on.")


class LinkHint(NamedTuple):
    """What the page after a form tells of a link, with its heading."""

    title: Markup
    text: Markup


def check_can_confirm(state: AppState, questions: Iterable[Question]) -> None:
    """Refuse to ask what nobody could ever confirm.

    Raises:
        ConfigurationError: a purpose has two stages, and the app registered no sender;
            or it runs in production and takes any ``Host`` for its own, so that
            somebody else could choose where the link leads.
    """
    asked = next((each for each in questions if each.purpose.two_stage), None)
    if asked is None:
        return
    if state.loaders.confirmation is None:
        raise ConfigurationError(
            f"purpose {asked.purpose.id!r} has two_stage=True, and nothing sends the "
            "link that confirms a yes: register a function with "
            "@consent.confirmation_sender"
        )
    known = ("SERVER_NAME", "TRUSTED_HOSTS")
    if state.config.production and not any(map(current_app.config.get, known)):
        raise ConfigurationError(
            f"purpose {asked.purpose.id!r} has two_stage=True, and its links would "
            "lead wherever a request says: set Flask's TRUSTED_HOSTS or SERVER_NAME"
        )


def send_link(state: AppState, subject: str, chosen: Chosen) -> str:
    """Have the link sent that confirms what was chosen; how that went, if it did.

    The app's sender may fail: what was stored stays, and nothing about the person
    stands in the line that tells of it.
    """
    if not chosen.awaited:
        return ""
    sender = state.loaders.confirmation
    if sender is None:  # somebody took it away since the question was shown
        return FAILED
    link = _link(state, subject, chosen)
    try:
        sender(link)
    except Exception as error:  # noqa: BLE001  the app's own code: anything can come
        # Its text may hold an address, so that only its kind is told.
        current_app.logger.error(  # noqa: TRY400  a traceback would hold that text
            "consentkit: the confirmation_sender raised %s, no link was sent",
            type(error).__name__,
        )
        return FAILED
    return SENT


def _link(state: AppState, subject: str, chosen: Chosen) -> ConfirmationLink:
    installation, locale = state.installation, frame.current_locale(state)
    until = Millis(installation.clock() + LIFETIME)
    first = chosen.awaited[0]
    token = state.tokens.issue_link(subject, chosen.notice, chosen.awaited, until=until)
    purpose = installation.registry.purposes[first.purpose.removesuffix(CROSS_BORDER)]
    return ConfirmationLink(
        subject=subject,
        address=url_for(
            "consentkit.confirmation", token=token, lang=locale.code, _external=True
        ),
        purpose=locale.localise(purpose.title),
        locale=locale.code,
        until=datetime.fromtimestamp(until / 1000, UTC),
    )


def again_form(
    state: AppState, subject: str, waits: Sequence[Awaited]
) -> tuple[str, str, str] | None:
    """What a form needs that has the link sent again; None where nothing waits.

    Nor for who acts for the person: the second stage is theirs alone.
    """
    if not waits or bearer(state, subject) != subject:
        return None
    return (
        url_for("consentkit.confirmation_again"),
        state.tokens.issue_again(subject, waits[0].rests_on),
        frame.host_csrf_token(),
    )


def link_hint(told: str, locale: Locale, *, goes_on: bool) -> LinkHint | None:
    """What became of a link; None if that is none of the words there are.

    ``goes_on`` says that an earlier yes stands until the new one is confirmed.
    """
    if told not in _HINTS:
        return None
    title, text = _HINTS[told]
    hint = LinkHint(locale.text(title), locale.text(text))
    if told == USED or not goes_on:
        return hint
    return hint._replace(text=locale.sentences(hint.text, locale.text(_GOES_ON)))
