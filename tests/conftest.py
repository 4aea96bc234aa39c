"""What every test relies on: order, Hypothesis settings, and what counts as browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from consentkit.service.background import stop_threads
from tests.postgres_server import PostgresServer
from tests.postgres_server import serve_postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

# Two tests share two cores here: a slow example says nothing about the code.
settings.register_profile("shared-machine", deadline=None, print_blob=True)
# Each of thousands of mutants of the code gets few examples, and always the same ones.
settings.register_profile(
    "mutants", deadline=None, derandomize=True, database=None, max_examples=15
)
settings.load_profile("shared-machine")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server of this run's own."""
    with serve_postgres() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_thread_is_left_behind() -> Iterator[None]:
    """An app that publishes goes on for ever; a later test may fork, or count."""
    yield
    stop_threads()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what drives a browser, before `-m` selects, and sort it last.

    Playwright's synchronous interface leaves a running event loop in the main
    thread (playwright-pytest#167); a test that follows it would meet that loop.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
