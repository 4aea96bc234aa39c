"""A wallet whose log is proven again after every test that did no damage on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.service.roles import make_roled
from tests.service.wallet import Wallet
from tests.service.witnessed import use
from tests.tsa_process import Tsa
from tests.tsa_process import make_tsa
from tests.tsa_process import serve_tsa
from tests.witness_process import serve_witness

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres_server import PostgresServer
    from tests.service.roles import Roled
    from tests.witness_process import WitnessProcess


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a module on every engine that it names; a marked test on SQLite alone."""
    if "engine" in metafunc.fixturenames:
        engines = getattr(metafunc.module, "ENGINES", ("sqlite",))
        alone = metafunc.definition.get_closest_marker("sqlite")
        metafunc.parametrize("engine", engines[:1] if alone else engines)


@pytest.fixture
def wallet(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> Iterator[Wallet]:
    uri = ""
    if engine == "postgresql":
        uri = request.getfixturevalue("postgres").new_tables()
    found = Wallet(tmp_path, uri=uri)
    yield found
    if not found.damaged:
        found.prove()
    Wallet.close_all()


@pytest.fixture
def roled(postgres: PostgresServer, tmp_path: Path) -> Iterator[Roled]:
    """A wallet whose processes log in as roles (PostgreSQL)."""
    yield make_roled(postgres, tmp_path)
    Wallet.close_all()


@pytest.fixture(scope="module")
def settled(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Roled]:
    """The same, one for all tests of a module that leave it fit for the others."""
    found = make_roled(postgres, tmp_path_factory.mktemp("roled"))
    yield found
    found.owner.installation.close()


@pytest.fixture
def witness(tmp_path: Path, wallet: Wallet) -> Iterator[WitnessProcess]:
    """A real one, which the wallet is configured to ask."""
    vkey = wallet.installation.keyring.log.vkey
    with serve_witness(tmp_path / "witness", vkey) as served:
        use(wallet, served.line)
        yield served


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Tsa:
    return make_tsa(tmp_path_factory.mktemp("tsa") / "tsa")


@pytest.fixture(scope="module")
def address(tsa: Tsa) -> Iterator[str]:
    """Where a real authority answers, in a process of its own."""
    with serve_tsa(tsa) as url:
        yield url
