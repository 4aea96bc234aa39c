"""The gate for other services of the controller's: may this be shared now?

A check writes nothing and lets nothing leave. Who shares does so through the gate, in
the app, where the line in the log comes first. Without tokens this address is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from flask import jsonify
from flask import request

from consentkit.core.act import Assurance
from consentkit.core.decision import ShareRequest
from consentkit.core.record import rfc3339
from consentkit.service.checking_many import check_many
from consentkit.web.api_body import json_object
from consentkit.web.gpc import is_signalled_for
from consentkit.web.problems import problem
from consentkit.web.schemas import ChecksSchema
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from consentkit.core.decision import Decision
    from consentkit.web.api_choices import Route

__all__ = ["ROUTES"]

_CHECKS = ChecksSchema()


def _checks() -> ResponseReturnValue:
    tokens = current_state().config.service_tokens
    if not tokens:
        return problem("not-found")
    shown = request.authorization
    if shown is None or shown.type != "bearer" or not tokens.knows(shown.token or ""):
        response = problem("service-unknown")
        response.headers["WWW-Authenticate"] = 'Bearer realm="consentkit"'  # RFC 6750
        return response
    wanted = _CHECKS.load(json_object('{"checks": [{"subject": "…", …}]}'))
    asked = [_asked(each) for each in wanted["checks"]]
    response = jsonify(
        decisions=[
            _told(each) for each in check_many(current_state().installation, asked)
        ]
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _asked(check: Mapping[str, Any]) -> ShareRequest:
    return ShareRequest(
        check["subject"],
        check["purpose"],
        check["recipient"],
        None if check["data"] is None else frozenset(check["data"]),
        Assurance(check["min_assurance"]),
        is_signalled_for(check["subject"]),
    )


def _told(decision: Decision) -> dict[str, Any]:
    """The decision; whom it is about, who asked knows."""
    until = decision.until_ms
    return {
        "allowed": bool(decision),
        "reason": decision.reason.value,
        "purpose": decision.purpose,
        "recipient": decision.recipient,
        "data": sorted(decision.data),
        "missing": sorted(decision.missing),
        "record_id": decision.record,
        "until": None if until is None else rfc3339(until),
    }


ROUTES: Collection[Route] = (("/v1/checks", _checks, ("POST",)),)
"""Path, view and methods."""
