"""The response headers that all three apps send."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from flask import Response

__all__ = ["send_security_headers"]

_HEADERS = {
    # No inline script, no inline style, nothing from elsewhere, in nobody's frame.
    # What is on a person's screen is not kept on the disk of a shared machine.
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Same-origin keeps the page address from leaving, and Origin on our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def send_security_headers(app: Flask) -> None:
    """Add the headers to each response that does not bring its own."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response
