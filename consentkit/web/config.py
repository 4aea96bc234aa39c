"""Every ``CONSENTKIT_*`` key, its default, and the check that it can be used.

All of it is read once, in ``init_app``: a wrong value stops the app from starting and
never surfaces on somebody's first request.
"""

from __future__ import annotations

import difflib
import os
import re
from dataclasses import dataclass
from datetime import UTC
from datetime import date
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Literal

from consentkit.errors import ConfigurationError
from consentkit.service.authorities import Authority
from consentkit.service.cosigners import Cosigner
from consentkit.service.endpoints import Endpoint
from consentkit.service.reasking import Cooldown
from consentkit.service.release import LIFETIME
from consentkit.service.retention import DEFAULT_PERIOD
from consentkit.service.retention import Retention
from consentkit.service.validity import check_validity
from consentkit.web.age_config import read_ages
from consentkit.web.database_config import database_defaults
from consentkit.web.database_config import read_connections
from consentkit.web.database_config import read_replica
from consentkit.web.key_config import read_key_sources
from consentkit.web.key_config import read_production
from consentkit.web.service_tokens import read_service_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping

    from flask import Flask

    from consentkit.core.registry import Registry
    from consentkit.service.ages import Ages
    from consentkit.service.signers import KeySources
    from consentkit.store.connections import Connections
    from consentkit.web.locale import Selector
    from consentkit.web.service_tokens import ServiceTokens

__all__ = ["Config", "read_config"]

_FORM_LIFETIME = 7_200  # seconds; after that the question is shown again, unanswered
_TSA_INTERVAL = 3_600  # seconds; authorities bill by the stamp
_MAX_WITNESSES = 14  # every reader of notes takes 16 lines; two are the log's own keys
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._-]+)+\Z")
_ADDRESS = re.compile(r"(?:/(?![/\\])|https?://[^/])[^\s\\]*\Z")
_HOST = re.compile(r"[A-Za-z0-9.-]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)\Z")


@dataclass(frozen=True, slots=True)
class Config:
    """The checked values of one app.

    ``form_lifetime`` and ``release_lifetime`` are in seconds. ``publish`` says whether
    this process may publish the log from a thread of its own. ``high_water`` is None
    for the place beside the keys. ``log_origin_is_a_guess`` when nobody set it: the
    log that is there already then keeps its own name. ``sign_in_url`` and ``home_url``
    are addresses within the app, or whole ones; empty where there is none. ``gpc`` is
    whether the app says that it heeds Global Privacy Control, None if nobody said, and
    ``gpc_since`` since when.
    """

    url_prefix: str
    database_uri: str
    connections: Connections
    replica_uri: str
    key_folder: Path
    key_sources: KeySources
    production: bool
    log_folder: Path
    high_water: Path | None
    log_origin: str
    log_origin_is_a_guess: bool
    form_lifetime: int
    release_lifetime: int
    publish: bool
    sign_in_url: str
    home_url: str
    locale_selector: Selector
    witnesses: tuple[Cosigner, ...]
    authority: Authority | None
    endpoints: Mapping[str, Endpoint]
    retention: Retention
    cooldown: Cooldown
    ages: Ages
    service_tokens: ServiceTokens
    gpc: bool | None
    gpc_since: date | None


