"""Refusals as people and programs get them: a page, or an RFC 9457 problem document.

The type URIs are stable and listed in the documentation. No text here holds anything
about a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from flask import jsonify
from flask import request

if TYPE_CHECKING:
    from flask import Response

    from consentkit.core.decision import Decision

__all__ = ["PROBLEM_STATUS", "denial", "problem", "wants_html"]

_TYPE = "https://consentkit.dev/problems/"
_MEDIA_TYPE = "application/problem+json"

PROBLEM_STATUS = {
    "consent-missing": 403,
    "cross-site": 403,
    "forbidden": 403,
    "foreign-token": 403,
    "invalid-request": 422,
    "invalid-subject": 422,
    "method-not-allowed": 405,
    "no-answer": 422,
    "not-found": 404,
    "not-offered": 422,
    "not-published": 503,
    "sign-in": 401,
    "stale-notice": 409,
    "token-expired": 409,
    "token-invalid": 403,
    "unavailable": 503,
    "unknown-purpose": 422,
    "unknown-recipient": 422,
    "unsupported-media-type": 415,
}
"""The code of each problem and its HTTP status."""

_TITLES = {
    "consent-missing": "The consent that this needs is not there",
    "cross-site": "The request came from another site",
    "forbidden": "This is not yours to see",
    "foreign-token": "The form belongs to somebody else",
    "invalid-request": "The request cannot be read",
    "invalid-subject": "The subject id cannot be used",
    "method-not-allowed": "This address does not take that method",
    "no-answer": "No question was answered",
    "not-found": "There is nothing at this address",
    "not-offered": "The answer does not fit what was asked",
    "not-published": "The log has not taken this entry yet",
    "sign-in": "Nobody is signed in",
    "stale-notice": "The question has changed since it was shown",
    "token-expired": "The form was open for too long",
    "token-invalid": "The form does not come from here",
    "unavailable": "The consent database does not answer",
    "unknown-purpose": "No such purpose",
    "unknown-recipient": "No such recipient",
    "unsupported-media-type": "The body must be JSON",
}


def problem(code: str, detail: str = "", **members: Any) -> Response:
    """A problem document; ``members`` are extension members (RFC 9457 §3.2)."""
    status = PROBLEM_STATUS.get(code, 400)
    body = {
        "type": _TYPE + code,
        "title": _TITLES.get(code, _TITLES["invalid-request"]),
        "status": status,
        **({"detail": detail} if detail else {}),
        **members,
    }
    response = jsonify(body)
    response.status_code = status
    response.content_type = _MEDIA_TYPE
    response.headers["Cache-Control"] = "no-store"
    if status == 503:  # noqa: PLR2004  an HTTP status, named by the table above
        response.headers["Retry-After"] = "1"
    return response


def denial(decision: Decision) -> Response:
    """The problem document of a gate that said no (R73)."""
    return problem(
        "consent-missing",
        reason=decision.reason.value,
        purpose=decision.purpose,
        recipient=decision.recipient,
        missing=sorted(decision.missing),
    )


def wants_html() -> bool:
    """Whether the client would rather have a page than a problem document."""
    offered = [_MEDIA_TYPE, "application/json", "text/html"]
    return request.accept_mimetypes.best_match(offered) == "text/html"
