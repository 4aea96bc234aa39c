"""Where the database is, by the configuration, and how many connections it gets."""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Final
from urllib.parse import quote

from consentkit.errors import ConfigurationError
from consentkit.store.connections import FEWEST_POOLED
from consentkit.store.connections import Connections

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from flask import Flask

__all__ = ["database_defaults", "read_connections", "read_replica"]

_DEFAULTS = Connections()
_POOLERS: Final[Mapping[object, bool | None]] = {"auto": None, "yes": True, "no": False}


def database_defaults(home: Path) -> dict[str, object]:
    """The keys and their defaults, for an app that keeps its files in that folder."""
    return {
        "CONSENTKIT_DATABASE_URI": _sqlite(home / "consent.sqlite3"),
        "CONSENTKIT_DATABASE_POOL_SIZE": _DEFAULTS.pooled,
        "CONSENTKIT_DATABASE_POOL_TIMEOUT": _DEFAULTS.pool_wait,
        "CONSENTKIT_DATABASE_LOCK_TIMEOUT": _DEFAULTS.lock_wait,
        "CONSENTKIT_DATABASE_CONNECT_TIMEOUT": _DEFAULTS.connect_wait,
        "CONSENTKIT_DATABASE_SENDS": None,  # as many as there are
        "CONSENTKIT_DATABASE_POOLER": "auto",
        "CONSENTKIT_REPLICA_URI": "",
    }


def read_connections(app: Flask) -> Connections:
    """How many connections there may be, and how long is waited for what.

    Raises:
        ConfigurationError: a key has a value that cannot be used; it is named.
    """
    sends = app.config["CONSENTKIT_DATABASE_SENDS"]
    return Connections(
        pooled=_number(app, "CONSENTKIT_DATABASE_POOL_SIZE", least=FEWEST_POOLED),
        pool_wait=_number(app, "CONSENTKIT_DATABASE_POOL_TIMEOUT"),
        lock_wait=_number(app, "CONSENTKIT_DATABASE_LOCK_TIMEOUT"),
        connect_wait=_number(app, "CONSENTKIT_DATABASE_CONNECT_TIMEOUT"),
        sends=0 if sends is None else _number(app, "CONSENTKIT_DATABASE_SENDS"),
        pooler=_pooler(app),
    )


def read_replica(app: Flask) -> str:
    """The address of a replica, empty where there is none.

    Raises:
        ConfigurationError: it is no address of a PostgreSQL database, or the database
            itself is none. It is not repeated: it may hold a password.
    """
    uri = app.config["CONSENTKIT_REPLICA_URI"]
    if uri == "":
        return ""
    if not _is_postgres(uri):
        raise ConfigurationError(
            "CONSENTKIT_REPLICA_URI must be the address of a streaming replica, such "
            "as 'postgresql://app@replica.example/consent', or '' for none; got "
            f"{'another address' if isinstance(uri, str) else type(uri).__name__}"
        )
    if not _is_postgres(app.config["CONSENTKIT_DATABASE_URI"]):
        raise ConfigurationError(
            "CONSENTKIT_REPLICA_URI is set, and CONSENTKIT_DATABASE_URI is no "
            "PostgreSQL database that could have a replica: take one of them out"
        )
    return str(uri)


def _sqlite(path: Path) -> str:
    """The URL of a file, whatever its folders are called: a URL is read decoded."""
    return f"sqlite:///{quote(str(path))}"


def _is_postgres(uri: object) -> bool:
    return isinstance(uri, str) and uri.startswith("postgresql")


def _number(app: Flask, key: str, *, least: int = 1) -> int:
    value = app.config[key]
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ConfigurationError(
            f"{key} must be a whole number of at least {least}; got {value!r:.40}"
        )
    return value


def _pooler(app: Flask) -> bool | None:
    value = app.config["CONSENTKIT_DATABASE_POOLER"]
    if not isinstance(value, str) or value not in _POOLERS:
        raise ConfigurationError(
            "CONSENTKIT_DATABASE_POOLER must be 'yes' (between us and PostgreSQL is a "
            "pooler that hands connections out by transaction), 'no', or 'auto' to "
            f"look at each connection; got {value!r:.40}"
        )
    return _POOLERS[value]
