"""Where a database is: of an engine, and whether two addresses are of the same one."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from consentkit.errors import ConfigurationError

__all__ = ["address_of", "format_url", "is_same", "parse_url", "shown"]

_Place: TypeAlias = tuple[object, ...]
_PORT = 5432
# SQLAlchemy 2.1 reads and writes the name of a database percent-encoded, 2.0 as it is.
_IS_ENCODED = make_url("sqlite:///%25").database == "%"


def parse_url(uri: str) -> sa.URL:
    """The URL, with the name of its database decoded, whichever SQLAlchemy reads it.

    Raises:
        sqlalchemy.exc.ArgumentError: it is no URL.
    """
    try:
        url = make_url(uri)
    except ValueError:  # a port that is no number; the text of the error repeats it
        raise sa.exc.ArgumentError("this is no URL") from None
    if _IS_ENCODED or url.database is None:
        return url
    return url.set(database=unquote(url.database))


def format_url(url: sa.URL) -> str:
    """What ``parse_url`` reads as this URL, its password included."""
    if not _IS_ENCODED and url.database is not None:
        url = url.set(database=quote(url.database))
    return url.render_as_string(hide_password=False)


def shown(url: sa.URL) -> str:
    """The URL for an error: without its password, and what may hold one as well."""
    return url.set(query={}).render_as_string(hide_password=True)


def address_of(engine: object) -> str:
    """The URL of the engine's database, its password included.

    Only that is taken of an engine: its pool, its events and its connections are the
    app's. What it passes to the driver by other ways than the URL is not known here.

    Raises:
        ConfigurationError: it is no engine, or not of a database that can be shared.
    """
    if not isinstance(engine, sa.Engine):
        raise ConfigurationError(
            "init_app(app, engine=…) takes a sqlalchemy.Engine, of an asynchronous one "
            f"its sync_engine; got {type(engine).__name__}"
        )
    url = engine.url
    backend = url.get_backend_name()
    name = url.database or ""
    if backend == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    elif backend != "sqlite" or name.startswith("file:") or name in ("", ":memory:"):
        raise ConfigurationError(
            "init_app(app, engine=…) takes an engine for PostgreSQL or for an SQLite "
            "file; a database in memory is another one for each connection, and "
            f"consentkit has its own; got {shown(url)!r}"
        )
    else:
        url = url.set(drivername="sqlite", database=str(Path(name).resolve()))
    return format_url(url)


def is_same(one: str, other: object, *, folder: Path) -> bool:
    """Whether both are of one database; ``other`` may be anything.

    A relative path is meant from here in ``one``, from ``folder`` in ``other``.
    """
    if not isinstance(other, (str, sa.URL)):
        return False
    try:
        return _place(parse_url(one), Path()) == _place(make_url(other), folder)
    except (sa.exc.ArgumentError, ValueError):
        return False  # whose ever address this is, they will hear of it


def _place(url: sa.URL, folder: Path) -> _Place:
    backend = url.get_backend_name()
    if backend == "sqlite":
        return backend, (folder / (url.database or "")).resolve()
    host = url.host or url.query.get("host", "")
    return backend, host, url.port or _PORT, url.database or url.username
