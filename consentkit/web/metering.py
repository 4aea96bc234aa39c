"""What is measured: one table of metrics, whichever system they are sent to.

Labels are ids of declared purposes and recipients, or words of closed lists, so that
there are only as many series as there are declarations: a metric never holds anything
about a person, and no request can invent a series.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from typing import Any
from typing import Protocol

from consentkit.service.observing import Event
from consentkit.web.signals import SIGNALS

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["BUCKETS", "METRICS", "Instrument", "Metric", "Shape", "connect"]

BUCKETS = (0.000_01, 0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 1.0)
"""Bounds in seconds for decisions: a check takes tens of microseconds, a share some
milliseconds, and a second is what a busy database is waited for."""


class Shape(StrEnum):
    """How values of a metric add up."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


@dataclass(frozen=True)
class Metric:
    """One metric: ``fact`` of an event is its value, or 1 each time without one.

    ``name`` is as OpenTelemetry spells it; ``labels`` are facts of the event.
    """

    name: str
    shape: Shape
    event: Event
    meaning: str
    labels: tuple[str, ...] = ()
    fact: str = ""
    unit: str = "1"


_KEY = ("purpose", "recipient")

METRICS = (
    Metric(
        "consentkit.decisions",
        Shape.COUNTER,
        Event.DECIDED,
        "Decisions of the gate, by their reason.",
        ("kind", *_KEY, "reason"),
    ),
    Metric(
        "consentkit.decision.duration",
        Shape.HISTOGRAM,
        Event.DECIDED,
        "How long decisions took; those of shares are written down.",
        ("kind",),
        "seconds",
        "s",
    ),
    Metric(
        "consentkit.shares",
        Shape.COUNTER,
        Event.SHARED,
        "Persons whose data was shared, each time.",
        _KEY,
        "count",
    ),
    Metric(
        "consentkit.denials",
        Shape.COUNTER,
        Event.DENIED,
        "Shares that were refused, by the reason.",
        (*_KEY, "reason"),
    ),
    Metric(
        "consentkit.releases",
        Shape.COUNTER,
        Event.RELEASED_WITHOUT_CONSENT,
        "Releases without consent, by their basis in law.",
        (*_KEY, "basis"),
    ),
    Metric(
        "consentkit.answers",
        Shape.COUNTER,
        Event.ANSWERED,
        "What people said, by the state it makes.",
        (*_KEY, "state"),
    ),
    Metric(
        "consentkit.endings",
        Shape.COUNTER,
        Event.ENDED,
        "Consents that ended by an act, by the state it makes.",
        (*_KEY, "state"),
    ),
    Metric("consentkit.erasures", Shape.COUNTER, Event.ERASED, "Persons erased."),
    Metric(
        "consentkit.switches",
        Shape.COUNTER,
        Event.SWITCHED,
        "Suspensions and their ends.",
        ("action", *_KEY),
    ),
    Metric(
        "consentkit.deliveries",
        Shape.COUNTER,
        Event.DELIVERED,
        "Messages to recipients, by how they ended.",
        ("recipient", "status"),
    ),
    Metric(
        "consentkit.published.entries",
        Shape.COUNTER,
        Event.PUBLISHED,
        "Entries that were published.",
        fact="count",
    ),
    Metric(
        "consentkit.publication.lag",
        Shape.GAUGE,
        Event.PUBLISHED,
        "How long the first entry of the last publication had waited.",
        fact="seconds",
        unit="s",
    ),
    Metric(
        "consentkit.log.size",
        Shape.GAUGE,
        Event.PUBLISHED,
        "Entries in the published log.",
        fact="size",
    ),
    Metric(
        "consentkit.publication.failures",
        Shape.COUNTER,
        Event.PUBLICATION_FAILED,
        "Attempts to publish that failed, by the class of the error.",
        ("error",),
    ),
)
"""All of them; ``docs/telemetry.md`` has them as a table."""


class Instrument(Protocol):
    """Where one metric is kept, in whichever system."""

    def record(self, value: float, labels: tuple[str, ...]) -> None:
        """Add to it, observe or set it; ``labels`` are the values, in their order."""


def connect(app: Flask, metric: Metric, instrument: Instrument) -> None:
    """Keep the metric for one app, as long as the app is there."""

    def receive(_app: Flask, **facts: Any) -> None:
        labels = tuple([facts[name] for name in metric.labels])
        instrument.record(facts[metric.fact] if metric.fact else 1, labels)

    # Not by a weak reference: nobody else holds the function.
    SIGNALS[metric.event].connect(receive, sender=app, weak=False)