def read_config(app: Flask, registry: Registry) -> Config:
    """The configuration of ``app``, defaults filled in.

    Raises:
        ConfigurationError: a key has a value that cannot be used; it is named.
    """
    home = Path(app.instance_path) / "consentkit"
    defaults: dict[str, object] = {
        "CONSENTKIT_URL_PREFIX": "/consent",
        **database_defaults(home),
        "CONSENTKIT_KEY_FOLDER": str(home / "keys"),
        "CONSENTKIT_COLLECTOR_KEY": "",
        "CONSENTKIT_LOG_KEY": "",
        "CONSENTKIT_SECRET": "",
        "CONSENTKIT_PRODUCTION": None,  # as the environment says
        "CONSENTKIT_LOG_FOLDER": str(home / "logs"),
        "CONSENTKIT_HIGH_WATER": None,
        "CONSENTKIT_LOG_ORIGIN": _origin(registry),
        "CONSENTKIT_FORM_LIFETIME": _FORM_LIFETIME,
        "CONSENTKIT_RELEASE_LIFETIME": LIFETIME,
        "CONSENTKIT_PUBLISH": "thread",
        "CONSENTKIT_SIGN_IN_URL": "",
        "CONSENTKIT_HOME_URL": "/",
        "CONSENTKIT_LOCALE_SELECTOR": None,
        "CONSENTKIT_WITNESSES": (),
        "CONSENTKIT_RETENTION": DEFAULT_PERIOD,
        "CONSENTKIT_PROFILE": "",
        "CONSENTKIT_AGE_OF_CONSENT": None,  # as the profile says
        "CONSENTKIT_UNKNOWN_AGE": "",  # as the app's loaders say
        "CONSENTKIT_REASK_AFTER": "",  # as the profile says
        "CONSENTKIT_GPC": None,  # as the app's views say
        "CONSENTKIT_TSA_URL": "",
        "CONSENTKIT_TSA_ROOT": "",
        "CONSENTKIT_TSA_INTERVAL": _TSA_INTERVAL,
        "CONSENTKIT_NOTIFY": {},
        "CONSENTKIT_NOTIFY_INTERNAL": False,
        "CONSENTKIT_API_TOKENS": (),
    }
    _check_names(app, defaults)
    is_a_guess = "CONSENTKIT_LOG_ORIGIN" not in app.config
    for key, value in defaults.items():
        app.config.setdefault(key, value)
    publish = _publish(app)
    gpc = _gpc(app)
    retention = _retention(app)
    check_validity(registry, app.config["CONSENTKIT_PROFILE"])
    return Config(
        url_prefix=_prefix(app),
        database_uri=_text(app, "CONSENTKIT_DATABASE_URI"),
        connections=read_connections(app),
        replica_uri=read_replica(app),
        key_folder=_folder(app, "CONSENTKIT_KEY_FOLDER"),
        key_sources=read_key_sources(app),
        production=read_production(app),
        # Only who publishes writes there.
        log_folder=_folder(app, "CONSENTKIT_LOG_FOLDER", writable=publish),
        high_water=_high_water(app),
        log_origin=_text(app, "CONSENTKIT_LOG_ORIGIN"),
        log_origin_is_a_guess=is_a_guess,
        form_lifetime=_seconds(app, "CONSENTKIT_FORM_LIFETIME"),
        release_lifetime=_seconds(app, "CONSENTKIT_RELEASE_LIFETIME"),
        publish=publish,
        sign_in_url=_address(app, "CONSENTKIT_SIGN_IN_URL"),
        home_url=_address(app, "CONSENTKIT_HOME_URL"),
        locale_selector=_selector(app),
        witnesses=_witnesses(app),
        authority=_authority(app),
        endpoints=_endpoints(app, registry),
        retention=retention,
        cooldown=_cooldown(app),
        ages=read_ages(app),
        service_tokens=read_service_tokens(app),
        gpc=None if gpc is None else bool(gpc),
        gpc_since=gpc or None,
    )


def _check_names(app: Flask, known: Iterable[str]) -> None:
    """Refuse a misspelt key, which would otherwise be a default in disguise."""
    for key in app.config:
        if key.startswith("CONSENTKIT_") and key not in known:
            meant = difflib.get_close_matches(key, known, n=1)
            raise ConfigurationError(
                f"{key} is no configuration key of consentkit; "
                + (f"did you mean {meant[0]}?" if meant else "take it out")
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


def _text(app: Flask, key: str) -> str:
    value = app.config[key]
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"{key} must be text; got {type(value).__name__}")
    return value


def _address(app: Flask, key: str) -> str:
    value = app.config[key]
    if not isinstance(value, str) or not (value == "" or _ADDRESS.match(value)):
        raise ConfigurationError(
            f"{key} must be a path within the app such as '/account', an address that "
            f"begins with 'https://', or '' for none; got {value!r:.80}"
        )
    return value


