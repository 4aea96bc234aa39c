"""Who is here: people by a password form, the auditor by HTTP Basic."""

from __future__ import annotations

import hashlib
from functools import wraps
from hmac import compare_digest
from typing import TYPE_CHECKING
from typing import ParamSpec
from urllib.parse import quote

from flask import Blueprint
from flask import Response
from flask import current_app
from flask import g
from flask import redirect
from flask import render_template
from flask import request
from flask import session
from flask import url_for
from werkzeug.security import check_password_hash
from werkzeug.security import generate_password_hash

from example_app.wallet import book
from example_app.wallet.forms import form_token
from example_app.wallet.forms import refuse_foreign_posts

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue

__all__ = [
    "blueprint",
    "current_account",
    "current_person",
    "digest_of",
    "is_auditor",
    "signed_in",
]

blueprint = Blueprint("signing_in", __name__)
blueprint.before_request(refuse_foreign_posts)

_PERSON = "person_id"
_AUDITOR = "auditor"
_LONGEST = 200  # no address and no password is longer; scrypt is not fed books

# Checked when the address is unknown, so that both answers take equally long.
_NOBODY = generate_password_hash("nobody has this password")

P = ParamSpec("P")


def current_account() -> book.Account | None:
    """The account that this request is signed in to, read once a request."""
    if "account" not in g:
        person_id = session.get(_PERSON)
        g.account = book.find_account(person_id) if person_id else None
    account: book.Account | None = g.account
    return account


def current_person() -> book.Account:
    """The account in a view that only people who are signed in reach.

    Raises:
        LookupError: nobody is; the view lacks ``@signed_in``.
    """
    account = current_account()
    if account is None:
        raise LookupError("nobody is signed in; put @signed_in on this view")
    return account


def signed_in(
    view: Callable[P, ResponseReturnValue],
) -> Callable[P, ResponseReturnValue]:
    """The view for people who are signed in; others are asked to sign in first."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if current_account() is None:
            back = request.full_path.rstrip("?") if request.method == "GET" else "/"
            return redirect(url_for("signing_in.ask", next=back))
        return view(*args, **kwargs)

    return guarded


@blueprint.get("/sign-in")
def ask() -> ResponseReturnValue:
    if current_account() is not None:
        return redirect(_local(request.args.get("next", "")))
    return _form()


@blueprint.post("/sign-in")
def sign_in() -> ResponseReturnValue:
    email = request.form.get("email", "")[:_LONGEST].strip().lower()
    password = request.form.get("password", "")[:_LONGEST]
    person_id, known = book.find_sign_in(email) or ("", _NOBODY)
    if not check_password_hash(known, password) or not person_id:
        return _form(email=email, refused=True), 401
    # A new session: nothing that was known before the sign-in holds after it.
    session.clear()
    session[_PERSON] = person_id
    form_token()
    return redirect(_local(request.form.get("next", "")))


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    session.clear()
    return redirect(url_for("pages.start"))


@blueprint.get("/auditor")
def auditor() -> ResponseReturnValue:
    """Ask the browser for the auditor's password, then go to the signed log."""
    if is_auditor():
        prefix = current_app.config.get("CONSENTKIT_URL_PREFIX", "/consent")
        return redirect(f"{prefix}/log/checkpoint")
    challenge = {"WWW-Authenticate": 'Basic realm="Wallet auditor", charset="UTF-8"'}
    return Response("The auditor's name and password, please.\n", 401, challenge)


def is_auditor() -> bool:
    """True if the request carries the auditor's name and password."""
    given = request.authorization
    if given is None or given.type != "basic" or given.username != _AUDITOR:
        return False
    expected = current_app.config["WALLET_AUDITOR_DIGEST"]
    return compare_digest(digest_of(given.password or ""), expected)


def digest_of(password: str) -> str:
    """The stored form of the auditor's password.

    A plain hash is enough, because the runner draws it from 128 random bits: there is
    nothing to guess, and an auditor's tool sends it with each of many requests.
    """
    return hashlib.sha256(password.encode()).hexdigest()


def _form(*, email: str = "", refused: bool = False) -> str:
    back = _local(request.values.get("next", ""))
    return render_template(
        "wallet/sign_in.html", email=email, refused=refused, back=back
    )


def _local(path: str) -> str:
    r"""The path if it is one of ours, else the start page.

    ``//host`` and ``/\host`` are other sites to a browser; control characters it
    drops before it looks.
    """
    if not path.startswith("/") or path.startswith(("//", "/\\")):
        return url_for("pages.start")
    if any(each <= " " for each in path):
        return url_for("pages.start")
    return quote(path, safe="/?&=%-._~")
