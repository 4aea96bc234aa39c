from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.web.hosts import MAYA
from tests.web.hosts import TOM
from tests.web.hosts import Host
from tests.web.hosts import host


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
