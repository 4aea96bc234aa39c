"""The wallet behind gunicorn, for tests that kill what it stands on.

Who sends a request is who its header names: there is nobody here to steal a session.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from socket import create_server
from typing import TYPE_CHECKING

from flask import Flask
from flask import request

from consentkit import ConsentKit
from consentkit.web.state import current_state
from tests.declared import CREDIT
from tests.declared import SCORE
from tests.declared import SPENDING
from tests.declared import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.service.installation import Installation

__all__ = ["PERSON", "create_app", "environment", "installation_of", "serve_wallet"]

PERSON = "X-Person"
"""The header that says who is there."""

_FOLDER = "CONSENTKIT_SERVED_FOLDER"
_THREADS = 4
_OUTPUT = "gunicorn.log"


def create_app() -> Flask:
    """The app in the folder that the environment names."""
    app = Flask("wallet", instance_path=os.environ[_FOLDER])
    app.secret_key = "of a test"  # noqa: S105  nobody signs in
    app.config.from_prefixed_env()
    consent = ConsentKit(registry())
    consent.init_app(app)
    consent.subject_loader(lambda: request.headers.get(PERSON))
    consent.role_loader(lambda: {"auditor"})

    @app.get("/may-share")
    def may_share() -> dict[str, object]:
        person = request.headers[PERSON]
        found = consent.check(person, SCORE, recipient=CREDIT, data={SPENDING})
        return {"allowed": bool(found), "reason": found.reason.value}

    @app.post("/score")
    @consent.require(SCORE, recipient=CREDIT, data={SPENDING})
    def score() -> dict[str, int]:
        return {"score": 700}

    return app


def installation_of(folder: Path, uri: str) -> Installation:
    """The same installation in this process, to look at; close it afterwards."""
    app = Flask("wallet", instance_path=str(folder))
    app.secret_key = "of a test"  # noqa: S105  nobody signs in
    app.config["CONSENTKIT_DATABASE_URI"] = uri
    app.config["CONSENTKIT_PUBLISH"] = "command"
    ConsentKit(registry()).init_app(app)
    with app.app_context():
        return current_state().installation


def environment(folder: Path, uri: str) -> dict[str, str]:
    """What the app and its commands are started with."""
    return {
        **os.environ,
        _FOLDER: str(folder),
        "FLASK_APP": "tests.web.served_wallet:create_app()",
        "FLASK_CONSENTKIT_DATABASE_URI": uri,
    }


@contextlib.contextmanager
def serve_wallet(folder: Path, uri: str, *, workers: int = 2) -> Iterator[int]:
    """The port of gunicorn with the app; it ends, in good order, with the block.

    What it has to say is in ``gunicorn.log`` in the folder.
    """
    with contextlib.ExitStack() as stack:
        bound = stack.enter_context(closing(create_server(("127.0.0.1", 0))))
        said = stack.enter_context((folder / _OUTPUT).open("ab"))
        command = (
            *(sys.executable, "-m", "gunicorn", "tests.web.served_wallet:create_app()"),
            *("--workers", str(workers), "--threads", str(_THREADS)),
            *("--bind", f"fd://{bound.fileno()}", "--no-control-socket"),
        )
        server = subprocess.Popen(  # noqa: S603  our own arguments
            command,
            pass_fds=[bound.fileno()],
            env=environment(folder, uri),
            stderr=said,
            cwd=Path(__file__).parents[2],
        )
        stack.enter_context(server)
        stack.callback(server.terminate)
        yield bound.getsockname()[1]
