"""Whether the consents lie in the app's own database: as it says, or as it seems."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from consentkit.errors import ConfigurationError
from consentkit.store.addresses import address_of
from consentkit.store.addresses import is_same

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa
    from flask import Flask

__all__ = ["settle_database"]

_KEY = "CONSENTKIT_DATABASE_URI"


def settle_database(app: Flask, engine: sa.Engine | None) -> bool:
    """Whether the database is the app's own; with an engine, it is that one's.

    Without, it is if the address is one that Flask-SQLAlchemy or Flask-SQLAlchemy-Lite
    is configured with.

    Raises:
        ConfigurationError: the engine cannot be used, or the address is given twice.
    """
    if engine is None:
        uri, folder = app.config.get(_KEY), Path(app.instance_path)
        return isinstance(uri, str) and any(
            is_same(uri, each, folder=folder) for each in _addresses(app)
        )
    if _KEY in app.config:
        raise ConfigurationError(
            f"init_app(app, engine=…) says where the consents are, and so does {_KEY}; "
            "take one of them out"
        )
    app.config[_KEY] = address_of(engine)
    return True


def _addresses(app: Flask) -> Iterator[object]:
    yield app.config.get("SQLALCHEMY_DATABASE_URI")
    for key in ("SQLALCHEMY_BINDS", "SQLALCHEMY_ENGINES"):
        named = app.config.get(key)
        for each in named.values() if isinstance(named, dict) else ():
            yield each.get("url") if isinstance(each, dict) else each
