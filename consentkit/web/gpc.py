"""The browser's opt-out signal at the door: read it, keep it, say that we heed it.

It only narrows. Within a request the gate is told; for the account that is signed in,
what the signal ends is written down, so that it holds everywhere else too (11 CCR
§7025(c)). Nobody has to do anything for it, and nobody is asked because of it.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint
from flask import current_app
from flask import g
from flask import has_request_context
from flask import jsonify
from flask import request
from werkzeug.routing import BaseConverter

from consentkit.core.act import Assurance
from consentkit.core.gpc import HEADER
from consentkit.core.gpc import SUPPORT_PATH
from consentkit.core.gpc import opts_out
from consentkit.core.gpc import support_resource
from consentkit.errors import wordless
from consentkit.service.honouring import honour
from consentkit.web.state import current_state
from consentkit.web.subject import current_representative
from consentkit.web.subject import current_subject
from consentkit.web.subject import signed_in_subject

if TYPE_CHECKING:
    from flask import Response
    from flask.blueprints import BlueprintSetupState

    from consentkit.web.state import AppState

__all__ = [
    "GATED",
    "honour_for",
    "is_signalled",
    "is_signalled_for",
    "make_well_known",
    "settle",
]

GATED = "__consentkit_gated__"
"""The mark of a view that shares through the gate."""

_LOGGER = logging.getLogger("consentkit")
_MAX_AGENT = 200  # characters of a user agent that are kept, sealed, as evidence
_FOLDER, _, _FILE = SUPPORT_PATH.rpartition("/")


def is_signalled() -> bool:
    """Whether the browser of this request opts out; the answer then depends on it."""
    if not has_request_context():
        return False
    g.consentkit_signal_read = True
    return _opts_out()


def is_signalled_for(subject: object) -> bool:
    """Whether the request opts out, and is not known to be somebody else's."""
    if not is_signalled():
        return False
    try:
        state = current_state()
        here = {signed_in_subject(state), current_subject(state)}
    except Exception:  # noqa: BLE001  the app's own function, and a check never raises
        return True
    return None in here or str(subject) in here


def _opts_out() -> bool:
    # Most browsers send nothing, and a check is counted in microseconds.
    return "HTTP_SEC_GPC" in request.environ and opts_out(
        request.headers.getlist(HEADER)
    )


def honour_for(state: AppState, subject: str) -> None:
    """Write down what the signal of this request ends for the account signed in.

    Raises:
        LogUnavailableError: the database cannot be read or written.
    """
    if not is_signalled() or g.get("consentkit_honoured") == subject:
        return
    # The browser of who acts for somebody says nothing about that person's wishes.
    if current_representative(state) is None:
        agent = request.headers.get("User-Agent", "")[:_MAX_AGENT]
        honour(
            state.installation,
            subject,
            assurance=Assurance.SESSION,
            facts={"path": request.path, "user_agent": agent},
        )
        g.consentkit_honoured = subject


def settle(response: Response) -> Response:
    """Keep the signal of any page of the app, and say what depended on it.

    A page that does must not be kept for another browser (RFC 9110 §12.5.5).
    """
    if g.get("consentkit_signal_read"):
        response.vary.add(HEADER)
        response.headers.setdefault("Cache-Control", "private")
    if _opts_out() and not (request.endpoint or "").endswith("static"):
        _honour_quietly()
    return response


def _honour_quietly() -> None:
    """As ``honour_for``; the app's own page must not fail because we cannot write.

    Within requests that carry the signal the gate denies without any record.
    """
    state = current_state()
    if state.loaders.subject is None:
        return
    try:
        subject = current_subject(state)
        if subject is not None:
            honour_for(state, subject)
    except Exception as error:
        _LOGGER.exception(
            "consentkit: an opt-out signal is not on record yet (%s)",
            type(error).__name__,
            exc_info=wordless(error),
            extra={"event": "opt-out-not-recorded", "error": type(error).__name__},
        )


def _support(_file: str) -> Response:
    state = current_state()
    since = (
        state.config.gpc
        or datetime.fromtimestamp(state.installation.history.began() / 1000, UTC).date()
    )
    response = jsonify(support_resource(supports=_supports(state), last_update=since))
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _supports(state: AppState) -> bool:
    """Whether the gate is wired: as declared, else as far as anybody can see.

    That is, a view shares through it, or something has been shared, or refused.
    """
    if state.config.gpc is not None:
        return bool(state.config.gpc)
    gated = any(hasattr(view, GATED) for view in current_app.view_functions.values())
    return gated or state.installation.history.has_shares()


class _SupportFile(BaseConverter):
    """Takes the name of the file, and no other."""

    regex = re.escape(_FILE)


def make_well_known(name: str) -> Blueprint:
    """The blueprint of the host's root.

    The rule holds a converter: a route that the app declares itself, in plain letters,
    comes before it, whichever was added first.
    """
    blueprint = Blueprint(name, __name__)

    def teach(setup: BlueprintSetupState) -> None:
        setup.app.url_map.converters[name] = _SupportFile

    blueprint.record(teach)
    blueprint.add_url_rule(f"{_FOLDER}/<{name}:_file>", "gpc", _support)
    return blueprint
