"""Metrics for Prometheus: ``pip install 'consentkit[prometheus]'``.

Names have ``_`` for each ``.`` of the table in ``metering``, and Prometheus adds
``_total`` to counters. How they are served is the app's own matter:
``prometheus_client.make_wsgi_app``, or its directory of several processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import REGISTRY
from prometheus_client import CollectorRegistry
from prometheus_client import Counter
from prometheus_client import Gauge
from prometheus_client import Histogram

from consentkit.web.metering import BUCKETS
from consentkit.web.metering import METRICS
from consentkit.web.metering import Metric
from consentkit.web.metering import Shape
from consentkit.web.metering import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

__all__ = ["PrometheusMetrics"]


class PrometheusMetrics:
    """Our metrics in one registry; make it once, and ``init_app`` each app to count."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._instruments = {each: _Series(each, registry) for each in METRICS}

    def init_app(self, app: Flask) -> None:
        """Count what happens in ``app``."""
        for metric, instrument in self._instruments.items():
            connect(app, metric, instrument)


class _Series:
    """One metric; what adds to each of its series is looked up once (bounded)."""

    def __init__(self, metric: Metric, registry: CollectorRegistry) -> None:
        self._family = _family(metric, registry)
        self._records: dict[tuple[str, ...], Callable[[float], None]] = {}

    def record(self, value: float, labels: tuple[str, ...]) -> None:
        """See ``metering.Instrument.record``."""
        record = self._records.get(labels)
        if record is None:
            one = self._family.labels(*labels) if labels else self._family
            record = self._records[labels] = _recording(one)
        record(value)


def _recording(one: Counter | Histogram | Gauge) -> Callable[[float], None]:
    if isinstance(one, Counter):
        return one.inc
    return one.observe if isinstance(one, Histogram) else one.set


def _family(metric: Metric, registry: CollectorRegistry) -> Counter | Histogram | Gauge:
    name = metric.name.replace(".", "_")
    unit = "seconds" if metric.unit == "s" else ""
    about = (name, metric.meaning, metric.labels)
    match metric.shape:
        case Shape.COUNTER:
            return Counter(*about, unit=unit, registry=registry)
        case Shape.HISTOGRAM:
            return Histogram(*about, unit=unit, registry=registry, buckets=BUCKETS)
        case Shape.GAUGE:
            # Of several processes the one that published last knows.
            return Gauge(
                *about, unit=unit, registry=registry, multiprocess_mode="mostrecent"
            )
