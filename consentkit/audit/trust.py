"""The keys that an auditor holds. They never come from the thing that is judged.

Keys are told apart by their names: a log's key is named after its origin, a
collector's ``<origin>/collector/<name>``. So a stolen collector key can never pass
for the key of a log, whatever the log that it signed calls itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Protocol

from consentkit.errors import ConfigurationError
from consentkit.log.keys import Algorithm
from consentkit.log.keys import Verifier

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["KnownCollectors", "Trust", "UnpinnedCollectors", "is_collector_name"]

_COLLECTOR = "/collector/"


def is_collector_name(name: str, *, origin: str) -> bool:
    """Whether a key of this name can be a collector's of the log ``origin``."""
    prefix = origin + _COLLECTOR
    return name.startswith(prefix) and len(name) > len(prefix)


class KnownCollectors(Protocol):
    """What is known beforehand of the collectors of one log."""

    @property
    def origin(self) -> str:
        """The name of the log."""

    @property
    def collectors(self) -> tuple[Verifier, ...]:
        """The keys one of which has to be the first; none for any."""


@dataclass(frozen=True)
class UnpinnedCollectors:
    """A log whose tree is known by its root: so are the keys that it registers."""

    origin: str
    collectors: tuple[Verifier, ...] = ()


@dataclass(frozen=True)
class Trust:
    """One log's keys, and those of its collectors that are known beforehand.

    ``log`` holds more than one key only while the log's key is being changed.

    Raises:
        ConfigurationError: no log key, keys of two logs, or a key of another kind.
    """

    log: tuple[Verifier, ...]
    collectors: tuple[Verifier, ...] = ()

    def __post_init__(self) -> None:
        origins = sorted({key.name for key in self.log})
        if not origins and self.collectors:
            raise ConfigurationError(
                f"{self.collectors[0].name!r} is a collector's key; the log's own key "
                "is needed as well, the first that `flask consent keys list` prints"
            )
        if len(origins) != 1:
            raise ConfigurationError(
                "expected the key of exactly one log, got "
                + (f"those of {', '.join(origins)}" if origins else "none")
            )
        for key in (*self.log, *self.collectors):
            if key.algorithm is not Algorithm.ED25519:
                raise ConfigurationError(
                    f"the key of {key.name!r} is a witness's; give keys of type 01"
                )
        for key in self.collectors:
            if not is_collector_name(key.name, origin=self.origin):
                raise ConfigurationError(
                    f"the collector key {key.name!r} is not of the log {self.origin!r}"
                )

    @property
    def origin(self) -> str:
        """The name of the one log that these keys speak of."""
        return self.log[0].name

    @classmethod
    def of(cls, vkeys: Iterable[str] | str) -> Trust:
        """The trust in these verifier keys, sorted by what their names say they are.

        A text is taken as what ``flask consent keys list`` prints: a key on each line.

        Raises:
            MalformedError: one of them is not a verifier key.
            ConfigurationError: together they are not the keys of one log.
        """
        if isinstance(vkeys, str):
            vkeys = [line.strip() for line in vkeys.splitlines() if line.strip()]
        keys = [Verifier.parse(vkey) for vkey in dict.fromkeys(vkeys)]
        return cls(
            log=tuple(key for key in keys if _COLLECTOR not in key.name),
            collectors=tuple(key for key in keys if _COLLECTOR in key.name),
        )
