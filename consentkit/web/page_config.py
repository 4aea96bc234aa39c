"""Where our pages are and how long they hold good, by the configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.service.release import LIFETIME

if TYPE_CHECKING:
    from flask import Flask

    from consentkit.web.locale import Selector

__all__ = ["page_defaults", "read_address", "read_locale_selector", "read_prefix"]

_FORM_LIFETIME = 7_200  # seconds; after that the question is shown again, unanswered
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._-]+)+\Z")
_ADDRESS = re.compile(r"(?:/(?![/\\])|https?://[^/])[^\s\\]*\Z")


def page_defaults() -> dict[str, object]:
    """The keys and their defaults."""
    return {
        "CONSENTKIT_URL_PREFIX": "/consent",
        "CONSENTKIT_FORM_LIFETIME": _FORM_LIFETIME,
        "CONSENTKIT_RELEASE_LIFETIME": LIFETIME,
        "CONSENTKIT_SIGN_IN_URL": "",
        "CONSENTKIT_HOME_URL": "/",
        "CONSENTKIT_LOCALE_SELECTOR": None,
    }


def read_prefix(app: Flask) -> str:
    """The path below which all of our pages are.

    Raises:
        ConfigurationError: it is none.
    """
    prefix = app.config["CONSENTKIT_URL_PREFIX"]
    if not isinstance(prefix, str) or not _PREFIX.match(prefix):
        raise ConfigurationError(
            "CONSENTKIT_URL_PREFIX must be a path such as '/consent', without a slash "
            f"at its end; got {prefix!r:.80}"
        )
    return prefix


def read_address(app: Flask, key: str) -> str:
    """An address within the app or a whole one, empty where there is none.

    Raises:
        ConfigurationError: it is neither.
    """
    value = app.config[key]
    if not isinstance(value, str) or not (value == "" or _ADDRESS.match(value)):
        raise ConfigurationError(
            f"{key} must be a path within the app such as '/account', an address that "
            f"begins with 'https://', or '' for none; got {value!r:.80}"
        )
    return value


def read_locale_selector(app: Flask) -> Selector:
    """What says in which language a page is shown; None for what the browser asks for.

    Raises:
        ConfigurationError: it is neither a locale nor a function.
    """
    value: Selector = app.config["CONSENTKIT_LOCALE_SELECTOR"]
    if value is not None and not isinstance(value, str) and not callable(value):
        raise ConfigurationError(
            "CONSENTKIT_LOCALE_SELECTOR must be a locale such as 'de', a function that "
            f"returns one, or None; got {type(value).__name__}"
        )
    return value
