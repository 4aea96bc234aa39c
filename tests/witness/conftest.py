"""A served witness that knows the small log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.log.small_log import SmallLog
from tests.witness_process import serve_witness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.witness_process import WitnessProcess


@pytest.fixture
def log() -> SmallLog:
    return SmallLog()


@pytest.fixture
def witness(tmp_path: Path, log: SmallLog) -> Iterator[WitnessProcess]:
    with serve_witness(tmp_path / "state", log.signer.vkey) as served:
        yield served


@pytest.fixture(scope="module")
def bystander(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WitnessProcess]:
    """One for all tests that change nothing in it."""
    state = tmp_path_factory.mktemp("bystander")
    with serve_witness(state, SmallLog().signer.vkey) as served:
        yield served
