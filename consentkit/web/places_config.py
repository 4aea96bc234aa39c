"""Where an installation keeps its things, by the configuration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.service.starting import Places
from consentkit.web.config_values import is_path
from consentkit.web.config_values import read_text
from consentkit.web.database_config import database_defaults
from consentkit.web.database_config import read_connections
from consentkit.web.database_config import read_replica
from consentkit.web.key_config import key_defaults
from consentkit.web.key_config import read_key_sources

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["place_defaults", "read_places"]


def place_defaults(home: Path) -> dict[str, object]:
    """The keys and their defaults, for an app that keeps its files in that folder."""
    return {
        **database_defaults(home),
        **key_defaults(),
        "CONSENTKIT_KEY_FOLDER": str(home / "keys"),
        "CONSENTKIT_LOG_FOLDER": str(home / "logs"),
        "CONSENTKIT_HIGH_WATER": None,
    }


def read_places(app: Flask, *, publishes: bool) -> Places:
    """Database, keys and folders, the folder of logs to write to for who ``publishes``.

    ``shared`` is left for ``app_database`` to say.

    Raises:
        ConfigurationError: a key has a value that cannot be used; it is named.
    """
    return Places(
        database_uri=read_text(app, "CONSENTKIT_DATABASE_URI"),
        keys=_folder(app, "CONSENTKIT_KEY_FOLDER"),
        logs=_folder(app, "CONSENTKIT_LOG_FOLDER", writable=publishes),
        high_water=_high_water(app),
        sources=read_key_sources(app),
        connections=read_connections(app),
        replica_uri=read_replica(app),
    )


def _folder(app: Flask, key: str, *, writable: bool = False) -> Path:
    value = app.config[key]
    if not is_path(value):
        raise ConfigurationError(
            f"{key} must be the path of a folder; got {value!r:.80}"
        )
    folder = Path(value)
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if writable and not (there.is_dir() and os.access(there, os.W_OK)):
        raise ConfigurationError(
            f"{key} must be a folder that this process can write to, or make; "
            f"{there} is not"
        )
    return folder


def _high_water(app: Flask) -> Path | None:
    value = app.config["CONSENTKIT_HIGH_WATER"]
    if value is None:
        return None
    if not is_path(value):
        raise ConfigurationError(
            "CONSENTKIT_HIGH_WATER must be the path of a file, or None for the place "
            f"beside the keys; got {value!r:.80}"
        )
    return Path(value)
