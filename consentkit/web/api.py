"""The JSON interface under ``/api/v1/``: problems are RFC 9457 documents, always.

A cross-site page cannot use it on a person's behalf: a JSON body needs a preflight
that nobody answers, and a request that says it comes from elsewhere is refused.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from flask import Blueprint
from flask import Response
from flask import current_app
from flask import jsonify
from flask import request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import default_exceptions

from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogError
from consentkit.service.revoking import Ending
from consentkit.service.revoking import revoke
from consentkit.web.api_body import json_object
from consentkit.web.api_checks import ROUTES as CHECKS
from consentkit.web.api_choices import ROUTES as CHOICES
from consentkit.web.api_person import of_a_person
from consentkit.web.api_records import ROUTES as RECORDS
from consentkit.web.centre import facts_of_request
from consentkit.web.export_routes import export_file
from consentkit.web.origin import check_same_site
from consentkit.web.problems import http_problem
from consentkit.web.problems import log_problem
from consentkit.web.problems import problem
from consentkit.web.schemas import RevocationSchema
from consentkit.web.subject import current_representative

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from consentkit.web.state import AppState

__all__ = ["make_api"]

_REVOCATION = RevocationSchema()
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")


@of_a_person
def _revocations(state: AppState, subject: str) -> ResponseReturnValue:
    """Everything is ended only by an object that says so, ``{}``."""
    check_same_site()
    wanted = _REVOCATION.load(json_object('{"purpose": "credit-score"}'))
    done = revoke(
        state.installation,
        Ending(
            subject=subject,
            purpose=wanted["purpose"],
            recipient=wanted["recipient"],
            assurance=Assurance.SESSION,
            channel=Channel.API,
            facts=facts_of_request(state),
            representative=current_representative(state),
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


@of_a_person
def _export(state: AppState, subject: str) -> ResponseReturnValue:
    return export_file(state, subject)


def _openapi() -> ResponseReturnValue:
    # Loaded when somebody asks: no app starts slower for it.
    from consentkit.web.openapi import describe  # noqa: PLC0415

    return describe()


def _elsewhere(**_path: str) -> ResponseReturnValue:
    """Every other address, and every other method of ours.

    A blueprint never sees the router's 404 and 405: the host's pages would answer.
    """
    allowed = _other_methods()
    if not allowed:
        return problem("not-found")
    if request.method == "OPTIONS":
        response = Response(status=204)
    else:
        response = problem("method-not-allowed")
    response.headers["Allow"] = ", ".join(sorted({*allowed, "OPTIONS"}))
    return response


def _other_methods() -> set[str]:
    """The methods that a rule other than the catch-all takes at this address."""
    adapter = current_app.create_url_adapter(request)
    found: set[str] = set()
    if adapter is None:
        return found
    for method in _METHODS:
        with contextlib.suppress(HTTPException):
            endpoint, _ = adapter.match(method=method)
            if endpoint != request.endpoint:
                found.add(method)
    return found


def _invalid(error: ValidationError) -> Response:
    messages = error.messages if isinstance(error.messages, dict) else {}
    return problem("invalid-request", fields=sorted(str(key) for key in messages))


def _refused(error: InvalidRequestError) -> Response:
    return problem(error.code, str(error))


def _unavailable(error: LogError) -> Response:
    return problem(log_problem(error))


def make_api(name: str) -> Blueprint:
    """The API's blueprint; made per app, so that two apps can differ."""
    api = Blueprint(name, __name__, url_prefix="/api")
    for path, view, methods in (
        ("/openapi.json", _openapi, ("GET",)),
        ("/v1/export", _export, ("GET",)),
        ("/v1/revocations", _revocations, ("POST",)),
        *(*CHECKS, *CHOICES, *RECORDS),
        ("/", _elsewhere, _METHODS),
        ("/<path:path>", _elsewhere, _METHODS),
    ):
        api.add_url_rule(
            path,
            view.__name__.removeprefix("_"),
            view,
            methods=methods,
            strict_slashes=False,
            provide_automatic_options=False,  # the catch-all knows better
        )
    # Runs before anything that the host does before a request, whoever was set up
    # first; a form protection of the host's (Flask-WTF) looks for a form token.
    api.url_value_preprocessor(lambda _endpoint, _values: _exempt(api))
    api.register_error_handler(InvalidRequestError, _refused)
    api.register_error_handler(LogError, _unavailable)
    api.register_error_handler(ValidationError, _invalid)
    # A host may handle 404 and others by code, and Flask prefers any handler by code
    # to a general one: claim each code for our own addresses.
    for code in default_exceptions:
        api.register_error_handler(code, http_problem)
    return api


def _exempt(api: Blueprint) -> None:
    """Keep the host's form protection off this interface, which has its own."""
    protection = current_app.extensions.get("csrf")
    if protection is not None:
        protection.exempt(api)
