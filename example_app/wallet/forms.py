"""Our own forms come from our own pages, or their posts are refused.

Three fences, of which any one would do in a current browser: the session cookie is
``SameSite=Lax``, the browser's own ``Sec-Fetch-Site`` or ``Origin`` must name us, and
the form repeats a token that only the session knows. The pages of consentkit have
their own fence; this one stands round the wallet's views.
"""

from __future__ import annotations

import secrets
from hmac import compare_digest

from flask import abort
from flask import request
from flask import session

__all__ = ["FIELD", "form_token", "refuse_foreign_posts"]

FIELD = "form_token"

_READ_ONLY = frozenset({"GET", "HEAD", "OPTIONS"})


def form_token() -> str:
    """The token of this session, for the hidden field of a form."""
    if FIELD not in session:
        session[FIELD] = secrets.token_urlsafe(24)
    token: str = session[FIELD]
    return token


def refuse_foreign_posts() -> None:
    """Answer 403 to a post that did not come from one of our forms.

    Raises:
        Forbidden: another site sent it, or its token is not this session's.
    """
    if request.method in _READ_ONLY:
        return
    # Fetch Metadata; browsers without it still send Origin with a post.
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        abort(403)
    ours = request.host_url.rstrip("/")
    if request.headers.get("Origin", ours) != ours:
        abort(403)
    kept = session.get(FIELD, "")
    given = request.form.get(FIELD, "")
    if not kept or not compare_digest(kept.encode(), given.encode()):
        abort(403)
