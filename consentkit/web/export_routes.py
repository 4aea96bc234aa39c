"""The way to take everything along: a page to print, and the same as a file (R91)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

from flask import Blueprint
from flask import Response
from flask import stream_with_context
from flask import url_for

from consentkit.core.act import Millis
from consentkit.core.record import rfc3339
from consentkit.service.personal import personal_records
from consentkit.web import frame
from consentkit.web.acting import account_of
from consentkit.web.cards import cards_for
from consentkit.web.centre import signed_in
from consentkit.web.disclosures import listed
from consentkit.web.pages import export_view

if TYPE_CHECKING:
    from consentkit.service.personal import PersonalRecords
    from consentkit.web.state import AppState

__all__ = ["add_routes", "export_file"]


@signed_in
def _export(state: AppState, subject: str) -> Response:
    records = personal_records(state.installation, subject)
    locale = frame.current_locale(state)
    _, shared = state.installation.disclosures.page(subject, now=records.made, limit=1)
    times = {act.leaf.id: Millis(act.leaf.time) for act in records.acts}
    view = export_view(
        records,
        locale,
        account=account_of(state),
        file_url=url_for("consentkit.export_file"),
        cards=cards_for(state, subject, locale),
        shared=shared,
        rows=(listed(state, locale, each, times) for each in records.disclosures()),
        receipt_url=lambda act: url_for("consentkit.receipt", receipt_id=act),
        notice_url=lambda digest: url_for("consentkit.notice", digest=digest),
    )
    return frame.stream_page("export.html", view)


@signed_in
def _export_file(state: AppState, subject: str) -> Response:
    return export_file(state, subject)


def export_file(state: AppState, subject: str) -> Response:
    """The file, sent as it is read; its name says when it was made, not of whom.

    Raises:
        VerificationError: what is stored is no longer what was stored.
        LogUnavailableError: the database cannot be reached.
    """
    records = personal_records(state.installation, subject)
    day = rfc3339(records.made)[:10]
    parts = stream_with_context(frame.in_chunks(_pieces(records)))
    response = Response(parts, mimetype="application/json")
    name = f"consent-records-{day}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _pieces(records: PersonalRecords) -> Iterator[str]:
    """One JSON object, a member a line and an element of a list a line."""
    between = "{\n"
    for name, value in records.parts():
        yield f"{between}{json.dumps(name)}: "
        if isinstance(value, Iterator):
            yield from _list(value)
        else:
            yield _json(value)
        between = ",\n"
    yield "\n}\n"


def _list(elements: Iterator[dict[str, Any]]) -> Iterator[str]:
    between = "[\n"
    for each in elements:
        yield f"{between}{_json(each)}"
        between = ",\n"
    yield "[]" if between == "[\n" else "\n]"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def add_routes(blueprint: Blueprint) -> None:
    """Put the two on the blueprint."""
    add = blueprint.add_url_rule
    add("/export", "export", _export)
    add("/export.json", "export_file", _export_file)
