"""The person's way to erase their records: a page that says it all, and one press."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint
from flask import Response
from flask import request
from flask import url_for

from consentkit.audit.replay import act_of
from consentkit.core.act import Millis
from consentkit.service.erasing import Erasing
from consentkit.service.erasing import erase
from consentkit.service.receipts import list_receipts
from consentkit.web import frame
from consentkit.web.acting import account_of
from consentkit.web.centre import signed_in
from consentkit.web.origin import check_same_site
from consentkit.web.pages import ErasureView
from consentkit.web.pages import erasure_view
from consentkit.web.schemas import form_token
from consentkit.web.subject import bearer
from consentkit.web.subject import current_representative

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
    now = installation.clock()
    _, listed = installation.history.disclosures(subject, limit=1, now=now)
    return erasure_view(
        frame.current_locale(state),
        installation.registry,
        action=url_for("consentkit.erase"),
        token=state.tokens.issue_erasure(bearer(state, subject), person.handle),
        csrf_token=frame.host_csrf_token(),
        account=account_of(state),
        entries=person.seq,
        received=installation.erasures.recipients_of(subject),
        receipts=[
            (
                Millis(each.leaf.time),
                act_of(each.leaf).choices,
                url_for("consentkit.receipt_json", receipt_id=each.leaf.id),
            )
            for each in list_receipts(installation, subject)
        ],
        delegates=[
            each.label
            for each in installation.representations.delegations(subject)
            if each.holds(installation.clock())
        ],
        disclosures_url=url_for("consentkit.disclosures_file") if listed else "",
        export_url=url_for("consentkit.export_file"),
        copy_url=url_for("consentkit.export"),
    )


@signed_in
def _erase(state: AppState, subject: str) -> Response:
    check_same_site()
    sent = form_token(request.form)
    handle = state.tokens.read_erasure(sent, bearer(state, subject))
    erase(
        state.installation,
        Erasing(subject, _reason(state), handle=handle),
        # The rows are gone and overwritten; to rewrite a large file takes a while.
        sweeps=False,
    )
    return frame.see_other(url_for("consentkit.erased"))


def _reason(state: AppState) -> str:
    """The word for the log: at whose request."""
    acting = current_representative(state)
    return _REASON if acting is None else f"{_REASON}-of-{acting.actor}"


@signed_in
def _erased(state: AppState, subject: str) -> Response:
    """That nothing is left; where something is by now, what that is."""
    if state.installation.history.person(subject) is not None:
        return frame.see_other(url_for("consentkit.erasure"))
    return frame.page("erased.html", None)


def add_routes(blueprint: Blueprint) -> None:
    """Put the three on the blueprint."""
    add = blueprint.add_url_rule
    add("/erasure", "erasure", _confirm)
    add("/erasure", "erase", _erase, methods=["POST"])
    add("/erased", "erased", _erased)
