"""All addresses of ours under one prefix, and what holds for each of them."""

from __future__ import annotations

from flask import Blueprint

from consentkit.web import acting
from consentkit.web import centre
from consentkit.web import confirmation_routes
from consentkit.web import delegations
from consentkit.web import erasure_routes
from consentkit.web import export_routes
from consentkit.web import frame
from consentkit.web import log_views
from consentkit.web import overriding
from consentkit.web import receipts
from consentkit.web.api import make_api

__all__ = ["make_pages"]


def make_pages(name: str, url_prefix: str) -> Blueprint:
    """A blueprint of every page of ours, and of the JSON beside them."""
    blueprint = Blueprint(
        name,
        __name__,
        url_prefix=url_prefix,
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    centre.add_routes(blueprint)
    confirmation_routes.add_routes(blueprint)
    receipts.add_routes(blueprint)
    erasure_routes.add_routes(blueprint)
    export_routes.add_routes(blueprint)
    delegations.add_routes(blueprint)
    log_views.add_routes(blueprint)
    blueprint.register_blueprint(make_api("api"))
    blueprint.before_request(overriding.check_before_asking)
    blueprint.before_request(acting.refuse_who_may_not)
    blueprint.after_request(frame.protect)
    blueprint.url_defaults(frame.keep_language)
    return blueprint
