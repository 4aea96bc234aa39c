"""The JSON interface, described: OpenAPI 3.1 at ``/consent/api/openapi.json``.

It is made of the routes that this app has, of the schemas that read and write bodies,
and of the list of problems; what none of these says stands in ``_OPERATIONS``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from importlib.metadata import version
from typing import TYPE_CHECKING
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import current_app
from flask import jsonify
from flask import request

from consentkit.web.answering_schemas import ChosenSchema
from consentkit.web.answering_schemas import PresentedSchema
from consentkit.web.answering_schemas import StatusSchema
from consentkit.web.api_schemas import ExportSchema
from consentkit.web.api_schemas import NoticeSchema
from consentkit.web.api_schemas import ProblemSchema
from consentkit.web.api_schemas import ReceiptSchema
from consentkit.web.api_schemas import RevokedSchema
from consentkit.web.problems import MEDIA_TYPE
from consentkit.web.problems import PROBLEM_STATUS
from consentkit.web.problems import problem_head
from consentkit.web.record_schemas import DecisionsSchema
from consentkit.web.record_schemas import DisclosuresSchema
from consentkit.web.record_schemas import ReceiptsSchema
from consentkit.web.schemas import ChecksSchema
from consentkit.web.schemas import ChoicesSchema
from consentkit.web.schemas import PageSchema
from consentkit.web.schemas import PresentationSchema
from consentkit.web.schemas import RevocationSchema
from consentkit.web.schemas import SharesSchema

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Response
    from marshmallow import Schema
    from werkzeug.routing import Rule

__all__ = ["describe", "described"]

_ABOUT = """Consent records of the person who is signed in.

Every refusal is a problem document (RFC 9457) of a stable type; those of the host and
its server are `about:blank`. A request that another site caused is refused.
"""
_SESSION = """However this app knows who is signed in; by default its session cookie."""
_SERVICE = (
    """A token of `CONSENTKIT_API_TOKENS`, for other services of the controller."""
)
_PARAMETER = re.compile(r"<(\w+)>")
_OWN_WORDS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})

_PERSON = ("sign-in", "invalid-subject", "unavailable", "internal-error")
_ACTING = (
    *("age-unknown", "authority-missing", "forbidden", "guardian-not-adult"),
    *("not-delegated", "of-age"),
)
"""Where somebody acts for the person."""

_BODY = ("cross-site", "too-large", "unsupported-media-type", "invalid-request")

_OPERATIONS: dict[str, dict[str, Any]] = {
    "checks": {
        "summary": "Whether something may be shared now",
        "description": (
            "For other services of the controller. It writes nothing, and lets nothing "
            "leave: a share goes through the gate of the app. Without a token in the "
            "configuration this address is not there."
        ),
        "body": ChecksSchema,
        "answer": DecisionsSchema,
        "security": [{"service": []}],
        "problems": (
            *("not-found", "service-unknown", "internal-error"),
            *("too-large", "unsupported-media-type", "invalid-request"),
        ),
    },
    "choices": {
        "summary": "Answer a question",
        "description": (
            "One answer for each question, given, refused or deferred, with the token "
            "of the presentation. Sent twice, it gives the first act again. A yes to a "
            "purpose of two stages is *requested* until the person opens the link."
        ),
        "body": ChoicesSchema,
        "answer": ChosenSchema,
        "problems": (
            *(*_PERSON, *_ACTING, *_BODY, "restart-needed"),
            *("foreign-token", "token-invalid", "token-expired", "token-spent"),
            *("erased-since", "stale-notice", "no-answer", "not-offered"),
            "separate-consent-required",
            *("age-needed", "not-before-of-age", "own-confirmation"),
            *("prohibited-for-minors", "too-young"),
        ),
    },
    "disclosures": {
        "summary": "Who received data of the person",
        "description": "Refused attempts included, newest first.",
        "query": SharesSchema,
        "answer": DisclosuresSchema,
        "problems": (*_PERSON, *_ACTING, "invalid-request"),
    },
    "notice": {
        "summary": "A notice, word for word",
        "description": "By its digest, which the record of an answer names.",
        "answer": NoticeSchema,
        "security": [],
        "problems": ("not-found", "unavailable", "internal-error"),
    },
    "receipt": {
        "summary": "One act of the person, with its proof",
        "description": "Somebody else's is as absent as none.",
        "answer": ReceiptSchema,
        "problems": (*_PERSON, *_ACTING, "not-found"),
    },
    "receipts": {
        "summary": "What the person ever answered",
        "description": "Without proofs and private facts, newest first.",
        "query": PageSchema,
        "answer": ReceiptsSchema,
        "problems": (*_PERSON, *_ACTING, "invalid-request"),
    },
    "presentations": {
        "summary": "Have a question asked",
        "description": (
            "The question as it is to be shown, logged before it is sent, with a token "
            "that answers it once; nothing is chosen. Nobody is asked again what they "
            "have answered, unless `again` says that they came to decide anew."
        ),
        "body": PresentationSchema,
        "answer": PresentedSchema,
        "problems": (
            *(*_PERSON, *_ACTING, *_BODY, "restart-needed"),
            *("unknown-purpose", "prohibited-for-minors", "age-needed"),
            *("not-before-of-age", "own-confirmation"),
        ),
    },
    "status": {
        "summary": "What the person has answered",
        "description": (
            "Each standing answer, newest first. It tells a person; whether something "
            "may be shared now is for the gate to say."
        ),
        "answer": StatusSchema,
        "problems": (*_PERSON, *_ACTING, "restart-needed"),
    },
    "export": {
        "summary": "Everything that is held about the person",
        "description": "The same as the file that the centre offers; a download.",
        "answer": ExportSchema,
        "problems": (*_PERSON, *_ACTING),
    },
    "revocations": {
        "summary": "End what the person agreed to",
        "description": (
            "One recipient's grant of a purpose; without `recipient` all of the "
            "purpose, without `purpose` all of the recipient, with neither all. "
            "Repeating it is harmless: what has ended is not ended again."
        ),
        "body": RevocationSchema,
        "answer": RevokedSchema,
        "problems": (
            *(*_PERSON, *_ACTING, *_BODY, "restart-needed"),
            *("unknown-purpose", "unknown-recipient"),
        ),
    },
    "openapi": {
        "summary": "This document",
        "description": "It names nobody and needs no sign-in.",
        "problems": ("internal-error",),
        "security": [],
    },
}
"""By the end of each endpoint's name; a route that is missing here is an error."""


