"""A wallet that asks a time-stamping authority, and what it has of it."""

from __future__ import annotations

from dataclasses import replace

from consentkit.audit.annexed import timestamp_path
from consentkit.service.authorities import Authority
from consentkit.service.stamping import Stamper
from consentkit.service.stamping import list_timestamps
from tests.service.wallet import Wallet
from tests.tsa_process import Tsa

__all__ = ["BRIEF", "HOUR", "gap", "stamp_path", "stamped_sizes", "use"]

HOUR = 3_600_000
BRIEF = 5_000  # ms; the authority's clock cannot be set, so its hours are short


def use(wallet: Wallet, url: str, tsa: Tsa, *, interval: int = BRIEF) -> Stamper:
    """Configure the wallet to ask this authority."""
    authority = Authority.parse(url, roots=tsa.roots, interval=interval)
    wallet.installation = replace(wallet.installation, authority=authority)
    return Stamper(wallet.installation, authority)


def stamped_sizes(wallet: Wallet) -> list[int]:
    return [size for size, _, _ in wallet.installation.timestamps.all()]


def gap(wallet: Wallet) -> float | None:
    return list_timestamps(wallet.installation)[0].gap


def stamp_path(wallet: Wallet, size: int) -> str:
    assert wallet.installation.authority
    return timestamp_path(size, wallet.installation.authority.id)
