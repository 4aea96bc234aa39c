"""What watching costs a check: nobody, one function, Prometheus, OpenTelemetry.

All in one app and one run, on the very call that ``tests.bench.check`` times. What is
connected is connected for one contender's turn only.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import Flask
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry

from consentkit.store.sqlite import journal_mode
from consentkit.web.opentelemetry import OpenTelemetryMetrics
from consentkit.web.prometheus import PrometheusMetrics
from consentkit.web.signals import SIGNALS
from consentkit.web.signals import decided
from tests.bench.check import filled
from tests.bench.check import person
from tests.bench.measure import Line
from tests.bench.measure import arguments
from tests.bench.measure import circumstances
from tests.bench.measure import race
from tests.bench.measure import report
from tests.bench.measure import write
from tests.bench.world import World
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.declared import SPENDING

NOBODY = "consent.check, nobody listens"
FUNCTION = "consent.check, one function listens"
PROMETHEUS = "consent.check, Prometheus counts"
OPENTELEMETRY = "consent.check, OpenTelemetry counts"
PEOPLE = 10_000
CALLS = 1_000

_Connect = Callable[[Flask], object]


def _listen(app: Flask) -> None:
    decided.connect(_hear, sender=app)


def _hear(_app: Flask, **_facts: Any) -> None:
    """What an app's own function costs at least."""


@contextlib.contextmanager
def _watched(app: Flask, connect: _Connect) -> Iterator[None]:
    connect(app)
    try:
        yield
    finally:
        for signal in SIGNALS.values():
            for receiver in list(signal.receivers_for(app)):
                signal.disconnect(receiver, app)


def _turn(world: World, people: Sequence[str], connect: _Connect) -> int:
    """Check them all while that is connected; how many times it was a yes."""
    consent, said_yes = world.consent, 0
    with world.app.app_context(), _watched(world.app, connect):
        for each in people:
            said_yes += bool(
                consent.check(each, SCORE, recipient=CREDIT, data={SPENDING})
            )
    return said_yes


def main(argv: Sequence[str] | None = None) -> None:
    """Compare answers, then times."""
    asked = arguments(argv, __doc__, rounds=60)
    size, calls = (100, 20) if asked.smoke else (PEOPLE, CALLS)
    provider = MeterProvider(metric_readers=[InMemoryMetricReader()])
    connects: dict[str, _Connect] = {
        NOBODY: lambda _app: None,
        FUNCTION: _listen,
        PROMETHEUS: PrometheusMetrics(CollectorRegistry()).init_app,
        OPENTELEMETRY: OpenTelemetryMetrics(provider).init_app,
    }
    draw = random.Random(7)  # noqa: S311  the same people in each run
    people = [person(number) for number in draw.sample(range(size), calls)]
    with filled(size) as world:
        answers = {_turn(world, people, each) for each in connects.values()}
        if len(answers) != 1:
            raise SystemExit(f"watching changed an answer: {sorted(answers)}")
        write(f"same answers: {calls} people, {answers.pop()} times yes")
        samples = race(
            {
                name: partial(_turn, world, people, each)
                for name, each in connects.items()
            },
            rounds=asked.rounds,
            calls=calls,
        )
    provider.shutdown()
    write(circumstances(journal_mode(), asked.rounds))
    lines = [Line(NOBODY), *(Line(each, NOBODY) for each in list(connects)[1:])]
    write(report(samples, lines))


if __name__ == "__main__":
    main()
