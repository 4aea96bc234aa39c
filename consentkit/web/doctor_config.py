"""What in an app's own configuration is worth a word, though it works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app

from consentkit.service.finding import fault
from consentkit.service.finding import fine
from consentkit.service.finding import look
from consentkit.service.finding import warning
from consentkit.web.state import current_state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consentkit.service.finding import Finding
    from consentkit.service.finding import Looks
    from consentkit.service.installation import Installation

__all__ = ["examine_config"]

_SHORTEST, _LONGEST = 300, 86_400  # seconds that a page with a question may be open


def examine_config() -> list[Finding]:
    """What the current app's configuration says."""
    return list(look("configuration", _CONFIG, current_state().installation))


def _production(_installation: Installation) -> Iterable[Finding]:
    production = current_state().config.production
    if production and (current_app.debug or current_app.testing):
        return [
            fault(
                "CONSENTKIT_PRODUCTION is set, and the app runs in debug or test mode",
                expected="neither: a debugger runs code for whoever reaches it",
                do="take out DEBUG, TESTING and --debug",
            )
        ]
    if production:
        return [fine("CONSENTKIT_PRODUCTION is set")]
    return [
        warning(
            "CONSENTKIT_PRODUCTION is not set: keys may be made by themselves",
            expected="set, where people's answers are taken",
            do="set it to 1 in the environment of production",
        )
    ]


def _forms(_installation: Installation) -> Iterable[Finding]:
    seconds = current_state().config.form_lifetime
    if _SHORTEST <= seconds <= _LONGEST:
        return [fine(f"a question may be open for {seconds} s")]
    return [
        warning(
            f"CONSENTKIT_FORM_LIFETIME is {seconds} s",
            expected=f"{_SHORTEST} to {_LONGEST} s: time to read, and no old page",
            do="leave it out: the default is 7200",
        )
    ]


def _publishing(installation: Installation) -> Iterable[Finding]:
    thread = current_state().publisher is not None
    if thread and installation.database.file is None:
        return [
            warning(
                "CONSENTKIT_PUBLISH is 'thread' on PostgreSQL: every web process holds "
                "the log's key",
                expected="'command', and one process that publishes",
                do="run 'flask consent publish --follow' beside the web processes",
            )
        ]
    return [fine("in each web process" if thread else "by the command")]


_CONFIG: Looks = {
    "production": _production,
    "forms": _forms,
    "publishing": _publishing,
}