def _folder(app: Flask, key: str, *, writable: bool = False) -> Path:
    value = app.config[key]
    if not isinstance(value, (str, os.PathLike)) or not str(value):
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
    if not isinstance(value, (str, os.PathLike)) or not str(value):
        raise ConfigurationError(
            "CONSENTKIT_HIGH_WATER must be the path of a file, or None for the place "
            f"beside the keys; got {value!r:.80}"
        )
    return Path(value)


def _seconds(app: Flask, key: str) -> int:
    value = app.config[key]
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ConfigurationError(
            f"{key} must be a number of seconds; got {value!r:.40}"
        )
    return value


def _publish(app: Flask) -> bool:
    value = app.config["CONSENTKIT_PUBLISH"]
    if value not in ("thread", "command"):
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


def _retention(app: Flask) -> Retention:
    profile = app.config["CONSENTKIT_PROFILE"]
    if not isinstance(profile, str):
        raise ConfigurationError(
            "CONSENTKIT_PROFILE must be the name of a profile, or '' for none; got "
            f"{type(profile).__name__}"
        )
    return Retention(_text(app, "CONSENTKIT_RETENTION"), profile)


def _cooldown(app: Flask) -> Cooldown:
    period = app.config["CONSENTKIT_REASK_AFTER"]
    if not isinstance(period, str):
        raise ConfigurationError(
            "CONSENTKIT_REASK_AFTER must be an ISO 8601 duration such as 'P6M', or '' "
            f"for what the profile says; got {type(period).__name__}"
        )
    return Cooldown(period, app.config["CONSENTKIT_PROFILE"])


def _gpc(app: Flask) -> date | Literal[False] | None:
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


def _witnesses(app: Flask) -> tuple[Cosigner, ...]:
    lines = app.config["CONSENTKIT_WITNESSES"]
    listed = isinstance(lines, (list, tuple)) and len(lines) <= _MAX_WITNESSES
    if not listed or not all(isinstance(each, str) for each in lines):
        raise ConfigurationError(
            "CONSENTKIT_WITNESSES must be a list of at most 14 lines 'VKEY URL', such "
            "as 'witness.example+9dd41e17+BA… https://witness.example'"
        )
    try:
        witnesses = tuple(Cosigner.parse(each) for each in lines)
    except ConfigurationError as error:
        raise ConfigurationError(f"CONSENTKIT_WITNESSES: {error}") from error
    if len({each.name for each in witnesses}) < len(witnesses):
        raise ConfigurationError("CONSENTKIT_WITNESSES names one witness twice")
    return witnesses


def _authority(app: Flask) -> Authority | None:
    url, root = app.config["CONSENTKIT_TSA_URL"], app.config["CONSENTKIT_TSA_ROOT"]
    interval = _seconds(app, "CONSENTKIT_TSA_INTERVAL")
    if url == "" and root == "":
        return None
    if not isinstance(url, str) or not url:
        raise ConfigurationError(
            "CONSENTKIT_TSA_URL must be the address of a time-stamping authority, or "
            f"'' with CONSENTKIT_TSA_ROOT '' as well; got {type(url).__name__}"
        )
    if not isinstance(root, (str, os.PathLike)) or not str(root):
        raise ConfigurationError(
            "CONSENTKIT_TSA_URL needs CONSENTKIT_TSA_ROOT as well, the PEM file with "
            "the authority's root certificate: a time stamp of just anybody proves "
            "nothing"
        )
    try:
        pem = Path(root).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"CONSENTKIT_TSA_ROOT cannot be read: {error.strerror}"
        ) from error
    try:
        return Authority.parse(url, roots=pem, interval=interval * 1000)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"CONSENTKIT_TSA_URL, CONSENTKIT_TSA_ROOT: {error}"
        ) from error


def _endpoints(app: Flask, registry: Registry) -> dict[str, Endpoint]:
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
