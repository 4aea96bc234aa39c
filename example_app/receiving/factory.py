"""Puts a company together that takes data from the wallet and shows what it took."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from flask import Flask
from flask import abort
from flask import jsonify
from flask import render_template
from flask import request
from marshmallow import ValidationError
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from consentkit.audit import RELEASE_HEADER
from example_app.headers import send_security_headers
from example_app.options import instance_folder
from example_app.receiving.inbox import Inbox
from example_app.receiving.releases import check_content
from example_app.receiving.releases import check_release

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue
    from marshmallow import Schema
    from werkzeug.exceptions import HTTPException

__all__ = ["Identity", "create_recipient"]

_LARGEST = 1_048_576  # bytes; a year of one person's payments is about 30 kilobytes

Answer = tuple[dict[str, Any], str]
"""What to send back, and the line about it in the inbox."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Which company this is: its folder, its names, and what it is to the wallet.

    One with a ``recipient``, its id with the wallet, takes nothing without proof.
    """

    folder: str
    name: str
    short_name: str
    relation: str
    recipient: str = ""


def create_recipient(
    identity: Identity,
    *,
    path: str,
    schema: Schema,
    answer: Callable[[Mapping[str, Any]], Answer],
    config: Mapping[str, object] | None = None,
) -> Flask:
    """An app that takes JSON of ``schema`` at ``path`` and answers with ``answer``.

    Without ``config`` the runner's ``config.json`` in the instance folder is read.

    Raises:
        FileNotFoundError: there is neither; run ``python -m example_app`` once.
    """
    app = _flask(identity, config)
    inbox = Inbox(app.config["RECIPIENT_DATABASE_URI"])
    _add_views(app, identity, inbox)
    _add_events(app, inbox)

    @app.post(path)
    def take() -> ResponseReturnValue:
        _check_token(app.config["RECIPIENT_TOKEN"])
        content = request.get_json()
        release = check_release(identity.recipient) if identity.recipient else None
        try:
            given: dict[str, Any] = schema.load(content)
        except ValidationError as error:
            return {"error": "not what we take", "fields": error.messages}, 422
        if release is not None:
            check_content(given, release)
            if not inbox.keep_proof(
                release.disclosure, request.headers[RELEASE_HEADER]
            ):
                return {"error": "this proof came before"}, 409
        reply, line = answer(given)
        inbox.keep(content, answer=line)
        return reply, 201

    return app


def _flask(identity: Identity, config: Mapping[str, object] | None) -> Flask:
    given = dict(config or {})
    default = instance_folder() / identity.folder
    folder = Path(str(given.get("RECIPIENT_INSTANCE", default)))
    folder.mkdir(parents=True, exist_ok=True)
    app = Flask(__name__, instance_path=str(folder), instance_relative_config=True)
    app.config.update(
        MAX_CONTENT_LENGTH=_LARGEST,
        RECIPIENT_DATABASE_URI=f"sqlite:///{folder / 'received.db'}",
    )
    if config is None:
        app.config.from_file("config.json", json.load)
    app.config.update(given)
    send_security_headers(app)
    for code in (400, 401, 404, 405, 413, 415):
        app.register_error_handler(code, _say_error)
    return app


def _add_views(app: Flask, identity: Identity, inbox: Inbox) -> None:
    app.jinja_env.globals["identity"] = identity

    @app.get("/")
    def show() -> ResponseReturnValue:
        return render_template(
            "receiving/inbox.html",
            received=inbox.latest(),
            forgotten=inbox.forgotten(),
        )

    @app.get("/received/<int:number>")
    def show_one(number: int) -> ResponseReturnValue:
        found = inbox.find(number)
        if found is None:
            abort(404)
        text = json.dumps(found.content, indent=2, ensure_ascii=False)
        return render_template("receiving/request.html", received=found, text=text)

    @app.get("/received.json")
    def list_all() -> ResponseReturnValue:
        return jsonify([each.content for each in inbox.latest()])

    @app.get("/proofs.json")
    def list_proofs() -> ResponseReturnValue:
        return jsonify(inbox.proofs())

    @app.get("/up")
    def up() -> ResponseReturnValue:
        return "up\n", {"Content-Type": "text/plain; charset=utf-8"}


def _add_events(app: Flask, inbox: Inbox) -> None:
    @app.post("/consent-events")
    def hear() -> ResponseReturnValue:
        """Delete what came under a consent that has ended; any 2xx acknowledges.

        Of a consent that holds for less data now, all goes as well: what it still
        covers, the wallet sends again when it is needed.
        """
        told = _open(app.config["RECIPIENT_SECRET"])["data"]
        over = (*told.get("ended", ()), *told.get("narrowed", ()))
        inbox.forget({each["record"] for each in over})
        return "", 204


def _open(secret: str) -> dict[str, Any]:
    """The message, if the wallet signed it within the last five minutes.

    A copy sent again in that time only deletes what is gone already.
    """
    try:
        told: dict[str, Any] = Webhook(secret).verify(
            request.get_data(), dict(request.headers)
        )
    except (WebhookVerificationError, ValueError):  # its header may be no header
        abort(401)
    return told


def _check_token(expected: str) -> None:
    given = request.authorization
    token = given.token if given and given.type == "bearer" else None
    if not compare_digest((token or "").encode(), expected.encode()):
        abort(401)


def _say_error(error: HTTPException) -> ResponseReturnValue:
    return {"error": error.name}, error.code or 500
