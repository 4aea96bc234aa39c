"""Who received the person's data: a page of the list, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import url_for

from consentkit.core.decision import Reason
from consentkit.web.pages import DisclosuresView
from consentkit.web.pages import disclosure_row

if TYPE_CHECKING:
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = ["disclosures_view"]

_PAGE = 50


def disclosures_view(
    state: AppState,
    subject: str,
    locale: Locale,
    *,
    limit: int = _PAGE,
    offset: int = 0,
) -> DisclosuresView:
    """The shares about one person, and the attempts that were refused (R77).

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    history = state.installation.history
    found, total = history.disclosures(subject, limit=limit, offset=offset)
    whole = limit == _PAGE

    def address(after: int) -> str:
        return url_for("consentkit.disclosures", after=after or None)

    agreed = history.times_of({each.record for each in found if each.record})
    return DisclosuresView(
        rows=tuple(
            disclosure_row(
                registry=state.installation.registry,
                locale=locale,
                time=each.time,
                purpose=each.purpose,
                recipient=each.recipient,
                data=each.data,
                reason=Reason(each.reason),
                agreed=agreed.get(each.record),
                receipt_url=(
                    url_for("consentkit.receipt", receipt_id=each.record)
                    if each.record
                    else ""
                ),
            )
            for each in found
        ),
        newer_url=address(max(offset - limit, 0)) if whole and offset else "",
        older_url=address(offset + limit) if whole and offset + limit < total else "",
        all_url=address(0) if not whole and total > limit else "",
    )
