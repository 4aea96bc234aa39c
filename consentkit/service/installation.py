"""What one app's consentkit is made of: declarations, places, keys and a clock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from typing import TYPE_CHECKING
from typing import Protocol

from consentkit.core.act import Millis
from consentkit.errors import LogUnavailableError
from consentkit.service.ages import Ages
from consentkit.service.observing import SILENT
from consentkit.service.retention import Retention

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping
    from collections.abc import Sequence
    from pathlib import Path

    from consentkit.core.decision import Standing
    from consentkit.core.registry import Registry
    from consentkit.service.authorities import Authority
    from consentkit.service.cosigners import Cosigner
    from consentkit.service.endpoints import Endpoint
    from consentkit.service.high_water import HighWater
    from consentkit.service.keyring import Keyring
    from consentkit.service.observing import Observer
    from consentkit.service.sending import Sends
    from consentkit.service.staleness import Mirror
    from consentkit.store.batches import Batches
    from consentkit.store.database import Database
    from consentkit.store.deliveries import Deliveries
    from consentkit.store.disclosures import Disclosures
    from consentkit.store.erasing import Erasures
    from consentkit.store.exports import Exports
    from consentkit.store.history import History
    from consentkit.store.keys import Keys
    from consentkit.store.ledger import Ledger
    from consentkit.store.oversight import Oversight
    from consentkit.store.publications import Publications
    from consentkit.store.representing import Representations
    from consentkit.store.timestamps import Timestamps
    from consentkit.store.witnesses import Witnesses

__all__ = ["EarlierLog", "Installation", "StandingReader", "system_clock"]


class StandingReader(Protocol):
    """The port through which a check asks what holds at this instant."""

    def standing(
        self, subject: str, purpose: str, recipient: str, transfer: str = ""
    ) -> Standing:
        """What the store says now; raises rather than answer from memory."""

    def standings(
        self, keys: Sequence[tuple[str, str, str, str]]
    ) -> Sequence[Standing | None]:
        """The same of many keys, each with its transfer; None for a corrupt row."""

    def close(self) -> None:
        """Give this thread's connection back."""


def system_clock() -> Millis:
    """Now, in milliseconds since the epoch."""
    return Millis(time.time_ns() // 1_000_000)


@dataclass(frozen=True)
class EarlierLog:
    """What is read of a log of this database that was closed."""

    publications: Publications
    exports: Exports
    timestamps: Timestamps
    keys: Keys


@dataclass(frozen=True)
class Installation:
    """Everything the services of one app work with; made once, never changed.

    ``log_folder`` is where the log's files are written: ``checkpoint`` and ``tile/``.
    ``high_water`` remembers outside the database what was signed last.
    ``keys`` are those that the log registered, ``keyring`` holds the private halves.
    ``cosigners`` are the witnesses to ask, ``witnesses`` is what they said.
    ``authority`` time-stamps checkpoints, ``timestamps`` is what it and others said.
    ``erasures`` is what is held and swept, ``retention`` for how long all is kept.
    ``disclosures`` is who received whose data, ``batches`` what was shared about many
    at once, ``sends`` what is leaving right now.
    ``endpoints`` are the places, by recipient, that take messages from us.
    ``representations`` is who answers for whom, ``ages`` who is old enough alone.
    ``observer`` is told what happens, of nobody in particular.
    ``mirror`` is a replica of the database, for checks that may be a little behind.
    ``earlier`` are the closed logs that this one continues, by origin, oldest first.
    """

    registry: Registry
    origin: str
    database: Database
    ledger: Ledger
    history: History
    oversight: Oversight
    reader: StandingReader
    publications: Publications
    witnesses: Witnesses
    exports: Exports
    timestamps: Timestamps
    deliveries: Deliveries
    disclosures: Disclosures
    batches: Batches
    erasures: Erasures
    representations: Representations
    keys: Keys
    keyring: Keyring
    log_folder: Path
    high_water: HighWater
    sends: Sends
    cosigners: tuple[Cosigner, ...] = ()
    authority: Authority | None = None
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    retention: Retention = field(default_factory=Retention)
    earlier: Mapping[str, EarlierLog] = field(default_factory=dict)
    ages: Ages = field(default_factory=Ages)
    observer: Observer = SILENT
    mirror: Mirror | None = None
    clock: Callable[[], Millis] = system_clock

    def close(self) -> None:
        """Give the connections of this process and thread back; later ones are new."""
        self.reader.close()
        if self.mirror is not None:
            self.mirror.replica.close()
        self.sends.close()
        self.database.dispose()

    def of_log(self, origin: str) -> Installation:
        """The same, to read from the log of that origin, closed or not.

        Raises:
            LogUnavailableError: the database held no such log when this process began.
        """
        if origin == self.origin:
            return self
        if origin not in self.earlier:
            logs = ", ".join((*self.earlier, self.origin))
            raise LogUnavailableError(
                f"expected the origin of a log in this database ({logs}); got "
                f"{origin!r:.80}"
            )
        log = self.earlier[origin]
        return replace(
            self,
            origin=origin,
            publications=log.publications,
            exports=log.exports,
            timestamps=log.timestamps,
            keys=log.keys,
        )
