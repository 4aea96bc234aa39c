"""What somebody finds who looks at an installation, and how bad it is."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from consentkit.errors import ConsentKitError
from consentkit.service.installation import Installation
from consentkit.store.rights import is_refused

__all__ = ["Finding", "Level", "Looks", "fault", "fine", "look", "warning"]


class Level(StrEnum):
    """What it asks for: to be mended, to be looked at, or nothing."""

    FAULT = "fault"
    WARNING = "warning"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. Of no person, whatever it is about.

    ``came`` is what was found, ``expected`` what should have been, ``do`` what to do;
    the last two are empty where it is fine.
    """

    level: Level
    area: str
    part: str
    came: str
    expected: str = ""
    do: str = ""

    def to_dict(self) -> dict[str, str]:
        """For machines."""
        names = ("area", "part", "came", "expected", "do")
        return {"level": self.level.value} | {
            name: getattr(self, name) for name in names
        }


Looks: TypeAlias = Mapping[str, Callable[[Installation], Iterable[Finding]]]
"""How to look at each part of an area, by its name; what is returned names no area."""


def fine(came: str) -> Finding:
    """It is as it should be."""
    return Finding(Level.FINE, "", "", came)


def warning(came: str, *, expected: str, do: str) -> Finding:
    """Somebody should look at it."""
    return Finding(Level.WARNING, "", "", came, expected, do)


def fault(came: str, *, expected: str, do: str) -> Finding:
    """Something is broken, or promised and not kept."""
    return Finding(Level.FAULT, "", "", came, expected, do)


def look(area: str, looks: Looks, installation: Installation) -> Iterable[Finding]:
    """Look at each part. Total: what cannot be looked at is a finding itself."""
    for part, looker in looks.items():
        try:
            found = list(looker(installation))
        except Exception as error:  # noqa: BLE001  it is told, as a finding
            found = [_unseen(error)]
        for each in found:
            yield Finding(each.level, area, part, each.came, each.expected, each.do)


def _unseen(error: Exception) -> Finding:
    """Our own errors say what to do; others may repeat what they were given."""
    if is_refused(error.__cause__ or error):
        return fine("not for this database role to see")
    told = str(error) if isinstance(error, ConsentKitError) else type(error).__name__
    return warning(
        f"could not be looked at: {told}",
        expected="an answer",
        do="mend that, or look as another role",
    )
