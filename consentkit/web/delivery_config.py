"""Whom a withdrawal is told, and where, by the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.service.endpoints import Endpoint

if TYPE_CHECKING:
    from flask import Flask

    from consentkit.core.registry import Registry

__all__ = ["delivery_defaults", "read_endpoints"]


def delivery_defaults() -> dict[str, object]:
    """The keys and their defaults."""
    return {"CONSENTKIT_NOTIFY": {}, "CONSENTKIT_NOTIFY_INTERNAL": False}


def read_endpoints(app: Flask, registry: Registry) -> dict[str, Endpoint]:
    """The addresses of declared recipients, by their ids.

    Raises:
        ConfigurationError: what is given are no such addresses.
    """
    given = app.config["CONSENTKIT_NOTIFY"]
    internal = app.config["CONSENTKIT_NOTIFY_INTERNAL"]
    if not isinstance(internal, bool):
        raise ConfigurationError(
            "CONSENTKIT_NOTIFY_INTERNAL must be True or False; got "
            f"{type(internal).__name__}"
        )
    if not isinstance(given, dict):
        raise ConfigurationError(
            "CONSENTKIT_NOTIFY must map ids of recipients to their addresses; got "
            f"{type(given).__name__}"
        )
    unknown = sorted(str(each) for each in given if each not in registry.recipients)
    if unknown:
        raise ConfigurationError(
            "CONSENTKIT_NOTIFY must name declared recipients only; got "
            f"{unknown[0]!r:.80}"
        )
    try:
        return {
            recipient: Endpoint.of(value, internal=internal)
            for recipient, value in given.items()
        }
    except ConfigurationError as error:
        raise ConfigurationError(f"CONSENTKIT_NOTIFY: {error}") from error
