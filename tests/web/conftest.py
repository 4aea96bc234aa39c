from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from flask.testing import FlaskClient

from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import host
from tests.web.two_stages import NOON
from tests.web.two_stages import Wallet
from tests.web.two_stages import make


@pytest.fixture
def shop(tmp_path: Path) -> Host:
    """An app with consentkit in it, on files of its own."""
    return host(tmp_path)


@pytest.fixture
def maya(shop: Host) -> FlaskClient:
    return shop.client(MAYA)


@pytest.fixture
def tom(shop: Host) -> FlaskClient:
    return shop.client(TOM)


@pytest.fixture
def nobody(shop: Host) -> FlaskClient:
    return shop.client()


@pytest.fixture
def wallet(tmp_path: Path) -> Iterator[Wallet]:
    """An app that asks twice, at noon of a day that does not end by itself."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield make(tmp_path, clock)
