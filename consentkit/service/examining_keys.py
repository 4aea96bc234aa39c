"""The keys: whose eyes they are for, and whether they are those of the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.service.finding import fault
from consentkit.service.finding import fine
from consentkit.service.finding import warning
from consentkit.service.rotating import list_keys
from consentkit.store.keys import COLLECTOR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.service.finding import Finding
    from consentkit.service.finding import Looks
    from consentkit.service.installation import Installation

__all__ = ["KEYS"]

_OTHERS = 0o077


def _modes(installation: Installation) -> Iterable[Finding]:
    folder = installation.keyring.folder
    if not folder.is_dir():
        return [fine("none in a folder")]
    keys = [*folder.glob("**/*.pem"), *folder.glob("**/*.key")]
    found = [each for each in (folder, *sorted(keys)) if each.stat().st_mode & _OTHERS]
    if not found:
        return [fine(f"{folder}, for its owner alone")]
    return [
        fault(
            f"{each} can be read by others than its owner",
            expected="mode 0700 for the folder, 0600 for a key",
            do="chmod it, and replace the key if anybody else was on this machine",
        )
        for each in found
    ]


def _development(installation: Installation) -> Iterable[Finding]:
    keyring = installation.keyring
    _ = keyring.collector, keyring.form_key
    if not keyring.development_keys:
        return [fine("none of those in use was made by itself")]
    return [
        warning(
            f"{len(keyring.development_keys)} in use were made by themselves, for "
            "development",
            expected="keys that somebody made for this log",
            do="begin the log of production with keys of 'flask consent keys new'",
        )
    ]


def _registered(installation: Installation) -> Iterable[Finding]:
    reports = [each for each in list_keys(installation) if each.range.signs_on]
    here = [each for each in reports if each.is_here]
    if not any(each.range.role == COLLECTOR for each in here):
        return [
            fault(
                "no collector key that the log registered is here",
                expected="the one that signs what people answer",
                do="put back the key, or name it by CONSENTKIT_COLLECTOR_KEY",
            )
        ]
    roles = " and ".join(sorted({each.range.role for each in here}))
    return [fine(f"{len(reports)} registered; here: {roles}")]


KEYS: Looks = {
    "files": _modes,
    "origin": _development,
    "registered": _registered,
}
"""How to look at the keys."""
