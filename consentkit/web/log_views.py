"""The published log under ``/log/``, as tlog-tiles lays it out; for auditors only.

Leaves are pseudonymous while the subject map exists, so they go to people with the
role ``auditor`` and to nobody else.
"""

from __future__ import annotations

from flask import Blueprint
from flask import Response

from consentkit.audit.annexed import parse_timestamp_path
from consentkit.errors import MalformedError
from consentkit.web.problems import problem
from consentkit.web.state import current_state

__all__ = ["AUDITOR", "add_routes"]

AUDITOR = "auditor"


def _checkpoint() -> Response:
    if not _is_auditor():
        return problem("not-found")
    latest = current_state().installation.publications.latest()
    if latest is None:
        return problem("not-found")
    response = Response(latest[1], content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "private, max-age=1"
    return response


def _tile(path: str) -> Response:
    if not _is_auditor():
        return problem("not-found")
    try:
        data = current_state().installation.publications.read(f"tile/{path}")
    except (FileNotFoundError, MalformedError):
        return problem("not-found")
    response = Response(data, mimetype="application/octet-stream")
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


def _timestamp(path: str) -> Response:
    if not _is_auditor():
        return problem("not-found")
    found = parse_timestamp_path(f"timestamps/{path}")
    data = found and current_state().installation.timestamps.read(*found)
    if not data:
        return problem("not-found")
    response = Response(data, mimetype="application/timestamp-reply")
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


def _is_auditor() -> bool:
    """Whether this request has the role; without a role loader nobody has it."""
    loader = current_state().loaders.roles
    roles = (loader() or ()) if loader else ()
    # One role as plain text: compared whole, since "in" would look for a part of it.
    return AUDITOR in ({roles} if isinstance(roles, str) else roles)


def add_routes(blueprint: Blueprint) -> None:
    """Put the log's files on the blueprint."""
    blueprint.add_url_rule("/log/checkpoint", "log_checkpoint", _checkpoint)
    blueprint.add_url_rule("/log/tile/<path:path>", "log_tile", _tile)
    blueprint.add_url_rule("/log/timestamps/<path:path>", "log_timestamp", _timestamp)
