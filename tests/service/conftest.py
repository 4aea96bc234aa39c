"""A wallet whose log is proven again after every test that did no damage on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.service.wallet import Wallet
from tests.service.witnessed import use
from tests.witness_process import serve_witness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.witness_process import WitnessProcess


@pytest.fixture
def wallet(tmp_path: Path) -> Iterator[Wallet]:
    found = Wallet(tmp_path)
    yield found
    if not found.damaged:
        found.prove()


@pytest.fixture
def witness(tmp_path: Path, wallet: Wallet) -> Iterator[WitnessProcess]:
    """A real one, which the wallet is configured to ask."""
    vkey = wallet.installation.keyring.log.vkey
    with serve_witness(tmp_path / "witness", vkey) as served:
        use(wallet, served.line)
        yield served
