"""Is this process alive, and is it ready: two addresses for a load balancer.

They tell nothing about a person, a version or a place, so anybody may ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint
from flask import jsonify

from consentkit.service.health import Health
from consentkit.service.health import examine
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from flask import Response

__all__ = ["make_health"]

_MEDIA_TYPE = "application/health+json"  # draft-inadarei-api-health-check-06


def make_health(name: str, url_prefix: str) -> Blueprint:
    """A blueprint of ``/health/live`` and ``/health/ready`` below the prefix.

    Not part of the pages' own: what those do before each request, to tell who is
    there, needs the host app, and may fail with it.
    """
    blueprint = Blueprint(name, __name__, url_prefix=f"{url_prefix}/health")
    blueprint.add_url_rule("/live", "live", _live)
    blueprint.add_url_rule("/ready", "ready", _ready)
    return blueprint


def _live() -> Response:
    """200 as long as this process answers at all; restart it when it does not."""
    return _told({"status": Health.PASS})


def _ready() -> Response:
    """200 where people can be asked and shares be decided, else 503."""
    report = examine(current_state().installation)
    checks = {name: [{"status": health}] for name, health in report.checks.items()}
    return _told({"status": report.status, "checks": checks})


def _told(body: dict[str, object]) -> Response:
    response = jsonify(body)
    response.status_code = 503 if body["status"] is Health.FAIL else 200
    response.mimetype = _MEDIA_TYPE
    response.headers["Cache-Control"] = "no-store"
    return response