def describe() -> Response:
    """The document, as an answer."""
    return jsonify(described())


def described() -> dict[str, Any]:
    """The document for the current app, under the prefix that it was set up with.

    Raises:
        KeyError: a route of the interface is not described here.
    """
    spec = APISpec(
        title="consentkit",
        version=version("consentkit"),
        openapi_version="3.1.0",
        info={"description": _ABOUT},
        servers=[{"url": request.script_root or "/"}],
        plugins=[MarshmallowPlugin(schema_name_resolver=_schema_name)],
    )
    cookie = {"type": "apiKey", "in": "cookie", "description": _SESSION}
    name = current_app.config["SESSION_COOKIE_NAME"]
    spec.components.security_scheme("session", {**cookie, "name": name})
    spec.components.security_scheme(
        "service", {"type": "http", "scheme": "bearer", "description": _SERVICE}
    )
    spec.components.schema("Problem", schema=ProblemSchema)
    for code in PROBLEM_STATUS:
        spec.components.schema(_component(code), _problem(code))
    for rule in _rules():
        told = _OPERATIONS[rule.endpoint.rpartition(".")[2]]
        methods = sorted((rule.methods or set()) & _OWN_WORDS)
        operations = {method.lower(): _operation(rule, told) for method in methods}
        path = _PARAMETER.sub(r"{\1}", rule.rule)
        spec.path(path=path, operations=operations)
    return spec.to_dict()


def _rules() -> Iterator[Rule]:
    """Yield the routes of the interface; the one that catches all others is none."""
    own, _, _ = (request.endpoint or "").rpartition(".")
    for rule in sorted(current_app.url_map.iter_rules(), key=lambda rule: rule.rule):
        blueprint, _, name = rule.endpoint.rpartition(".")
        if blueprint == own and name != "elsewhere":
            yield rule


def _operation(rule: Rule, told: dict[str, Any]) -> dict[str, Any]:
    operation = {
        "operationId": rule.endpoint.rpartition(".")[2],
        "summary": told["summary"],
        "description": told["description"],
        "security": told.get("security", [{"session": []}]),
        "parameters": _parameters(rule, told),
        "responses": _responses(told),
    }
    if "body" in told:
        operation["requestBody"] = {"required": True, "content": _json(told["body"])}
    return operation


def _parameters(rule: Rule, told: dict[str, Any]) -> list[dict[str, Any]]:
    """What stands in the path, and what can stand after it."""
    text = {"type": "string"}
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in _PARAMETER.findall(rule.rule)
    ]
    if "query" in told:
        found.append({"in": "query", "schema": told["query"]})
    return found


def _responses(told: dict[str, Any]) -> dict[str, Any]:
    answer = _json(told["answer"]) if "answer" in told else _object()
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in told["problems"]:
        by_status[PROBLEM_STATUS[code]].append(code)
    return {
        "200": {"description": told["summary"], "content": answer},
        **{str(status): _refusal(codes) for status, codes in sorted(by_status.items())},
        "default": {
            "description": "What the host or its server refused.",
            "content": {MEDIA_TYPE: {"schema": _ref("Problem")}},
        },
    }


def _refusal(codes: list[str]) -> dict[str, Any]:
    shapes = [_ref(_component(code)) for code in codes]
    return {
        "description": "; or ".join(problem_head(code)["title"] for code in codes),
        "content": {
            MEDIA_TYPE: {"schema": shapes[0] if len(shapes) == 1 else {"oneOf": shapes}}
        },
    }


def _problem(code: str) -> dict[str, Any]:
    """One problem type: the common form, with its own type and status."""
    head = problem_head(code)
    return {
        "title": head["title"],
        "allOf": [_ref("Problem")],
        "properties": {name: {"const": head[name]} for name in ("type", "status")},
        "required": ["type", "status"],
    }


def _json(schema: type[Schema]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _object() -> dict[str, Any]:
    return {"application/json": {"schema": {"type": "object"}}}


def _ref(component: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{component}"}


def _component(code: str) -> str:
    return f"problem.{code}"


def _schema_name(schema: Schema | type[Schema] | str) -> str:
    """Name a component after its class, without what says that it is a schema."""
    found = schema if isinstance(schema, type | str) else type(schema)
    name = found if isinstance(found, str) else found.__name__
    return name.strip("_").removesuffix("Schema")
