"""A real Chromium in front of the running example app."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from typing import Any

import pytest

from tests.running import example_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running import Running

# The system's browser; without the rest it would look for its maker's servers.
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
    path = shutil.which("chromium")
    assert path, "Chromium is missing: 'make chromium' installs it"
    return {"executable_path": path, "args": list(_ARGUMENTS)}


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with example_app(tmp_path_factory.mktemp("surface")) as app:
        yield app
