"""Who received the person's data: a page of the list, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from flask import request
from flask import url_for

from consentkit.core.legal_basis import outcome_of
from consentkit.service.personal import disclosure_entry
from consentkit.web.pages import DisclosureRow
from consentkit.web.pages import DisclosuresView
from consentkit.web.pages import disclosure_row

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping

    from consentkit.core.act import Millis
    from consentkit.store.history import DisclosureRow as Disclosed
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = ["disclosures_file", "disclosures_view", "listed"]

_PAGE = 50


def disclosures_view(
    state: AppState,
    subject: str,
    locale: Locale,
    *,
    limit: int = _PAGE,
    offset: int = 0,
    recipient: str = "",
) -> DisclosuresView:
    """The shares about one person, and the attempts that were refused (R77).

    Those about one ``recipient`` alone, if it is one that the list names.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    disclosures, now = state.installation.disclosures, state.installation.clock()
    whole = limit == _PAGE
    named = disclosures.recipients(subject, now=now) if whole else []
    only = recipient if recipient in named else ""
    found, total = disclosures.page(
        subject, now=now, recipient=only, limit=limit, offset=offset
    )

    def address(after: int) -> str:
        return url_for(
            "consentkit.disclosures", recipient=only or None, after=after or None
        )

    agreed = state.installation.history.times_of(
        {each.record for each in found if each.record}
    )
    return DisclosuresView(
        rows=tuple(listed(state, locale, each, agreed) for each in found),
        may_be_barred=bool(state.installation.registry.legal_purposes),
        url=url_for("consentkit.disclosures", lang=None),
        lang=locale.code if "lang" in request.args else "",
        recipients=_names(state, named) if len(named) > 1 else (),
        recipient=only,
        newer_url=address(max(offset - limit, 0)) if whole and offset else "",
        older_url=address(offset + limit) if whole and offset + limit < total else "",
        all_url=address(0) if not whole and total > limit else "",
        export_url=url_for("consentkit.disclosures_file") if whole and total else "",
    )


def listed(
    state: AppState, locale: Locale, disclosed: Disclosed, agreed: Mapping[str, Millis]
) -> DisclosureRow:
    """The row of one share; ``agreed`` is when each act was that it can rest on."""
    record = disclosed.record
    return disclosure_row(
        registry=state.installation.registry,
        locale=locale,
        time=disclosed.time,
        purpose=disclosed.purpose,
        recipient=disclosed.recipient,
        data=disclosed.data,
        reason=outcome_of(disclosed.reason),
        agreed=agreed.get(record),
        receipt_url=url_for("consentkit.receipt", receipt_id=record) if record else "",
    )


def _names(state: AppState, recipients: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Ids with names to choose from, in the order of the names."""
    known = state.installation.registry.recipients
    named = ((each, known[each].name if each in known else each) for each in recipients)
    return tuple(sorted(named, key=lambda item: item[1].casefold()))


def disclosures_file(state: AppState, subject: str) -> list[dict[str, Any]]:
    """The whole list as values to take along, newest first (R77).

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    installation = state.installation
    everything = installation.disclosures.all(subject, now=installation.clock())
    return [disclosure_entry(installation, each) for each in everything]
