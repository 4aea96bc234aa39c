"""Signals of what happens, for metrics and alarms; ``docs/telemetry.md`` lists them.

Each is a blinker signal, as Flask's own are: connect a function, with ``sender=app`` if
several apps share the process. It gets the app and the facts by name, never anything
about a person. A check that nobody listens to puts nothing together. A receiver runs
where it happened: in a request, a command or the publisher's thread, outside of any
transaction; what it raises is logged, and changes nothing.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from typing import Any

from blinker import Namespace

from consentkit.errors import wordless
from consentkit.service.observing import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

__all__ = [
    "SIGNALS",
    "SignalObserver",
    "answered",
    "decided",
    "delivered",
    "denied",
    "ended",
    "erased",
    "publication_failed",
    "published",
    "released_without_consent",
    "shared",
    "switched",
]

_LOGGER = logging.getLogger("consentkit")
_NAMESPACE = Namespace()

SIGNALS = {event: _NAMESPACE.signal(f"consentkit-{event.value}") for event in Event}
"""Every signal, by what it tells of."""

decided = SIGNALS[Event.DECIDED]
answered = SIGNALS[Event.ANSWERED]
ended = SIGNALS[Event.ENDED]
shared = SIGNALS[Event.SHARED]
denied = SIGNALS[Event.DENIED]
released_without_consent = SIGNALS[Event.RELEASED_WITHOUT_CONSENT]
erased = SIGNALS[Event.ERASED]
switched = SIGNALS[Event.SWITCHED]
delivered = SIGNALS[Event.DELIVERED]
published = SIGNALS[Event.PUBLISHED]
publication_failed = SIGNALS[Event.PUBLICATION_FAILED]


class SignalObserver:
    """Passes what one app's installation tells to whoever connected to the signals."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def hears(self, event: Event) -> bool:
        """Whether somebody is connected, be it for another app."""
        return bool(SIGNALS[event].receivers)

    def tell(self, event: Event, facts: Mapping[str, Any]) -> None:
        """Call each receiver, whatever the others do."""
        for receiver in SIGNALS[event].receivers_for(self._app):
            try:
                receiver(self._app, **facts)
            except Exception as error:
                # A decision stands, and an entry is in the log, whoever watches.
                _LOGGER.exception(
                    "consentkit: a receiver of %r failed",
                    event.value,
                    exc_info=wordless(error),
                    extra={"event": "receiver-failed", "signal": event.value},
                )
