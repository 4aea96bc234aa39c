"""Keys changed and retired, as an operator does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.trust import Trust
from consentkit.service.administering import Official
from consentkit.service.publishing import publish_all
from consentkit.service.rotating import retire_key
from consentkit.service.rotating import rotate_key
from consentkit.service.signers import parse_key_uri
from tests.service.wallet import Wallet

if TYPE_CHECKING:
    from consentkit.store.keys import KeyRange

__all__ = ["OFFICER", "checkpoint", "first_keys", "retire", "rotate"]

OFFICER = Official("security@wallet.example", "yearly change of keys")


def rotate(wallet: Wallet, role: str, uri: str = "") -> KeyRange:
    source = parse_key_uri(uri, label="--uri") if uri else None
    return rotate_key(wallet.installation, role, by=OFFICER, source=source)


def retire(wallet: Wallet, name: str) -> KeyRange:
    return retire_key(wallet.installation, name, by=OFFICER)


def checkpoint(wallet: Wallet) -> bytes:
    publish_all(wallet.installation)
    return (wallet.logs / "checkpoint").read_bytes()


def first_keys(wallet: Wallet) -> Trust:
    """What an auditor was handed when the log began."""
    return Trust.of(wallet.installation.keyring.vkeys)
