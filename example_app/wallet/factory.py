"""Puts the wallet together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from flask import render_template
from sqlalchemy import create_engine

from example_app.headers import send_security_headers
from example_app.options import instance_folder
from example_app.wallet import book
from example_app.wallet import pages
from example_app.wallet import services
from example_app.wallet import signing_in
from example_app.wallet.consent import consent
from example_app.wallet.forms import form_token
from example_app.wallet.payment import KINDS
from example_app.wallet.payment import format_amount
from example_app.wallet.payment import format_change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.exceptions import HTTPException

__all__ = ["create_app"]


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """The wallet, on the files of its instance folder.

    Without ``config`` the runner's ``config.json`` there is read; it holds the session
    key, the addresses of the two recipients and what they know the wallet by.

    Raises:
        FileNotFoundError: there is neither; run ``python -m example_app`` once.
    """
    given = dict(config or {})
    folder = Path(str(given.get("WALLET_INSTANCE", instance_folder() / "wallet")))
    folder.mkdir(parents=True, exist_ok=True)
    app = Flask(__name__, instance_path=str(folder), instance_relative_config=True)
    app.config.update(
        CONSENTKIT_GPC="2026-11-22",  # since then every share goes through the gate
        CONSENTKIT_SIGN_IN_URL="/sign-in?next={next}",
        SESSION_COOKIE_NAME="wallet_session",
        SESSION_COOKIE_SAMESITE="Lax",
        WALLET_DATABASE_URI=f"sqlite:///{folder / 'wallet.db'}",
    )
    if config is None:
        app.config.from_file("config.json", json.load)
    app.config.update(given)
    app.extensions[book.EXTENSION] = create_engine(app.config["WALLET_DATABASE_URI"])
    _add_pages(app)
    consent.init_app(app)
    return app


def _add_pages(app: Flask) -> None:
    for blueprint in (pages.blueprint, services.blueprint, signing_in.blueprint):
        app.register_blueprint(blueprint)
    app.add_template_global(form_token)
    app.add_template_global(signing_in.current_account)
    app.jinja_env.globals["KINDS"] = KINDS
    app.add_template_filter(format_amount, "amount")
    app.add_template_filter(format_change, "change")
    send_security_headers(app)
    for code in (400, 403, 404, 405):
        app.register_error_handler(code, _say_error)


def _say_error(error: HTTPException) -> tuple[str, int]:
    code = error.code or 500
    return render_template("wallet/error.html", code=code), code
