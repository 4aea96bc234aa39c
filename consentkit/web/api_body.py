"""The body of a request to the JSON interface: an object of limited size.

Only ``application/json`` is read. That is what a form of another site cannot send
without a preflight, and nobody answers those.
"""

from __future__ import annotations

from typing import Any

from flask import request

from consentkit.errors import InvalidRequestError

__all__ = ["json_object"]

_MAX_BODY = 64 * 1024  # ids and a token; a body of more is no request of ours


def json_object(example: str) -> dict[str, Any]:
    """The object that was sent, as it is; ``example`` is for who sent something else.

    Raises:
        InvalidRequestError: it is not JSON (code ``unsupported-media-type``), or no
            object.
        RequestEntityTooLarge: it is longer than any of ours.
    """
    if not request.is_json:
        raise InvalidRequestError(
            "send the body as application/json", code="unsupported-media-type"
        )
    # As the body is read, however it is sent; the host's own limit may be lower.
    request.max_content_length = min(_MAX_BODY, request.max_content_length or _MAX_BODY)
    try:
        value = request.get_json(silent=True)
    except RecursionError:  # a body of brackets
        value = None
    if not isinstance(value, dict):
        raise InvalidRequestError(f"expected a JSON object such as {example}")
    return value
