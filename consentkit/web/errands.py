"""What somebody wanted when a gate sent them to a question, and the way back there.

It travels in the address, sealed: no path, no category and no person can be read from
it, and nobody but the app can make one, so that it leads to no foreign site. It is good
for one person. What it says never changes what is asked or stored, and one that cannot
be read is as good as none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote
from urllib.parse import urlsplit

from flask import request
from flask import url_for

from consentkit.core.act import Assurance
from consentkit.core.decision import ShareRequest
from consentkit.service.checking import check
from consentkit.service.lacking import lacking
from consentkit.web import frame
from consentkit.web.answers import data_titles
from consentkit.web.gpc import is_signalled_for
from consentkit.web.locale import mark
from consentkit.web.subject import bearer
from consentkit.web.tokens import Errand

if TYPE_CHECKING:
    from markupsafe import Markup

    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = [
    "LeftOut",
    "carried",
    "errand_to",
    "left_out",
    "sent_from_here",
    "wanted_line",
    "way_on",
]

_LEFT_OUT = mark(
    "What you wanted to do also needs: {data}. You left it out of your yes to "
    "{recipient}."
)
_LEFT_OUT_ABROAD = mark(
    "What you wanted to do also needs: {data}. It takes a yes to {recipient} and a yes "
    "to sending it abroad. You left it out of one of them, or of both."
)
_SHARES = mark(
    "What you wanted to do shares data with {recipient}. You decide whether that "
    "happens."
)
_USES = mark(
    "What you wanted to do uses data about you. You decide whether that happens."
)

_LONGEST = 600  # characters of a path of the app's; a longer one is not kept
_PATH = "/:@!$&'()*+,;=~-._"  # besides letters and digits (RFC 3986 §3.3)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What stands between a yes and what the person wanted, and the way back."""

    told: Markup
    back_url: str


def errand_to(state: AppState, wanted: ShareRequest) -> str:
    """The address of the question for somebody whom a gate just refused."""
    here, came_from = _here(), _came_from()
    # The gated page itself is no way back from its gate.
    back = "" if came_from == here else came_from
    errand = Errand(
        purpose=wanted.purpose,
        recipient=wanted.recipient,
        data=_data(state, wanted),
        assurance=wanted.min_assurance.value,
        back=back,
        # What was sent with a form is not sent again: it begins where they came from.
        onward=here or back,
    )
    token = state.tokens.issue_errand(bearer(state, wanted.subject), errand)
    return url_for("consentkit.ask", purpose=wanted.purpose, errand=token)


def sent_from_here(state: AppState, subject: str, purpose: str) -> str | None:
    """The errand of somebody who answers in a page of the app's: back to that page."""
    here = _here()
    if not here:
        return None
    errand = Errand(purpose=purpose, back=here, onward=here)
    return state.tokens.issue_errand(bearer(state, subject), errand)


def carried() -> str | None:
    """The errand of this request as it was sent, for the next address."""
    return request.args.get("errand") or None


def left_out(
    state: AppState, subject: str | None, purpose: str, locale: Locale
) -> LeftOut | None:
    """What the person wanted and did not include in their yes; None if nothing."""
    errand, registry = _errand(state, subject), state.installation.registry
    if subject is None or errand is None or errand.purpose != purpose:
        return None
    lacks = lacking(state.installation, _wanted(subject, errand))
    question = registry.question(errand.purpose, errand.recipient)
    if question is None or not lacks:
        return None
    told = locale.text(
        _LEFT_OUT_ABROAD if question.cross_border else _LEFT_OUT,
        data=locale.quoted(data_titles(lacks, registry, locale)),
        recipient=question.recipient.name,
    )
    return LeftOut(told, errand.back or frame.host_url(state.config.home_url))


def wanted_line(
    state: AppState, subject: str | None, purpose: str, locale: Locale
) -> Markup | None:
    """Why somebody whom a gate sent here is asked; None if the gate is open by now."""
    errand = _errand(state, subject)
    if subject is None or errand is None or errand.purpose != purpose:
        return None
    question = state.installation.registry.question(purpose, errand.recipient)
    if question is None or check(state.installation, _wanted(subject, errand)):
        return None
    message = _USES if question.own_use else _SHARES
    return locale.text(message, recipient=question.recipient.name)


def way_on(state: AppState, subject: str, locale: Locale) -> Markup | None:
    """A link to what the person wanted if it is open now, else to where they were."""
    errand = _errand(state, subject)
    if errand is None:
        return None
    opens = errand.recipient and check(state.installation, _wanted(subject, errand))
    if opens and errand.onward != errand.back:
        return locale.text("[Open the page you wanted]", link=errand.onward)
    back = errand.back
    return locale.text("[Back to the page you came from]", link=back) if back else None


def _errand(state: AppState, subject: str | None) -> Errand | None:
    sent = carried()
    if sent is None or subject is None:
        return None
    return state.tokens.read_errand(sent, bearer(state, subject))


def _wanted(subject: str, errand: Errand) -> ShareRequest:
    return ShareRequest(
        subject,
        errand.purpose,
        errand.recipient,
        frozenset(errand.data),
        Assurance(errand.assurance),
        is_signalled_for(subject),
    )


def _data(state: AppState, wanted: ShareRequest) -> tuple[str, ...]:
    """The categories by name: left out, all that are declared are meant."""
    registry = state.installation.registry
    question = registry.question(wanted.purpose, wanted.recipient)
    declared = question.data if question else ()
    return tuple(sorted(declared if wanted.data is None else wanted.data))


def _here() -> str:
    """The page that was asked for; empty for what was sent by a form."""
    if request.method != "GET":
        return ""
    query = request.query_string.decode("latin-1")
    path = quote(request.script_root + request.path, safe=_PATH)
    return _kept(path + (f"?{query}" if query else ""))


def _came_from() -> str:
    """The page of this app that led here; empty for any other site's, and for ours."""
    try:
        parts = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return ""
    own = url_for("consentkit.centre", lang=None)
    if parts.netloc.lower() != request.host.lower() or parts.path.startswith(own):
        return ""
    return _kept(parts.path + (f"?{parts.query}" if parts.query else ""))


def _kept(path: str) -> str:
    """The path if it leads to this origin, as a browser reads it, and is short."""
    safe = path.isascii() and path.isprintable() and not set(' "<>\\') & set(path)
    here = path.startswith("/") and not path.startswith("//")
    return path if safe and here and len(path) <= _LONGEST else ""
