"""From which age people agree alone, by the configuration."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from consentkit.core.age import age_rule_of
from consentkit.core.age import prohibition_of
from consentkit.errors import ConfigurationError
from consentkit.service.ages import Ages

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["age_defaults", "read_ages"]

_OLDEST = 25  # years; nobody's law knows an age of consent above 21


def age_defaults() -> dict[str, object]:
    """The keys and their defaults."""
    return {
        "CONSENTKIT_AGE_OF_CONSENT": None,  # as the profile says
        "CONSENTKIT_UNKNOWN_AGE": "",  # as the app's loaders say
    }


def read_ages(app: Flask) -> Ages:
    """The rules on age: the profile's, with the app's own age where it gives one.

    The profile itself has been checked: other rules hang on it as well. An age may be
    below the profile's, for what the table knows is secondary and drifts.

    Raises:
        ConfigurationError: a value is no age, or no policy.
    """
    profile = app.config["CONSENTKIT_PROFILE"]
    rule = age_rule_of(profile)
    below = app.config["CONSENTKIT_AGE_OF_CONSENT"]
    if below is not None:
        if type(below) is not int or not 0 < below <= _OLDEST:
            raise ConfigurationError(
                "CONSENTKIT_AGE_OF_CONSENT must be a whole number of years from 1 to "
                f"{_OLDEST}, or None for that of the profile; got {below!r:.40}"
            )
        rule = replace(rule, below=below, source="CONSENTKIT_AGE_OF_CONSENT")
    unknown = app.config["CONSENTKIT_UNKNOWN_AGE"]
    if unknown not in ("", "adult", "minor"):
        raise ConfigurationError(
            "CONSENTKIT_UNKNOWN_AGE must be 'adult' or 'minor', or '' for 'minor' if "
            f"the app tells birthdays and 'adult' if it does not; got {unknown!r:.40}"
        )
    return Ages(rule, prohibition_of(profile), unknown)
