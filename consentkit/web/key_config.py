"""Where the keys are, by the configuration, and whether this is production."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.service.signers import KeySources
from consentkit.service.signers import parse_key_uri
from consentkit.service.signers import parse_secret_uri

if TYPE_CHECKING:
    from flask import Flask

    from consentkit.service.signers import KeySource

__all__ = ["key_defaults", "read_key_sources", "read_production"]

_SPELLINGS = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("", "0", "false", "no", "off"), False),
}


def key_defaults() -> dict[str, object]:
    """The keys of the configuration and their defaults."""
    return {
        "CONSENTKIT_COLLECTOR_KEY": "",
        "CONSENTKIT_LOG_KEY": "",
        "CONSENTKIT_SECRET": "",
        "CONSENTKIT_PRODUCTION": None,  # as the environment says
    }


def read_key_sources(app: Flask) -> KeySources:
    """The keys that the configuration names; those it does not are in the key folder.

    Raises:
        ConfigurationError: a value is no URI of a key. It is not repeated: it may hold
            a PIN, or by mistake the key.
    """
    secret = _uris(app, "CONSENTKIT_SECRET", most=1)
    return KeySources(
        collector=_sources(app, "CONSENTKIT_COLLECTOR_KEY"),
        log=_sources(app, "CONSENTKIT_LOG_KEY"),
        secret=parse_secret_uri(secret[0], label="CONSENTKIT_SECRET")
        if secret
        else None,
    )


def read_production(app: Flask) -> bool:
    """``CONSENTKIT_PRODUCTION``, from the environment where the app does not say.

    Raises:
        ConfigurationError: neither yes nor no.
    """
    value = app.config["CONSENTKIT_PRODUCTION"]
    if value is None:
        value = os.environ.get("CONSENTKIT_PRODUCTION", "")
    if isinstance(value, str):
        value = _SPELLINGS.get(value.lower())
    elif value in (0, 1):  # as Flask reads FLASK_CONSENTKIT_PRODUCTION=1
        value = bool(value)
    if not isinstance(value, bool):
        raise ConfigurationError(
            "CONSENTKIT_PRODUCTION must be True or False, or as text 1 or 0; "
            f"got {type(value).__name__ if value is not None else 'another word'}"
        )
    return value


def _sources(app: Flask, key: str) -> tuple[KeySource, ...]:
    return tuple(parse_key_uri(uri, label=key) for uri in _uris(app, key, most=2))


def _uris(app: Flask, key: str, *, most: int) -> list[str]:
    """One URI, or while a key is being changed both."""
    value = app.config[key]
    uris = [value] if isinstance(value, str) and value else value or []
    listed = isinstance(uris, (list, tuple)) and len(uris) <= most
    if value is None or not listed or not all(isinstance(each, str) for each in uris):
        raise ConfigurationError(
            f"{key} must be the URI of a key, such as 'file:///etc/wallet/key.pem'"
            + (", or a list of two while the key is being changed" if most > 1 else "")
            + f"; got {type(value).__name__}"
        )
    return list(uris)
