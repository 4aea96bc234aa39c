"""The log by the configuration: its name, and who vouches for it beside us."""

from __future__ import annotations

import re
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.service.authorities import Authority
from consentkit.service.cosigners import Cosigner
from consentkit.web.config_values import is_path
from consentkit.web.config_values import read_seconds

if TYPE_CHECKING:
    from flask import Flask

    from consentkit.core.registry import Registry

__all__ = ["log_defaults", "read_authority", "read_publish", "read_witnesses"]

_TSA_INTERVAL = 3_600  # seconds; authorities bill by the stamp
_MAX_WITNESSES = 14  # every reader of notes takes 16 lines; two are the log's own keys
_HOST = re.compile(r"[A-Za-z0-9.-]+@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)\Z")


def log_defaults(registry: Registry) -> dict[str, object]:
    """The keys and their defaults, for the controller that the registry names."""
    return {
        "CONSENTKIT_LOG_ORIGIN": _origin(registry),
        "CONSENTKIT_PUBLISH": "thread",
        "CONSENTKIT_WITNESSES": (),
        "CONSENTKIT_TSA_URL": "",
        "CONSENTKIT_TSA_ROOT": "",
        "CONSENTKIT_TSA_INTERVAL": _TSA_INTERVAL,
    }


def read_publish(app: Flask) -> bool:
    """Whether this process may publish the log from a thread of its own.

    Raises:
        ConfigurationError: it is neither of the two words.
    """
    value = app.config["CONSENTKIT_PUBLISH"]
    if value not in ("thread", "command"):
        raise ConfigurationError(
            "CONSENTKIT_PUBLISH must be 'thread' (each process may publish the log) or "
            "'command' (only 'flask consent publish --follow' does); "
            f"got {value!r:.40}"
        )
    return bool(value == "thread")


def read_witnesses(app: Flask) -> tuple[Cosigner, ...]:
    """Who is asked to cosign the log, in the order of the list.

    Raises:
        ConfigurationError: it is no list of witnesses, or names one twice.
    """
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


def read_authority(app: Flask) -> Authority | None:
    """Who is asked to stamp checkpoints with the time, None if nobody is.

    Raises:
        ConfigurationError: address and root do not make an authority that can be
            believed, or the extra is not installed.
    """
    url, root = app.config["CONSENTKIT_TSA_URL"], app.config["CONSENTKIT_TSA_ROOT"]
    interval = read_seconds(app, "CONSENTKIT_TSA_INTERVAL")
    if url == "" and root == "":
        return None
    if not isinstance(url, str) or not url:
        raise ConfigurationError(
            "CONSENTKIT_TSA_URL must be the address of a time-stamping authority, or "
            f"'' with CONSENTKIT_TSA_ROOT '' as well; got {type(url).__name__}"
        )
    roots = _roots(root)
    try:
        return Authority.parse(url, roots=roots, interval=interval * 1000)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"CONSENTKIT_TSA_URL, CONSENTKIT_TSA_ROOT: {error}"
        ) from error


def _roots(path: object) -> bytes:
    if not is_path(path):
        raise ConfigurationError(
            "CONSENTKIT_TSA_URL needs CONSENTKIT_TSA_ROOT as well, the PEM file with "
            "the authority's root certificate: a time stamp of just anybody proves "
            "nothing"
        )
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"CONSENTKIT_TSA_ROOT cannot be read: {error.strerror}"
        ) from error


def _origin(registry: Registry) -> str:
    """``<host>/consent/<year>``; the log that exists already keeps its own name."""
    controller = registry.controller
    found = _HOST.match(controller.contact)
    host = found[1].lower() if found else controller.id
    return f"{host}/consent/{datetime.now(UTC).year}"
