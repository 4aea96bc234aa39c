"""Every ``CONSENTKIT_*`` key, its default, and the check that it can be used.

All of it is read once, in ``init_app``: a wrong value stops the app from starting and
never surfaces on somebody's first request. What belongs together is in one module, such
as ``log_config``: its keys with their defaults, and who reads them.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Literal

from consentkit.errors import ConfigurationError
from consentkit.service.validity import check_validity
from consentkit.web.age_config import age_defaults
from consentkit.web.age_config import read_ages
from consentkit.web.config_values import read_seconds
from consentkit.web.config_values import read_text
from consentkit.web.delivery_config import delivery_defaults
from consentkit.web.delivery_config import read_endpoints
from consentkit.web.key_config import read_production
from consentkit.web.log_config import log_defaults
from consentkit.web.log_config import read_authority
from consentkit.web.log_config import read_publish
from consentkit.web.log_config import read_witnesses
from consentkit.web.page_config import page_defaults
from consentkit.web.page_config import read_address
from consentkit.web.page_config import read_locale_selector
from consentkit.web.page_config import read_prefix
from consentkit.web.places_config import place_defaults
from consentkit.web.places_config import read_places
from consentkit.web.rule_config import read_cooldown
from consentkit.web.rule_config import read_gpc
from consentkit.web.rule_config import read_retention
from consentkit.web.rule_config import rule_defaults
from consentkit.web.service_tokens import read_service_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping
    from datetime import date

    from flask import Flask

    from consentkit.core.registry import Registry
    from consentkit.service.ages import Ages
    from consentkit.service.authorities import Authority
    from consentkit.service.cosigners import Cosigner
    from consentkit.service.endpoints import Endpoint
    from consentkit.service.reasking import Cooldown
    from consentkit.service.retention import Retention
    from consentkit.service.starting import Places
    from consentkit.web.locale import Selector
    from consentkit.web.service_tokens import ServiceTokens

__all__ = ["Config", "read_config"]


@dataclass(frozen=True, slots=True)
class Config:
    """The checked values of one app.

    ``form_lifetime`` and ``release_lifetime`` are in seconds. ``publish`` says whether
    this process may publish the log from a thread of its own.
    ``log_origin_is_a_guess`` when nobody set it: the log that is there already then
    keeps its own name. ``sign_in_url`` and ``home_url`` are addresses within the app,
    or whole ones; empty where there is none. ``gpc`` is since when the app says that it
    heeds Global Privacy Control, False where it says that it does not, None if nobody
    said.
    """

    url_prefix: str
    places: Places
    production: bool
    log_origin: str
    log_origin_is_a_guess: bool
    publish: bool
    witnesses: tuple[Cosigner, ...]
    authority: Authority | None
    form_lifetime: int
    release_lifetime: int
    sign_in_url: str
    home_url: str
    locale_selector: Selector
    endpoints: Mapping[str, Endpoint]
    retention: Retention
    cooldown: Cooldown
    ages: Ages
    gpc: date | Literal[False] | None
    service_tokens: ServiceTokens


def read_config(app: Flask, registry: Registry) -> Config:
    """The configuration of ``app``, defaults filled in.

    Raises:
        ConfigurationError: a key has a value that cannot be used; it is named.
    """
    defaults = _defaults(app, registry)
    _check_names(app, defaults)
    is_a_guess = "CONSENTKIT_LOG_ORIGIN" not in app.config
    for key, value in defaults.items():
        app.config.setdefault(key, value)
    publish = read_publish(app)
    retention = read_retention(app)
    check_validity(registry, app.config["CONSENTKIT_PROFILE"])
    return Config(
        url_prefix=read_prefix(app),
        places=read_places(app, publishes=publish),
        production=read_production(app),
        log_origin=read_text(app, "CONSENTKIT_LOG_ORIGIN"),
        log_origin_is_a_guess=is_a_guess,
        publish=publish,
        witnesses=read_witnesses(app),
        authority=read_authority(app),
        form_lifetime=read_seconds(app, "CONSENTKIT_FORM_LIFETIME"),
        release_lifetime=read_seconds(app, "CONSENTKIT_RELEASE_LIFETIME"),
        sign_in_url=read_address(app, "CONSENTKIT_SIGN_IN_URL"),
        home_url=read_address(app, "CONSENTKIT_HOME_URL"),
        locale_selector=read_locale_selector(app),
        endpoints=read_endpoints(app, registry),
        retention=retention,
        cooldown=read_cooldown(app),
        ages=read_ages(app),
        gpc=read_gpc(app),
        service_tokens=read_service_tokens(app),
    )


def _defaults(app: Flask, registry: Registry) -> dict[str, object]:
    return {
        **page_defaults(),
        **place_defaults(Path(app.instance_path) / "consentkit"),
        **log_defaults(registry),
        **rule_defaults(),
        **age_defaults(),
        **delivery_defaults(),
        "CONSENTKIT_API_TOKENS": (),
    }


def _check_names(app: Flask, known: Iterable[str]) -> None:
    """Refuse a misspelt key, which would otherwise be a default in disguise."""
    for key in app.config:
        if key.startswith("CONSENTKIT_") and key not in known:
            meant = difflib.get_close_matches(key, known, n=1)
            raise ConfigurationError(
                f"{key} is no configuration key of consentkit; "
                + (f"did you mean {meant[0]}?" if meant else "take it out")
            )
