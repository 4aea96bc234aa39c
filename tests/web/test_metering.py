"""Real Prometheus and OpenTelemetry count what happens, and know nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from consentkit.web.metering import METRICS
from consentkit.web.opentelemetry import OpenTelemetryMetrics
from consentkit.web.prometheus import PrometheusMetrics
from consentkit.web.signals import SIGNALS
from tests import legal
from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import host
from tests.web.test_signals import live_a_day

KEY = {"purpose": "credit-score", "recipient": "acme-credit"}
COUNTED = {
    "decisions": ({"kind": "check", **KEY, "reason": "granted"}, 1),
    "shares": (KEY, 1),
    "denials": ({**KEY, "reason": "not_asked"}, 1),
    "releases": (
        {
            "purpose": "court-order",
            "recipient": "leeds-court",
            "basis": "legal-obligation",
        },
        1,
    ),
    "answers": ({**KEY, "state": "given"}, 1),
    "endings": ({**KEY, "state": "withdrawn"}, 1),
    "erasures": ({}, 1),
    "switches": ({"action": "resume", "purpose": "credit-score", "recipient": ""}, 1),
}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Host]:
    yield host(tmp_path, registry=legal.registry())
    for signal in SIGNALS.values():
        signal._clear_state()


def test_one_scrape_of_prometheus_has_it_all_and_nobody(shop: Host) -> None:
    registry = CollectorRegistry()
    PrometheusMetrics(registry).init_app(shop.app)
    live_a_day(shop)
    scraped = generate_latest(registry).decode()
    families = {each.name: each for each in text_string_to_metric_families(scraped)}
    for name, (labels, value) in COUNTED.items():
        found = families[f"consentkit_{name}"]
        assert (f"consentkit_{name}_total", labels, value) in [
            (each.name, each.labels, each.value) for each in found.samples
        ]
    lasted = families["consentkit_decision_duration_seconds"].samples
    counts = {
        each.labels["kind"]: each.value
        for each in lasted
        if each.name.endswith("_count")
    }
    assert counts == {"check": 1, "share": 3}
    (size,) = families["consentkit_log_size"].samples
    assert size.value == families["consentkit_published_entries"].samples[0].value
    assert MAYA not in scraped
    assert TOM not in scraped
    assert "maya-at" not in scraped
    ours = {name for name in families if not name.endswith("_created")}
    assert len(ours) == len(METRICS)


def test_a_reader_of_opentelemetry_gets_the_same(shop: Host) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    OpenTelemetryMetrics(provider).init_app(shop.app)
    live_a_day(shop)
    read = reader.get_metrics_data()
    assert read is not None
    (resource,) = read.resource_metrics
    (scope,) = resource.scope_metrics
    assert scope.scope.name == "consentkit"
    points: dict[str, list[Any]] = {
        each.name: list(each.data.data_points) for each in scope.metrics
    }
    for name, (labels, value) in COUNTED.items():
        found = [(each.attributes, each.value) for each in points[f"consentkit.{name}"]]
        assert (labels, value) in found
    lasted = points["consentkit.decision.duration"]
    assert {each.attributes["kind"]: each.count for each in lasted} == {
        "check": 1,
        "share": 3,
    }
    assert points["consentkit.log.size"][0].value > 0
    for person in (MAYA, TOM, "maya-at"):
        assert person not in read.to_json()
    provider.shutdown()


def test_two_apps_are_counted_together(shop: Host, tmp_path: Path) -> None:
    registry = CollectorRegistry()
    metrics = PrometheusMetrics(registry)
    other = host(tmp_path / "other")
    for each in (shop, other):
        metrics.init_app(each.app)
        each.allows(MAYA)
    labels = {"kind": "check", **KEY, "reason": "not_asked"}
    assert registry.get_sample_value("consentkit_decisions_total", labels) == 2


def test_every_signal_with_its_facts_and_every_metric_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text("utf-8")
    rows = {
        line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")
    }
    for event in SIGNALS:
        assert event.value.replace("-", "_") in rows
    for metric in METRICS:
        row, event = rows[metric.name], rows[metric.event.value.replace("-", "_")]
        for label in metric.labels:
            assert label in row
            assert f"`{label}`" in event
        assert metric.shape.value in row
