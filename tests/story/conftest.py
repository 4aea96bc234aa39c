"""One running example app for all tests of the story."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.running import example_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running import Running


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with example_app(tmp_path_factory.mktemp("story")) as app:
        yield app
