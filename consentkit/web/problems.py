"""Refusals as people and programs get them: a page, or an RFC 9457 problem document.

The type URIs are stable and listed in the documentation. No text here holds anything
about a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from flask import jsonify
from flask import request

from consentkit.core.decision import Reason

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.exceptions import HTTPException

    from consentkit.core.decision import Decision

__all__ = ["PROBLEM_STATUS", "denial", "http_problem", "problem", "wants_html"]

_TYPE = "https://consentkit.dev/problems/"
_MEDIA_TYPE = "application/problem+json"

PROBLEM_STATUS = {
    "consent-missing": 403,
    "cross-site": 403,
    "forbidden": 403,
    "foreign-token": 403,
    "internal-error": 500,
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
    "token-spent": 409,
    "too-large": 413,
    "unavailable": 503,
    "unknown-purpose": 422,
    "unknown-recipient": 422,
    "unsupported-media-type": 415,
}
"""The code of each problem and its HTTP status; ``docs/problems.md`` explains them."""

_HTTP_CODES = {
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
    500: "internal-error",
}

_TITLES = {
    "consent-missing": "The consent that this needs is not there",
    "cross-site": "The request came from another site",
    "forbidden": "This is not yours to see",
    "foreign-token": "The form belongs to somebody else",
    "internal-error": "Something went wrong here",
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
    "token-spent": "The form was already used for another answer",
    "too-large": "The body is longer than any that this address takes",
    "unavailable": "The consent database does not answer",
    "unknown-purpose": "No such purpose",
    "unknown-recipient": "No such recipient",
    "unsupported-media-type": "The body must be JSON",
}


def problem(code: str, detail: str = "", **members: Any) -> Response:
    """A problem document; ``members`` are extension members (RFC 9457 §3.2)."""
    status = PROBLEM_STATUS[code]
    told = {"detail": detail} if detail else {}
    return _document(_TYPE + code, _TITLES[code], status, **told, **members)


def http_problem(error: HTTPException) -> Response:
    """What Flask, the host or its limiter raised, as a document with its headers."""
    code = _HTTP_CODES.get(error.code or 0)
    if code:
        response = problem(code)
    else:
        # RFC 9457 §4.2.1: a status that says it all has no type of its own.
        response = _document("about:blank", error.name, error.code or 500)
    for name, value in error.get_headers():
        if name != "Content-Type":
            response.headers[name] = value
    return response


def _document(type_: str, title: str, status: int, **members: Any) -> Response:
    response = jsonify(type=type_, title=title, status=status, **members)
    response.status_code = status
    response.content_type = _MEDIA_TYPE
    response.headers["Cache-Control"] = "no-store"
    if status == PROBLEM_STATUS["unavailable"]:
        response.headers["Retry-After"] = "1"
    return response


def denial(decision: Decision) -> Response:
    """The problem document of a gate that said no (R73), or could not look."""
    return problem(
        "unavailable"
        if decision.reason is Reason.STORE_UNAVAILABLE
        else "consent-missing",
        reason=decision.reason.value,
        purpose=decision.purpose,
        recipient=decision.recipient,
        missing=sorted(decision.missing),
    )


def wants_html() -> bool:
    """Whether the client would rather have a page than a problem document."""
    offered = [_MEDIA_TYPE, "application/json", "text/html"]
    return request.accept_mimetypes.best_match(offered) == "text/html"
