"""The JSON interface under ``/api/v1/``: problems are RFC 9457 documents, always.

A cross-site page cannot use it on a person's behalf: a JSON body needs a preflight
that nobody answers, and a request that says it comes from elsewhere is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from flask import Blueprint
from flask import Response
from flask import jsonify
from flask import request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.exceptions import default_exceptions

from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogError
from consentkit.service.revoking import Ending
from consentkit.service.revoking import revoke
from consentkit.web.centre import facts_of_request
from consentkit.web.origin import check_same_site
from consentkit.web.problems import problem
from consentkit.web.schemas import RevocationSchema
from consentkit.web.state import current_state
from consentkit.web.subject import current_subject

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

__all__ = ["make_api"]

_REVOCATION = RevocationSchema()
_MAX_BODY = 64 * 1024  # ids only; a body of more is no request of ours


def _revocations() -> ResponseReturnValue:
    check_same_site()
    state = current_state()
    subject = current_subject(state)
    if subject is None:
        return problem("sign-in")
    wanted = _body()
    done = revoke(
        state.installation,
        Ending(
            subject=subject,
            purpose=wanted["purpose"],
            recipient=wanted["recipient"],
            assurance=Assurance.SESSION,
            channel=Channel.API,
            facts=facts_of_request(state),
        ),
    )
    response = jsonify(
        receipt_id=done.leaf.id if done.leaf else None,
        ended=[
            {"purpose": purpose, "recipient": recipient}
            for purpose, recipient in done.ended
        ],
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _body() -> dict[str, Any]:
    """The body, checked; everything is ended only by an object that says so, ``{}``."""
    if not request.is_json:
        raise InvalidRequestError(
            "send the body as application/json", code="unsupported-media-type"
        )
    if (request.content_length or 0) > _MAX_BODY:
        raise InvalidRequestError(f"the body has at most {_MAX_BODY} bytes")
    value = request.get_json(silent=True)
    if not isinstance(value, dict):
        raise InvalidRequestError(
            'expected a JSON object such as {"purpose": "credit-score"}'
        )
    wanted: dict[str, Any] = _REVOCATION.load(value)
    return wanted


def _unknown(**_path: str) -> ResponseReturnValue:
    return problem("not-found")


def _invalid(error: ValidationError) -> Response:
    messages = error.messages if isinstance(error.messages, dict) else {}
    return problem("invalid-request", fields=sorted(str(key) for key in messages))


def _refused(error: InvalidRequestError) -> Response:
    return problem(error.code, str(error))


def _unavailable(_error: LogError) -> Response:
    return problem("unavailable")


def _http(error: HTTPException) -> Response:
    if isinstance(error, MethodNotAllowed):
        response = problem("method-not-allowed")
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
        return response
    return problem("not-found" if error.code == 404 else "invalid-request")  # noqa: PLR2004


def make_api(name: str) -> Blueprint:
    """The API's blueprint; made per app, so that two apps can differ."""
    api = Blueprint(name, __name__, url_prefix="/api/v1")
    api.add_url_rule("/revocations", "revocations", _revocations, methods=["POST"])
    api.add_url_rule("/<path:path>", "unknown", _unknown)
    api.register_error_handler(InvalidRequestError, _refused)
    api.register_error_handler(LogError, _unavailable)
    api.register_error_handler(ValidationError, _invalid)
    # A host may handle 404 and others by code, and Flask prefers any handler by code
    # to a general one: claim each code for our own addresses.
    for code in default_exceptions:
        api.register_error_handler(code, _http)
    return api
