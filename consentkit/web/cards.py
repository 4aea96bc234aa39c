"""The standing answers of one person, as the cards that several pages show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request
from flask import url_for

from consentkit.core.registry import CROSS_BORDER
from consentkit.web.pages import CardView
from consentkit.web.pages import card_view

if TYPE_CHECKING:
    from consentkit.core.status import Status
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = ["cards_for"]


def cards_for(
    state: AppState, subject: str, locale: Locale, *, purpose_id: str | None = None
) -> tuple[CardView, ...]:
    """One card a standing answer, newest first; of one purpose or of all.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    standing = state.installation.history.statuses(subject)
    wanted = [
        (key, status)
        for key, status in standing.items()
        if purpose_id in (None, key[0].removesuffix(CROSS_BORDER))
    ]
    wanted.sort(key=lambda item: (-item[1].since, item[0]))
    return tuple(_card(state, subject, key, status, locale) for key, status in wanted)


def _card(
    state: AppState,
    subject: str,
    key: tuple[str, str],
    status: Status,
    locale: Locale,
) -> CardView:
    registry = state.installation.registry
    base = key[0].removesuffix(CROSS_BORDER)
    return card_view(
        status,
        key,
        registry,
        locale,
        now=state.installation.clock(),
        stop_token=state.tokens.issue_stop(subject, *key),
        receipt_url=url_for("consentkit.receipt", receipt_id=status.record),
        # Not from the question's own page to itself.
        ask_url=(
            url_for("consentkit.ask", purpose=base)
            if registry.question(*key) and request.endpoint != "consentkit.ask"
            else ""
        ),
    )
