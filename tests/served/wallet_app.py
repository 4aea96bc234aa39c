"""The wallet's app as a server loads it: ``tests.service.wallet`` finds all it left.

Who is here, a header says. A file named ``stall`` in its folder holds a publisher up in
the middle of its transaction; who that is then stands in ``stalled``.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from flask import request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from consentkit import ConsentKit
from consentkit.service import background
from consentkit.service.high_water import HighWater
from tests.declared import registry
from tests.service.wallet import ORIGIN

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FOLDER",
    "LOADED",
    "PERSON",
    "STALL",
    "STALLED",
    "TOKEN",
    "create_app",
    "create_two",
]

FOLDER = "CONSENTKIT_SERVED_FOLDER"
"""The variable that names the folder."""

PERSON = "X-Person"
"""The header that names who is signed in."""

TOKEN = "of-a-service-" * 3
"""With which a service may ask the gate."""

LOADED = "the app is loaded by"
"""What it prints then."""

STALL, STALLED = "stall", "stalled"
_SECOND = "second"


def create_app() -> Flask:
    """The app of the folder that the variable names."""
    folder = Path(os.environ[FOLDER])
    _may_stall(folder)
    return _app(folder)


def create_two() -> DispatcherMiddleware:
    """Two apps in one process, with nothing in common; one lies below ``/second``."""
    folder = Path(os.environ[FOLDER])
    return DispatcherMiddleware(
        _app(folder), {f"/{_SECOND}": _app(folder / _SECOND).wsgi_app}
    )


def _app(folder: Path) -> Flask:
    app = Flask("served", instance_path=str(folder))
    app.config.update(
        SECRET_KEY="of the tests",  # noqa: S106  nobody signs in
        CONSENTKIT_DATABASE_URI=f"sqlite:///{folder / 'consent.sqlite3'}",
        CONSENTKIT_KEY_FOLDER=str(folder / "keys"),
        CONSENTKIT_LOG_FOLDER=str(folder / "logs"),
        CONSENTKIT_LOG_ORIGIN=ORIGIN,
        CONSENTKIT_API_TOKENS=[TOKEN],
    )
    app.config.from_prefixed_env()
    if "REST" in app.config:  # seconds between two publications, in place of one
        background._INTERVAL = app.config["REST"]
    consent = ConsentKit(registry())
    consent.init_app(app)
    consent.subject_loader(lambda: request.headers.get(PERSON))
    app.add_url_rule("/hello", view_func=lambda: {"hello": "world"})
    app.add_url_rule("/inside", view_func=_inside)
    app.add_url_rule("/slow", view_func=_slow)
    sys.stdout.write(f"{LOADED} {os.getpid()}\n")
    sys.stdout.flush()
    return app


def _inside() -> Mapping[str, object]:
    names = [each.name for each in threading.enumerate()]
    ours = [name for name in names if name.startswith("consentkit-")]
    return {"process": os.getpid(), "threads": sorted(ours)}


def _slow() -> Mapping[str, object]:
    time.sleep(1)
    return _inside()


def _may_stall(folder: Path) -> None:
    write = HighWater.write

    def stalling(self: HighWater, note: bytes) -> None:
        if (folder / STALL).exists():
            (folder / STALLED).write_text(str(os.getpid()))
        while (folder / STALL).exists():
            time.sleep(0.01)
        write(self, note)

    HighWater.write = stalling  # type: ignore[method-assign]  a process of its own
