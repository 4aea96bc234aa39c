"""What a page does while nobody does anything: its timers, let run ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from consentkit.lint.address import answers_in
from consentkit.lint.grant_field import is_grant

if TYPE_CHECKING:
    from playwright.sync_api import Page as Tab
    from playwright.sync_api import Request

__all__ = ["idled"]

# A countdown ticks through its first minute; after that only the last tick matters.
_FIRST_MINUTE, _HALF_AN_HOUR = 60_000, 30 * 60_000
_PAUSE = 300  # milliseconds, for what a timer began


def idled(tab: Tab) -> tuple[str, ...]:
    """Return what answered while half an hour went by; the tab's clock is ours.

    A page may poll and ping as it likes: only what carries a yes, or sends a form
    that somebody has open, counts.
    """
    sent: list[str] = []

    def note(request: Request) -> None:
        pairs = [*answers_in(request.url), *parse_qsl(request.post_data or "")]
        form = request.method == "POST" and request.is_navigation_request()
        if form or any(is_grant(*pair) for pair in pairs):
            sent.append(f"sends a {request.method} to {request.url.partition('?')[0]}")

    tab.on("request", note)
    try:
        tab.clock.run_for(_FIRST_MINUTE)
        tab.clock.fast_forward(_HALF_AN_HOUR)
        tab.wait_for_timeout(_PAUSE)
    finally:
        tab.remove_listener("request", note)
    return tuple(dict.fromkeys(sent))
