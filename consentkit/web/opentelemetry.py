"""Metrics for OpenTelemetry: ``pip install 'consentkit[otel]'``.

It needs the API only. Which SDK and exporter take the values, and how often, is the
app's own matter; without an SDK every record is a no-op.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import metrics

from consentkit.web.metering import BUCKETS
from consentkit.web.metering import METRICS
from consentkit.web.metering import Metric
from consentkit.web.metering import Shape
from consentkit.web.metering import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from opentelemetry.metrics import Meter
    from opentelemetry.metrics import MeterProvider

__all__ = ["OpenTelemetryMetrics"]

_SCOPE = "consentkit"


class OpenTelemetryMetrics:
    """Our metrics of one meter provider, the global one unless another is given.

    Make it once, and ``init_app`` each app to count.
    """

    def __init__(self, provider: MeterProvider | None = None) -> None:
        meter = metrics.get_meter(_SCOPE, meter_provider=provider)
        self._instruments = {each: _Series(each, meter) for each in METRICS}

    def init_app(self, app: Flask) -> None:
        """Count what happens in ``app``."""
        for metric, instrument in self._instruments.items():
            connect(app, metric, instrument)


class _Series:
    """One metric, by the function of its instrument that takes values."""

    def __init__(self, metric: Metric, meter: Meter) -> None:
        self._names = metric.labels
        self._take = _taking(metric, meter)

    def record(self, value: float, labels: tuple[str, ...]) -> None:
        """See ``metering.Instrument.record``."""
        self._take(value, dict(zip(self._names, labels, strict=True)))


def _taking(metric: Metric, meter: Meter) -> Callable[[float, dict[str, str]], None]:
    about = (metric.name, metric.unit, metric.meaning)
    match metric.shape:
        case Shape.COUNTER:
            return meter.create_counter(*about).add
        case Shape.HISTOGRAM:
            return meter.create_histogram(
                *about, explicit_bucket_boundaries_advisory=BUCKETS
            ).record
        case Shape.GAUGE:
            return meter.create_gauge(*about).set
