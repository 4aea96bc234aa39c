"""What one app's consentkit is made of: declarations, places, keys and a clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Protocol

from consentkit.core.act import Millis

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from consentkit.core.decision import Standing
    from consentkit.core.registry import Registry
    from consentkit.service.cosigners import Cosigner
    from consentkit.service.keyring import Keyring
    from consentkit.store.history import History
    from consentkit.store.ledger import Ledger
    from consentkit.store.publications import Publications
    from consentkit.store.witnesses import Witnesses

__all__ = ["Installation", "StandingReader", "system_clock"]


class StandingReader(Protocol):
    """The port through which a check asks what holds at this instant."""

    def standing(
        self, subject: str, purpose: str, recipient: str, transfer: str = ""
    ) -> Standing:
        """What the store says now; raises rather than answer from memory."""


def system_clock() -> Millis:
    """Now, in milliseconds since the epoch."""
    return Millis(time.time_ns() // 1_000_000)


@dataclass(frozen=True)
class Installation:
    """Everything the services of one app work with; made once, never changed.

    ``log_folder`` is where the log's files are written: ``checkpoint`` and ``tile/``.
    ``cosigners`` are the witnesses to ask, ``witnesses`` is what they said.
    """

    registry: Registry
    origin: str
    ledger: Ledger
    history: History
    reader: StandingReader
    publications: Publications
    witnesses: Witnesses
    keyring: Keyring
    log_folder: Path
    cosigners: tuple[Cosigner, ...] = ()
    clock: Callable[[], Millis] = system_clock
