"""Whether a request that changes something was made by one of our own pages.

First by ``Sec-Fetch-Site``, which a page cannot forge; then by ``Origin``. A browser
too old for both is left to the signed token in the form, which every form has anyway.
"""

from __future__ import annotations

from flask import request

from consentkit.errors import InvalidRequestError

__all__ = ["check_same_site"]


def check_same_site() -> None:
    """Refuse a request that another site made.

    Raises:
        InvalidRequestError: it did (code ``cross-site``).
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        foreign = site not in {"same-origin", "none"}
    else:
        origin = request.headers.get("Origin")
        foreign = origin is not None and origin.lower() not in _own_origins()
    if foreign:
        raise InvalidRequestError(
            "this request was made by another site; nothing was stored",
            code="cross-site",
        )


def _own_origins() -> set[str]:
    """How a browser spells this site; ``https`` too, since a proxy may end TLS."""
    host = request.host.lower()
    return {f"{request.scheme}://{host}", f"https://{host}"}
