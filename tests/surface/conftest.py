"""A real Chromium in front of the running example app."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from typing import Any

import pytest

from tests.running import example_app
from tests.surface.shop import serve_shop
from tests.surface.states import all_states

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser
    from playwright.sync_api import Page

    from tests.running import Running
    from tests.surface.shop import Shop

# The system's browser. The first one is Debian's Chromium without windows, which takes
# half the time for the same; the other one is there wherever consentkit lint works.
_NAMES = ("chromium-headless-shell", "chromium")
# Without these it would look for its maker's servers.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    paths = [path for path in map(shutil.which, _NAMES) if path]
    assert paths, "Chromium is missing: 'make chromium' installs it"
    return {"executable_path": paths[0], "args": list(_ARGUMENTS)}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with example_app(tmp_path_factory.mktemp("surface")) as app:
        yield app


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """An app with every kind of question, in this process."""
    with serve_shop(tmp_path_factory.mktemp("shop")) as app:
        yield app


@pytest.fixture(scope="module")
def sheet(browser: Browser) -> Iterator[Page]:
    """A page to draw on, without any server."""
    context = browser.new_context()
    # The style sheet is put in by hand; nothing else is asked for.
    context.route("**/*", lambda route: route.abort())
    try:
        yield context.new_page()
    finally:
        context.close()


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every page in every state, by a name of it."""
    return all_states(tmp_path_factory.mktemp("states"))
