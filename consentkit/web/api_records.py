"""What is on record about the person who is signed in, over JSON: pages of it.

The entries are those of their export, so that a client reads one form. A notice is of
no person; whoever has its digest may read it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from flask import jsonify
from flask import request
from flask import url_for

from consentkit.audit.replay import act_of
from consentkit.core.act import Millis
from consentkit.core.record import rfc3339
from consentkit.errors import InvalidRequestError
from consentkit.service.personal import disclosure_entry
from consentkit.service.personal import notice_entry
from consentkit.service.personal import receipt_entry
from consentkit.service.receipts import find_receipt
from consentkit.service.receipts import list_receipts
from consentkit.web.api_person import of_a_person
from consentkit.web.schemas import PageSchema
from consentkit.web.schemas import SharesSchema
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Mapping

    from flask import Response
    from flask.typing import ResponseReturnValue
    from marshmallow import Schema

    from consentkit.service.receipts import Receipt
    from consentkit.web.api_choices import Route
    from consentkit.web.state import AppState

__all__ = ["ROUTES"]

_PAGE = PageSchema()
_SHARES = SharesSchema()


@of_a_person
def _receipts(state: AppState, subject: str) -> ResponseReturnValue:
    """A page of the acts; all are read, for a later one may correct an earlier."""
    wanted = _wanted(_PAGE)
    after, end = wanted["after"], wanted["after"] + wanted["limit"]
    found = list_receipts(state.installation, subject)
    return _own(
        receipts=[_summary(each) for each in found[after:end]],
        total=len(found),
        next_url=_next("consentkit.api.receipts", wanted, len(found)),
    )


@of_a_person
def _receipt(state: AppState, subject: str, receipt_id: str) -> ResponseReturnValue:
    receipt = find_receipt(state.installation, subject, receipt_id)
    if receipt is None:
        raise InvalidRequestError("there is no such receipt", code="not-found")
    return _own(**receipt_entry(receipt))


@of_a_person
def _disclosures(state: AppState, subject: str) -> ResponseReturnValue:
    wanted = _wanted(_SHARES)
    installation = state.installation
    found, total = installation.disclosures.page(
        subject,
        now=installation.clock(),
        recipient=wanted["recipient"] or "",
        limit=wanted["limit"],
        offset=wanted["after"],
    )
    return _own(
        disclosures=[disclosure_entry(installation, each) for each in found],
        total=total,
        next_url=_next("consentkit.api.disclosures", wanted, total),
    )


def _notice(digest: str) -> ResponseReturnValue:
    notice = current_state().installation.history.notice(digest)
    if notice is None:
        raise InvalidRequestError("there is no such notice", code="not-found")
    response = jsonify(notice_entry(notice))
    # Its bytes are named by their hash: they never change.
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def _wanted(schema: Schema) -> Mapping[str, Any]:
    """The query of the request; ``lang`` is for every address of ours."""
    asked = {name: value for name, value in request.args.items() if name != "lang"}
    wanted: Mapping[str, Any] = schema.load(asked)
    return wanted


def _summary(receipt: Receipt) -> dict[str, Any]:
    leaf = receipt.leaf
    act = act_of(leaf)
    return {
        "receipt_id": leaf.id,
        "time": rfc3339(Millis(leaf.time)),
        "actor": act.actor.value,
        "assurance": act.assurance.value,
        "choices": [
            {
                "purpose": each.purpose,
                "recipient": each.recipient,
                "state": each.state.value,
                "data": list(each.data),
            }
            for each in act.choices
        ],
        "notice": act.notice,
        "index": receipt.index,
        "corrected_by": receipt.correction.id if receipt.correction else "",
        "url": url_for("consentkit.api.receipt", receipt_id=leaf.id, lang=None),
    }


def _next(endpoint: str, wanted: Mapping[str, Any], total: int) -> str | None:
    """The address of the page after this one; None if this is the last."""
    end = wanted["after"] + wanted["limit"]
    if end >= total:
        return None
    return url_for(endpoint, **{**wanted, "after": end, "lang": None})


def _own(**members: Any) -> Response:
    response = jsonify(**members)
    response.headers["Cache-Control"] = "no-store"
    return response


ROUTES: Collection[Route] = (
    ("/v1/disclosures", _disclosures, ("GET",)),
    ("/v1/notices/<digest>", _notice, ("GET",)),
    ("/v1/receipts", _receipts, ("GET",)),
    ("/v1/receipts/<receipt_id>", _receipt, ("GET",)),
)
"""Path, view and methods of each."""
