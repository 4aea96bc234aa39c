"""A wallet whose log is closed and followed by another, as an operator does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.audit.bundle import FolderSource
from consentkit.audit.trust import Trust
from consentkit.audit.verify import find_faults
from consentkit.service.administering import Official
from consentkit.service.closing import close_log
from consentkit.service.publishing import publish_all
from consentkit.service.rebuilding import differences
from consentkit.service.starting import start
from tests.declared import registry

if TYPE_CHECKING:
    from pathlib import Path

    from consentkit.audit.report import Finding
    from consentkit.service.closing import Closed
    from consentkit.service.installation import Installation
    from consentkit.service.starting import Places
    from tests.service.wallet import Wallet

__all__ = [
    "NEW",
    "OFFICER",
    "REASON",
    "begin",
    "begin_at",
    "close",
    "follow",
    "found",
    "prove",
]

NEW = "wallet.example/consent/2026b"
REASON = "key-compromise"
OFFICER = Official("security@wallet.example", REASON)


def close(wallet: Wallet, successor: str = NEW) -> Closed:
    """End the log for that reason."""
    return close_log(
        wallet.installation, successor=successor, reason=REASON, by=OFFICER
    )


def begin(wallet: Wallet, origin: str = NEW) -> Installation:
    """Start anew with the new log's name."""
    wallet.installation = start(
        wallet.declared,
        wallet.places,
        origin=origin,
        publishes=wallet.publishes,
        clock=wallet.clock,
    )
    return wallet.installation


def begin_at(places: Places, origin: str) -> list[str]:
    """Start with that name in this process; the keys that the log has then."""
    return list(start(registry(), places, origin=origin).keyring.vkeys)


def follow(wallet: Wallet, origin: str = NEW) -> Path:
    """Close the log and begin the next; the folder of the closed one."""
    folder = wallet.logs
    assert close(wallet, origin).finished
    wallet.clock.now += 60_000
    begin(wallet, origin)
    return folder


def found(wallet: Wallet, *previous: Path) -> list[Finding]:
    """What an auditor finds in the new log, with those before it at hand."""
    publish_all(wallet.installation)
    sources = [FolderSource(each) for each in previous]
    trust = Trust.of([wallet.installation.keyring.log.vkey])
    return list(find_faults(FolderSource(wallet.logs), trust=trust, previous=sources))


def prove(wallet: Wallet, *previous: Path) -> None:
    """The new log holds on top of those before it; the state is what all leaves say."""
    assert found(wallet, *previous) == []
    assert list(differences(wallet.installation)) == []
