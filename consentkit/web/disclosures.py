"""Who received the person's data: a page of the list, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from flask import url_for

from consentkit.core.decision import Reason
from consentkit.core.record import rfc3339
from consentkit.web.pages import DisclosuresView
from consentkit.web.pages import disclosure_row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.store.history import DisclosureRow as Disclosed
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = ["disclosures_file", "disclosures_view"]

_PAGE = 50
_FILE_PAGE = 1_000  # rows read at a time for the file


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
        export_url=url_for("consentkit.disclosures_file") if whole and total else "",
    )


def disclosures_file(state: AppState, subject: str) -> list[dict[str, Any]]:
    """The whole list as values to take along, newest first (R77).

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    return [_entry(state, each) for each in _all(state, subject)]


def _all(state: AppState, subject: str) -> Iterator[Disclosed]:
    read = state.installation.history.disclosures
    offset = 0
    while found := read(subject, limit=_FILE_PAGE, offset=offset)[0]:
        yield from found
        offset += len(found)


def _entry(state: AppState, disclosed: Disclosed) -> dict[str, Any]:
    known = state.installation.registry.recipients.get(disclosed.recipient)
    return {
        "id": disclosed.id,
        "time": rfc3339(disclosed.time),
        "recipient": disclosed.recipient,
        "recipient_name": known.name if known else "",
        "purpose": disclosed.purpose,
        "data": list(disclosed.data),
        "shared": disclosed.reason == Reason.GRANTED,
        "reason": disclosed.reason,
        "record": disclosed.record,
    }
