"""Looking at a whole installation: what is wrong, what could be, and what is fine.

Nothing is changed, nothing of a person is told, and what cannot be looked at is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.service.examining_database import DATABASE
from consentkit.service.examining_duties import DUTIES
from consentkit.service.examining_keys import KEYS
from consentkit.service.examining_log import LOG
from consentkit.service.finding import look
from consentkit.store.inspecting import Inspection

if TYPE_CHECKING:
    from consentkit.service.finding import Finding
    from consentkit.service.installation import Installation

__all__ = ["AREAS", "examine_installation"]

AREAS = {"database": DATABASE, "log": LOG, "keys": KEYS, "duties": DUTIES}
"""What is looked at, in this order."""


def examine_installation(installation: Installation) -> list[Finding]:
    """Everything that was found, area by area.

    Raises:
        LogUnavailableError: the database does not answer, so that there is nothing to
            look at.
    """
    Inspection(installation.database).migration()  # which every role may read
    return [
        finding
        for area, looks in AREAS.items()
        for finding in look(area, looks, installation)
    ]
