"""What every page of ours stands in: the locale, the letterhead, the headers."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import quote
from urllib.parse import urlencode

from flask import Response
from flask import current_app
from flask import g
from flask import has_request_context
from flask import make_response
from flask import render_template
from flask import request
from flask import stream_template
from flask import url_for

from consentkit.web.locale import Locale
from consentkit.web.locale import choose_locale
from consentkit.web.locale import negotiate
from consentkit.web.pages import LanguageLink
from consentkit.web.pages import SiteView
from consentkit.web.pages import context
from consentkit.web.pages import problem_view
from consentkit.web.pages import site_view
from consentkit.web.problems import PROBLEM_STATUS
from consentkit.web.state import current_state
from consentkit.web.subject import is_delegate

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator

    from consentkit.web.state import AppState

__all__ = [
    "CHECKING",
    "FRESH",
    "current_locale",
    "host_csrf_token",
    "host_url",
    "in_chunks",
    "keep_language",
    "page",
    "problem_page",
    "protect",
    "protect_widget",
    "script",
    "see_other",
    "site",
    "stream_page",
    "stylesheet",
]

STYLESHEET = "consentkit.css"
CHECKING, FRESH = "receipt.js", "fresh.js"
_LANGUAGE = "lang"
_CHUNK = 16 * 1024  # characters that are sent together

# Our pages need nothing but themselves. The host's own headers win where it sets them.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'; object-src 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def current_locale(state: AppState) -> Locale:
    """The language asked for, else the host's, the browser's, or the default."""
    offered = _offered(state)
    asked = request.args.get(_LANGUAGE, "")
    found = negotiate([asked], offered) if asked else None
    if found:
        return Locale(found)
    return choose_locale(
        offered=offered, default=offered[0], selector=state.config.locale_selector
    )


def _offered(state: AppState) -> tuple[str, ...]:
    """The languages in which both the app's texts and ours are complete.

    What else is declared kept the app from starting.
    """
    return state.installation.registry.locales


def site(state: AppState, locale: Locale) -> SiteView:
    """The letterhead and the way back."""
    _, integrity = stylesheet()
    return site_view(
        state.installation.registry.controller,
        locale,
        home_url=host_url(state.config.home_url),
        centre_url=url_for("consentkit.centre"),
        disclosures_url="" if is_delegate(state) else url_for("consentkit.disclosures"),
        css_url=url_for("consentkit.static", filename=STYLESHEET),
        css_integrity=integrity,
        fresh=script(FRESH),
        languages=_languages(state, locale),
    )


def _languages(state: AppState, locale: Locale) -> tuple[LanguageLink, ...]:
    # A page that answers a form cannot be asked for again by a link.
    if request.method != "GET" or len(_offered(state)) == 1:
        return ()
    # By hand: ``url_for`` would take ``_scheme`` and the like from the query.
    here = quote(request.script_root + request.path)
    asked = request.args.to_dict()
    return tuple(
        LanguageLink(
            code=tag,
            name=Locale(tag).name,
            url=f"{here}?{urlencode({**asked, _LANGUAGE: tag})}",
            current=tag == locale.code,
        )
        for tag in _offered(state)
    )


def keep_language(endpoint: str, values: dict[str, Any]) -> None:
    """Keep the language that the person chose in every address of ours on the page.

    Else a question read in one language would be answered in another (R113).
    """
    asked = request.args.get(_LANGUAGE, "") if has_request_context() else ""
    if asked and not endpoint.endswith(".static"):
        # The tag that was found, never the text that was sent: an address stands in
        # notices, and anybody could make a new one with each made-up language.
        found = negotiate([asked], _offered(current_state()))
        values.setdefault(_LANGUAGE, found)


def host_url(address: str, *, back: str = "") -> str:
    """A configured address of the app, wherever the app is mounted.

    ``{next}`` in it becomes the way back: to ``back``, a path with its query, or to the
    page that is shown now.
    """
    address = address.replace("{next}", quote(back or _here(), safe=""))
    return request.script_root + address if address.startswith("/") else address


def _here() -> str:
    """The page that is shown now, in its language; the app's first after a form."""
    here = request.script_root + request.path if request.method == "GET" else "/"
    language = negotiate([request.args.get(_LANGUAGE, "")], _offered(current_state()))
    return here + (f"?{_LANGUAGE}={language}" if language and here != "/" else "")


