"""A wallet whose log is proven again after every test that did no damage on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def wallet(tmp_path: Path) -> Iterator[Wallet]:
    found = Wallet(tmp_path)
    yield found
    if not found.damaged:
        found.prove()
