"""A small app with every kind of question, served from this process.

The example app asks two single questions. This one asks several at once as well, and
one about another country; it has questions inside pages of its own, and its clock can
be moved, since it is this process's.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from flask import render_template_string
from flask import session
from werkzeug.serving import WSGIRequestHandler
from werkzeug.serving import make_server

from consentkit.web.locale import available_locales
from tests import declared
from tests.web.hosts import Host
from tests.web.hosts import host

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask
    from playwright.sync_api import Browser
    from playwright.sync_api import Page

__all__ = ["QUESTIONS", "Shop", "add_doors", "serve_shop"]

QUESTIONS = {
    "one question": "credit-score",
    "several questions": "shop-offers",
    "a pair about another country": "night-help",
}

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Shop</title>{{ consent_head() }}</head>
<body><header><a href="/">Shop</a></header><main><h1>Today</h1>
{{ consent_widget(purpose) }}</main>
<footer>{{ consent_centre_link() }}</footer></body></html>"""


class _Quiet(WSGIRequestHandler):
    """Prints no line for a request: a failing test has enough to say."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@dataclass(frozen=True)
class Shop:
    """The app, and where it is."""

    url: str
    host: Host

    @contextlib.contextmanager
    def visit(
        self, browser: Browser, person: str = "", **options: Any
    ) -> Iterator[Page]:
        """A page in a browser of its own, in which ``person`` is signed in."""
        context = browser.new_context(base_url=self.url, **options)
        try:
            page = context.new_page()
            if person:
                self.sign_in(page, person)
            yield page
        finally:
            context.close()

    def sign_in(self, page: Page, person: str) -> None:
        """Sign in as somebody, whoever was signed in before."""
        page.request.get(f"{self.url}/sign-in/{person}")

    def sign_out(self, page: Page) -> None:
        page.request.get(f"{self.url}/sign-out")

    def forget(self, person: str) -> None:
        """Make somebody new again, so that a test finds them with no answers."""
        with self.host.app.app_context():
            self.host.consent.erase(person, reason="test")


@contextlib.contextmanager
def serve_shop(folder: Path) -> Iterator[Shop]:
    """The app, answering at an address of its own until the end."""
    made = host(
        folder,
        registry=declared.registry(locales=available_locales()),
        after=add_doors,
        CONSENTKIT_SIGN_IN_URL="/sign-in/maya",
    )
    server = make_server(
        *("127.0.0.1", 0, made.app), threaded=True, request_handler=_Quiet
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Shop(f"http://127.0.0.1:{server.port}", made)
    finally:
        server.shutdown()
        thread.join()


def add_doors(app: Flask) -> None:
    """Ways in and out, and a page of the app with a question in it."""

    @app.get("/sign-in/<person>")
    def sign_in(person: str) -> str:
        session["person"] = person
        return "signed in"

    @app.get("/sign-out")
    def sign_out() -> str:
        session.clear()
        return "signed out"

    @app.get("/today/<purpose>")
    def today(purpose: str) -> str:
        return render_template_string(_PAGE, purpose=purpose)
