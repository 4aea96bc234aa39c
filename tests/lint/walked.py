"""A small app that asks about a share, honest or with one trick, on a real port."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from flask import Flask
from flask import redirect
from flask import request
from flask import session
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.wrappers import Response

__all__ = ["answering", "app"]

_HEAD = '<!doctype html><html lang="en"><head><title>Pay</title></head><body>'
_STORY = "<h1>Your week</h1><p>" + "You paid for the bus and for bread. " * 12 + "</p>"
_QUESTION = """<section><p>May Rook Pay Ltd share your payments with Heron Credit Ltd to
work out a score? You can withdraw at any time on <a href="/me">your choices</a>.</p>
{status}<form method="{method}" action="/answer">{boxes}{decline}{accept}</form>
</section>"""
_DECLINE = '<button name="consent" value="no">Do not share</button>'
_ACCEPT = '<button name="consent" value="yes">Share my payments</button>'
_STOP = '<form method="post" action="/stop">{more}<button>Stop sharing</button></form>'


def app(trick: str = "") -> Flask:
    """The app; ``trick`` names the one thing that it does wrong."""
    flask = Flask("pay")
    flask.secret_key = "a secret of the tests"  # noqa: S105  of the tests
    flask.add_url_rule("/", view_func=lambda: _home(trick), endpoint="home")
    flask.add_url_rule("/ask", view_func=lambda: _ask(trick), endpoint="ask")
    flask.add_url_rule("/me", view_func=lambda: _me(trick), endpoint="me")
    flask.add_url_rule("/far", view_func=lambda: _STOP.format(more=""), endpoint="far")
    flask.add_url_rule("/sure", view_func=_sure, endpoint="sure")
    flask.add_url_rule("/report", view_func=lambda: _report(trick), endpoint="report")
    flask.add_url_rule(
        "/answer",
        view_func=lambda: _answer(trick),
        methods=["GET", "POST"],
        endpoint="answer",
    )
    flask.add_url_rule(
        "/stop", view_func=lambda: _stop(trick), methods=["POST"], endpoint="stop"
    )
    return flask


def _home(trick: str) -> str | tuple[str, int]:
    if trick == "wall" and session.get("said") == "no":
        return "Agree first.", 403
    asks = trick == "nag" or (trick == "banner" and not session.get("said"))
    link = "" if trick == "no way back" else '<a href="/me">Your choices</a>'
    ask = '<p><a href="/ask">A question about sharing</a></p>'
    ask += '<form action="/report"><input name="year" value="1"><button>Show</button>'
    ask += "</form>"
    return _HEAD + _STORY + (_question(trick) if asks else ask) + link


def _ask(trick: str) -> str:
    return _HEAD + _question(trick)


def _question(trick: str) -> str:
    on = request.headers.get("Sec-GPC") == "1"
    told = "<p>Opt-out signal honoured.</p>" if on and trick != "deaf" else ""
    box = (
        "<label><input type=checkbox name=also checked> I agree that Rook Pay Ltd "
        "shares my address with Heron Credit Ltd</label>"
    )
    save = "<button>Save my answers</button>" if trick == "untouched" else ""
    return _QUESTION.format(
        status=told,
        method="get" if trick == "get" else "post",
        boxes=(box if trick == "override" else "") + save,
        decline="" if trick == "no no" else _DECLINE,
        accept=_ACCEPT,
    )


def _answer(trick: str) -> Response | str | tuple[str, int]:
    said = request.values.get("consent", "")
    if request.method == "GET" and trick != "get":
        return "Send the form.", 405
    if trick == "sure" and said == "no" and not request.form.get("really"):
        return redirect("/sure")
    if trick == "slow no" and said == "no":
        time.sleep(1.3)
    session["said"] = "yes" if trick == "untouched" and not said else said
    return redirect("/")


def _sure() -> str:
    really = '<input type="hidden" name="really" value="1">'
    form = f'<form method="post" action="/answer">{really}{_DECLINE}{_ACCEPT}</form>'
    return (
        f"{_HEAD}<section><p>Without sharing your payments there is no score.</p>{form}"
    )


def _report(trick: str) -> str:
    """The yearly report, which in 2018 enrolled whoever opened it."""
    if trick == "report" and request.args.get("year"):
        session["said"] = "yes"
    return _HEAD + _STORY


def _me(trick: str) -> str | tuple[str, int]:
    if trick == "dead link":
        return "Gone.", 410
    if session.get("said") != "yes":
        return f"{_HEAD}<p>You share nothing.</p>"
    more = '<input name="why" required>' if trick == "why" else ""
    if trick == "two pages":
        return f'{_HEAD}<a href="/far">Stop sharing</a>'
    return _HEAD + _STOP.format(more=more)


def _stop(trick: str) -> Response:
    session["said"] = "" if trick != "why" or request.form.get("why") else "yes"
    return redirect("/me")


@contextlib.contextmanager
def answering(flask: Flask) -> Iterator[str]:
    """The address at which the app answers, until the end of the block."""
    server = make_server("127.0.0.1", 0, flask)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