def stylesheet() -> tuple[bytes, str]:
    """Our style sheet and its integrity value."""
    return _static_file(STYLESHEET)


def script(name: str) -> tuple[str, str]:
    """The address and the integrity value of a script of ours, by its file's name."""
    address = url_for("consentkit.static", filename=name)
    return address, _static_file(name)[1]


@functools.cache
def _static_file(name: str) -> tuple[bytes, str]:
    """One of our files with its integrity value (W3C Subresource Integrity)."""
    data = (Path(__file__).with_name("static") / name).read_bytes()
    digest = base64.b64encode(hashlib.sha384(data).digest()).decode()
    return data, f"sha384-{digest}"


def host_csrf_token() -> str:
    """The token that the host's own CSRF protection wants to see, if it has one."""
    make = current_app.jinja_env.globals.get("csrf_token")
    return str(make()) if callable(make) else ""


def page(template: str, view: object, *, status: int = 200, **more: Any) -> Response:
    """One of our pages, whole."""
    state = current_state()
    locale = current_locale(state)
    values = context(view, site=site(state, locale), locale=locale, **more)
    html = render_template(f"consentkit/{template}", **values)
    html = state.overrides.judge(f"consentkit/{template}", values, html)
    response = make_response(html, status)
    response.headers["Content-Language"] = locale.code
    return response


def see_other(address: str) -> Response:
    """On to a page of ours, after a form (RFC 9110 §15.4.4).

    Loading that page again, or coming back to it, sends no form a second time.
    """
    return Response(status=303, headers={"Location": address})


def stream_page(template: str, view: object) -> Response:
    """One of our pages, sent as it is made: for what grows with the years.

    What fails on the way ends the page where it stands; look up beforehand what can
    be looked up.
    """
    state = current_state()
    locale = current_locale(state)
    parts = stream_template(
        f"consentkit/{template}",
        **context(view, site=site(state, locale), locale=locale),
    )
    response = Response(in_chunks(parts), content_type="text/html; charset=utf-8")
    response.headers["Content-Language"] = locale.code
    return response


def in_chunks(pieces: Iterable[str]) -> Iterator[str]:
    """The same in fewer and larger pieces: each is a write to the network."""
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _CHUNK:
            yield "".join(waiting)
            waiting, size = [], 0
    yield "".join(waiting)


def problem_page(code: str, *, ask_url: str = "") -> Response:
    """The page that says why something did not work, and what to do now.

    ``ask_url`` leads to the question; where they have to sign in, after that.
    """
    state = current_state()
    status = PROBLEM_STATUS.get(code, 422)
    sign_in = state.config.sign_in_url if code == "sign-in" else ""
    unsaved = code == "sign-in" and request.method == "POST"
    back = ask_url or (url_for("consentkit.centre") if unsaved else "")
    view = problem_view(
        code,
        current_locale(state),
        status=status,
        sign_in_url=host_url(sign_in, back=back),
        ask_url="" if sign_in else ask_url,
        unsaved=unsaved,
    )
    return page("problem.html", view, status=status)


def protect(response: Response) -> Response:
    """Our headers on our own pages, where the host has not set its own."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def protect_widget(response: Response) -> Response:
    """A host page with a question in it is personal, and must not be framed.

    A framed question is a forged answer (CCPA regulations §7004(c)).
    """
    if g.get("consentkit_widget"):
        response.headers.setdefault("X-Frame-Options", "DENY")
        response.headers.setdefault("Cache-Control", "no-store")
    return response
