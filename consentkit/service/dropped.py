"""Which logs were dropped, and whether a leaf of the log in use at the time says so."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import TYPE_CHECKING

from consentkit.core.act import Kind
from consentkit.errors import ConfigurationError
from consentkit.service.archiving import find_archives
from consentkit.service.dropping import DROP
from consentkit.store.periods import Periods

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence

    from consentkit.log.leaf import Leaf
    from consentkit.service.installation import Installation
    from consentkit.store.periods import Period

__all__ = ["DroppedLogs", "check_not_dropped"]


def check_not_dropped(installation: Installation, origin: str) -> None:
    """Refuse to read a log whose leaves are gone.

    Raises:
        ConfigurationError: they are; the message says where its archive is.
        LogUnavailableError: the database cannot be reached.
    """
    period = Periods(installation.database).find(origin)
    if period is None or period.dropped is None:
        return
    places = find_archives(installation, origin)
    where = f"it was archived to {places[-1]}" if places else "no archive is known"
    raise ConfigurationError(
        f"the log {origin!r} was dropped from this database when its time was over; "
        f"{where}"
    )


@dataclass
class DroppedLogs:
    """What the table of logs says of each, to be held against the leaves."""

    periods: Sequence[Period]
    _told: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, installation: Installation) -> DroppedLogs:
        """Take it from the database.

        Raises:
            LogUnavailableError: the database cannot be reached.
        """
        return cls(Periods(installation.database).all())

    def apply(self, leaf: Leaf) -> None:
        """Take in the next leaf."""
        if leaf.kind == Kind.ADMIN and leaf.body["action"] == DROP:
            self._told.add(leaf.body["target"])

    def since(self, leaf: Leaf) -> bool:
        """Whether a log was dropped after this leaf was written."""
        return any(
            each.dropped is not None and each.dropped >= leaf.time
            for each in self.periods
        )

    def differences(self) -> Iterator[str]:
        """Each log that is gone without a leaf, or is there in spite of one."""
        for each in self.periods:
            if each.dropped is None and each.origin in self._told:
                yield f"log {each.origin}: a leaf says that it was dropped; it was not"
            elif each.dropped and not self._may_have_gone(each):
                yield f"log {each.origin}: it was dropped, and no leaf says so"

    def _may_have_gone(self, gone: Period) -> bool:
        """Whether a leaf says so, or was in a log that was dropped itself since."""
        return gone.origin in self._told or any(
            each.dropped is not None and each.id > gone.id and _went_on(each, gone)
            for each in self.periods
        )


def _went_on(log: Period, gone: Period) -> bool:
    """Whether that log was in use when the other was dropped."""
    if log.closed is None or gone.dropped is None:
        return False
    return log.begun <= gone.dropped <= log.closed
