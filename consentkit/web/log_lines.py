"""Lines for whoever runs the app: the logger ``consentkit``, and a formatter for it.

Every line of ours says in words what happened, and the same for programs: a stable
``event`` and its fields, as attributes of the record (``extra``). They are about the
installation and never about a person; ``docs/serving.md`` lists them.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC
from datetime import datetime
from typing import TYPE_CHECKING
from typing import Any

from consentkit.service.observing import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.service.observing import Observer

__all__ = ["JsonLines", "LineObserver"]

_LOGGER = logging.getLogger("consentkit")
_TOLD = {
    Event.DENIED: "a share was denied",
    Event.RELEASED_WITHOUT_CONSENT: "data was released without consent, by law",
    Event.ERASED: "a person was erased",
    Event.SWITCHED: "sharing was suspended or resumed",
    Event.DELIVERED: "a message to a recipient ended",
    Event.PUBLISHED: "new entries were published",
}
"""What makes a line. Answers, shares and checks do not: the log has them, metrics count
them. A publication that fails is told where it is tried again."""
_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class LineObserver:
    """Writes lines of what one installation tells, and passes everything on."""

    def __init__(self, beyond: Observer) -> None:
        self._beyond = beyond

    def hears(self, event: Event) -> bool:
        """Whether it is heard beyond, or makes a line that is written at all."""
        return self._beyond.hears(event) or _is_written(event)

    def tell(self, event: Event, facts: Mapping[str, Any]) -> None:
        """Write what happened in words, the facts as fields; then pass it on."""
        if _is_written(event):
            extra = {"event": event.value, **facts}
            _LOGGER.info("consentkit: %s", _TOLD[event], extra=extra)
        self._beyond.tell(event, facts)


def _is_written(event: Event) -> bool:
    return event in _TOLD and _LOGGER.isEnabledFor(logging.INFO)


class JsonLines(logging.Formatter):
    """One JSON object a line, of any logger's records, with all fields of ``extra``.

    For ``logging.config.dictConfig``::

        {"formatters": {"json": {"()": "consentkit.web.log_lines.JsonLines"}}}
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line; a field that JSON does not have is its ``str``."""
        fields = {
            name: value
            for name, value in vars(record).items()
            if name not in _OF_EVERY_RECORD
        }
        line = {
            "time": _rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # What is said of every line cannot be taken over by a field of one.
        return json.dumps({**fields, **line}, default=str, ensure_ascii=False)


def _rfc3339(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
