"""Every ``CONSENTKIT_*`` key, its default, and the check that it can be used.

All of it is read once, in ``init_app``: a wrong value stops the app from starting and
never surfaces on somebody's first request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError

if TYPE_CHECKING:
    from flask import Flask

    from consentkit.core.registry import Registry
    from consentkit.web.locale import Selector

__all__ = ["Config", "read_config"]

_FORM_LIFETIME = 7_200  # seconds; after that the question is shown again, unanswered
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._-]+)+\Z")
_HOST = re.compile(r"[A-Za-z0-9.-]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)\Z")


@dataclass(frozen=True, slots=True)
class Config:
    """The checked values of one app.

    ``form_lifetime`` is in seconds. ``publish`` says whether this process may publish
    the log from a thread of its own.
    """

    url_prefix: str
    database_uri: str
    key_folder: Path
    log_folder: Path
    log_origin: str
    form_lifetime: int
    publish: bool
    sign_in_url: str
    home_url: str
    locale_selector: Selector


def read_config(app: Flask, registry: Registry) -> Config:
    """The configuration of ``app``, defaults filled in.

    Raises:
        ConfigurationError: a key has a value that cannot be used; it is named.
    """
    home = Path(app.instance_path) / "consentkit"
    defaults = {
        "CONSENTKIT_URL_PREFIX": "/consent",
        "CONSENTKIT_DATABASE_URI": f"sqlite:///{home / 'consent.sqlite3'}",
        "CONSENTKIT_KEY_FOLDER": str(home / "keys"),
        "CONSENTKIT_LOG_FOLDER": str(home / "logs"),
        "CONSENTKIT_LOG_ORIGIN": _origin(registry),
        "CONSENTKIT_FORM_LIFETIME": _FORM_LIFETIME,
        "CONSENTKIT_PUBLISH": "thread",
        "CONSENTKIT_SIGN_IN_URL": "",
        "CONSENTKIT_HOME_URL": "/",
        "CONSENTKIT_LOCALE_SELECTOR": None,
    }
    for key, value in defaults.items():
        app.config.setdefault(key, value)
    return Config(
        url_prefix=_prefix(app),
        database_uri=str(app.config["CONSENTKIT_DATABASE_URI"]),
        key_folder=Path(app.config["CONSENTKIT_KEY_FOLDER"]),
        log_folder=Path(app.config["CONSENTKIT_LOG_FOLDER"]),
        log_origin=str(app.config["CONSENTKIT_LOG_ORIGIN"]),
        form_lifetime=_lifetime(app),
        publish=_publish(app),
        sign_in_url=str(app.config["CONSENTKIT_SIGN_IN_URL"]),
        home_url=str(app.config["CONSENTKIT_HOME_URL"]),
        locale_selector=_selector(app),
    )


def _origin(registry: Registry) -> str:
    """``<host>/consent/<year>``; the log that exists already keeps its own name."""
    controller = registry.controller
    found = _HOST.match(controller.contact)
    host = found[1].lower() if found else controller.id
    return f"{host}/consent/{datetime.now(UTC).year}"


def _prefix(app: Flask) -> str:
    prefix = app.config["CONSENTKIT_URL_PREFIX"]
    if not isinstance(prefix, str) or not _PREFIX.match(prefix):
        raise ConfigurationError(
            "CONSENTKIT_URL_PREFIX must be a path such as '/consent', without a slash "
            f"at its end; got {prefix!r:.80}"
        )
    return prefix


def _lifetime(app: Flask) -> int:
    value = app.config["CONSENTKIT_FORM_LIFETIME"]
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ConfigurationError(
            f"CONSENTKIT_FORM_LIFETIME must be a number of seconds; got {value!r:.40}"
        )
    return value


def _publish(app: Flask) -> bool:
    value = app.config["CONSENTKIT_PUBLISH"]
    if value not in {"thread", "command"}:
        raise ConfigurationError(
            "CONSENTKIT_PUBLISH must be 'thread' (each process may publish the log) or "
            "'command' (only 'flask consent publish --follow' does); "
            f"got {value!r:.40}"
        )
    return bool(value == "thread")


def _selector(app: Flask) -> Selector:
    value: Selector = app.config["CONSENTKIT_LOCALE_SELECTOR"]
    if value is not None and not isinstance(value, str) and not callable(value):
        raise ConfigurationError(
            "CONSENTKIT_LOCALE_SELECTOR must be a locale such as 'de', a function that "
            f"returns one, or None; got {type(value).__name__}"
        )
    return value
