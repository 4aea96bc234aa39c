"""Refusals as people and programs get them: a page, or an RFC 9457 problem document.

The type URIs are stable and listed in the documentation. No text here holds anything
about a person.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from typing import Any

from flask import jsonify
from flask import request

from consentkit.core.decision import Reason
from consentkit.errors import StaleProcessError

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.exceptions import HTTPException

    from consentkit.errors import ConsentDeniedError
    from consentkit.errors import LogError

__all__ = [
    "MEDIA_TYPE",
    "PROBLEM_STATUS",
    "denial",
    "http_problem",
    "log_problem",
    "problem",
    "problem_head",
    "wants_html",
]

_LOGGER = logging.getLogger("consentkit")
_TYPE = "https://consentkit.dev/problems/"
MEDIA_TYPE = "application/problem+json"
"""What RFC 9457 calls a problem document."""

PROBLEM_STATUS = {
    "age-needed": 403,
    "age-unknown": 403,
    "authority-missing": 403,
    "consent-missing": 403,
    "cross-site": 403,
    "erased-since": 409,
    "forbidden": 403,
    "foreign-token": 403,
    "guardian-not-adult": 403,
    "internal-error": 500,
    "invalid-request": 422,
    "invalid-subject": 422,
    "link-expired": 410,
    "link-foreign": 403,
    "link-invalid": 404,
    "link-used": 410,
    "link-void": 410,
    "method-not-allowed": 405,
    "no-answer": 422,
    "not-before-of-age": 403,
    "not-delegated": 403,
    "not-found": 404,
    "not-offered": 422,
    "not-published": 503,
    "of-age": 403,
    "own-confirmation": 403,
    "prohibited-for-minors": 403,
    "restart-needed": 503,
    "separate-consent-required": 422,
    "service-unknown": 401,
    "sign-in": 401,
    "stale-notice": 409,
    "token-expired": 409,
    "token-invalid": 403,
    "token-spent": 409,
    "too-large": 413,
    "too-soon": 429,
    "too-young": 403,
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
    "age-needed": "Nobody knows whether the person is old enough",
    "age-unknown": "Nobody knows how old the person is",
    "authority-missing": "Nothing shows an authority to act for the person",
    "consent-missing": "The consent that this needs is not there",
    "cross-site": "The request came from another site",
    "erased-since": "The records were erased after the form was made",
    "forbidden": "This is not yours to see",
    "foreign-token": "The form belongs to somebody else",
    "guardian-not-adult": "A parent or guardian has to be of age",
    "internal-error": "Something went wrong here",
    "invalid-request": "The request cannot be read",
    "invalid-subject": "The subject id cannot be used",
    "link-expired": "The link is too old",
    "link-foreign": "The link was made for somebody else",
    "link-invalid": "The link does not come from here, or is not whole",
    "link-used": "The link was used before",
    "link-void": "What the link was to confirm has been answered or has changed",
    "method-not-allowed": "This address does not take that method",
    "no-answer": "No question was answered",
    "not-before-of-age": "Nobody can agree to this before the person is of age",
    "not-delegated": "The person has not left this to who acts",
    "not-found": "There is nothing at this address",
    "not-offered": "The answer does not fit what was asked",
    "not-published": "The log has not taken this entry yet",
    "of-age": "The person is old enough to answer alone",
    "own-confirmation": "Only the person can confirm a yes to this",
    "prohibited-for-minors": "The law lets nobody do this to a child",
    "restart-needed": "The signing key of this process is retired, or its log closed: "
    "it has to be restarted",
    "separate-consent-required": "Each of these questions takes a yes of its own",
    "service-unknown": "The request shows no token of a service that is known here",
    "sign-in": "Nobody is signed in",
    "stale-notice": "The question has changed since it was shown",
    "token-expired": "The form was open for too long",
    "token-invalid": "The form does not come from here",
    "token-spent": "The form was already used for another answer",
    "too-soon": "A link was sent less than a minute ago",
    "too-young": "The person is too young to agree to this alone",
    "too-large": "The body is longer than any that this address takes",
    "unavailable": "The consent database does not answer",
    "unknown-purpose": "No such purpose",
    "unknown-recipient": "No such recipient",
    "unsupported-media-type": "The body must be JSON",
}


def problem_head(code: str) -> dict[str, Any]:
    """Type, title and status of a problem, as in each document of its kind."""
    return {
        "type": _TYPE + code,
        "title": _TITLES[code],
        "status": PROBLEM_STATUS[code],
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
    response.content_type = MEDIA_TYPE
    response.headers["Cache-Control"] = "no-store"
    if status == PROBLEM_STATUS["unavailable"]:
        response.headers["Retry-After"] = "1"
    return response


def log_problem(error: LogError) -> str:
    """The code for a log that could not take it; the app's own log says why."""
    _LOGGER.error(
        "consentkit: %s: %s",
        type(error).__name__,
        error,
        extra={"event": "request-failed", "error": type(error).__name__},
    )
    return _code_of(error)


def denial(error: ConsentDeniedError) -> Response:
    """The problem document of a gate that said no (R73), or could not look."""
    decision = error.decision
    unavailable = decision.reason is Reason.STORE_UNAVAILABLE
    return problem(
        _code_of(error.__cause__) if unavailable else "consent-missing",
        reason=decision.reason.value,
        purpose=decision.purpose,
        recipient=decision.recipient,
        missing=sorted(decision.missing),
    )


def _code_of(cause: BaseException | None) -> str:
    stale = isinstance(cause, StaleProcessError)
    return "restart-needed" if stale else "unavailable"


def wants_html() -> bool:
    """Whether the client would rather have a page than a problem document."""
    offered = [MEDIA_TYPE, "application/json", "text/html"]
    return request.accept_mimetypes.best_match(offered) == "text/html"
