"""What is made of answers beyond the law itself, by the configuration.

How long records are kept, when nobody is asked again, what a browser's signal is worth.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from typing import Literal

from consentkit.errors import ConfigurationError
from consentkit.service.reasking import Cooldown
from consentkit.service.retention import DEFAULT_PERIOD
from consentkit.service.retention import Retention
from consentkit.web.config_values import read_text

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["read_cooldown", "read_gpc", "read_retention", "rule_defaults"]


def rule_defaults() -> dict[str, object]:
    """The keys and their defaults."""
    return {
        "CONSENTKIT_PROFILE": "",
        "CONSENTKIT_RETENTION": DEFAULT_PERIOD,
        "CONSENTKIT_REASK_AFTER": "",  # as the profile says
        "CONSENTKIT_GPC": None,  # as the app's views say
    }


def read_retention(app: Flask) -> Retention:
    """How long records are kept, by the profile and what the app adds to it.

    Raises:
        ConfigurationError: it is no period, or there is no such profile.
    """
    profile = app.config["CONSENTKIT_PROFILE"]
    if not isinstance(profile, str):
        raise ConfigurationError(
            "CONSENTKIT_PROFILE must be the name of a profile, or '' for none; got "
            f"{type(profile).__name__}"
        )
    return Retention(read_text(app, "CONSENTKIT_RETENTION"), profile)


def read_cooldown(app: Flask) -> Cooldown:
    """How long nobody is asked again who said no.

    Raises:
        ConfigurationError: it is no period, or too short a one.
    """
    period = app.config["CONSENTKIT_REASK_AFTER"]
    if not isinstance(period, str):
        raise ConfigurationError(
            "CONSENTKIT_REASK_AFTER must be an ISO 8601 duration such as 'P6M', or '' "
            f"for what the profile says; got {type(period).__name__}"
        )
    return Cooldown(period, app.config["CONSENTKIT_PROFILE"])


def read_gpc(app: Flask) -> date | Literal[False] | None:
    """Since when the app says that every share goes through the gate, or that not."""
    value = app.config["CONSENTKIT_GPC"]
    if value is None or value is False:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            "CONSENTKIT_GPC must be the day since which every share goes through the "
            "gate, such as '2026-11-21', False where not all do, or None to leave it "
            f"to what can be seen; got {value!r:.40}"
        ) from error
