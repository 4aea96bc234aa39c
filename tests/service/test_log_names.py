"""A log has a folder of its own, and in the place where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consentkit.errors import ConfigurationError
from consentkit.service.rotating import make_key_files
from consentkit.service.starting import start
from tests.declared import registry
from tests.service.periods import FIRST
from tests.service.periods import SECOND
from tests.service.periods import next_period
from tests.service.two_logs import begin
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from pathlib import Path

LEADS_OUT = (".", "..", "wallet/..", "./wallet", "a/../b")


@pytest.mark.parametrize("name", LEADS_OUT)
def test_no_log_begins_outside_the_folder_of_logs(tmp_path: Path, name: str) -> None:
    wallet = Wallet(tmp_path)
    with pytest.raises(ConfigurationError, match="LOG_ORIGIN"):
        start(registry(), wallet.places, origin=name)
    Wallet.close_all()


@pytest.mark.parametrize("name", LEADS_OUT)
def test_no_keys_are_made_outside_the_key_folder(tmp_path: Path, name: str) -> None:
    keys = tmp_path / "keys"
    with pytest.raises(ConfigurationError, match="--successor"):
        make_key_files(keys, successor=name)
    assert list(tmp_path.iterdir()) == []


def test_a_start_begins_no_log_in_the_folder_of_another(tmp_path: Path) -> None:
    """Of one before the last as well."""
    wallet = Wallet(tmp_path)
    next_period(wallet)
    wallet.installation.close()
    for taken in (FIRST, SECOND):
        name = taken.replace("/consent/", "/consent_")
        with pytest.raises(ConfigurationError, match=f"folder of the log '{taken}'"):
            begin(wallet, name)
    Wallet.close_all()
