"""The person's way to erase their records: a page that says it all, and one press."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint
from flask import Response
from flask import request
from flask import url_for

from consentkit.core.act import Millis
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.receipts import list_receipts
from consentkit.web import frame
from consentkit.web.centre import signed_in
from consentkit.web.origin import check_same_site
from consentkit.web.pages import ErasedView
from consentkit.web.pages import ErasureView
from consentkit.web.pages import erasure_view
from consentkit.web.pages import mask_account
from consentkit.web.schemas import form_token

if TYPE_CHECKING:
    from consentkit.store.subjects import Person
    from consentkit.web.state import AppState

__all__ = ["add_routes"]

_REASON = "request"  # of the person; it stands in the leaf


@signed_in
def _confirm(state: AppState, subject: str) -> Response:
    person = state.installation.history.person(subject)
    view = ErasureView(action="") if person is None else _view(state, subject, person)
    return frame.page("erasure.html", view)


def _view(state: AppState, subject: str, person: Person) -> ErasureView:
    installation = state.installation
    _, listed = installation.history.disclosures(subject, limit=1)
    return erasure_view(
        frame.current_locale(state),
        installation.registry,
        action=url_for("consentkit.erase"),
        token=state.tokens.issue_erasure(subject, person.handle),
        csrf_token=frame.host_csrf_token(),
        account=mask_account(state.loaders.account_label(subject)),
        entries=person.seq,
        received=installation.erasures.recipients_of(subject),
        receipts=[
            (
                Millis(each.leaf.time),
                url_for("consentkit.receipt_json", receipt_id=each.leaf.id),
            )
            for each in list_receipts(installation, subject)
        ],
        disclosures_url=url_for("consentkit.disclosures_file") if listed else "",
        export_url=url_for("consentkit.export_file"),
        copy_url=url_for("consentkit.export"),
    )


@signed_in
def _erase(state: AppState, subject: str) -> Response:
    check_same_site()
    handle = state.tokens.read_erasure(form_token(request.form), subject)
    done = erase(
        state.installation,
        Erasing(subject, _REASON, handle=handle),
        # The rows are gone and overwritten; to rewrite a large file takes a while.
        sweeps=False,
    )
    return frame.page("erased.html", ErasedView(erased=done.leaf is not None))


def add_routes(blueprint: Blueprint) -> None:
    """Put the two on the blueprint."""
    add = blueprint.add_url_rule
    add("/erasure", "erasure", _confirm)
    add("/erasure", "erase", _erase, methods=["POST"])
