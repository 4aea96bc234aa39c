"""The question in a template, as the person of this request gets it.

What is asked is a notice, the same for everybody (``notices``). The form around it
carries a token that names the notice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g
from flask import render_template
from flask import url_for
from markupsafe import Markup

from consentkit.errors import DeclarationError
from consentkit.errors import LogError
from consentkit.web import frame
from consentkit.web.acting import refusal_of
from consentkit.web.gate import id_of
from consentkit.web.gpc import honour_for
from consentkit.web.gpc import is_signalled
from consentkit.web.overriding import check_before_showing
from consentkit.web.pages import WidgetView
from consentkit.web.pages import context
from consentkit.web.problems import log_problem
from consentkit.web.state import current_state
from consentkit.web.subject import current_subject
from consentkit.web.visit import Visit

if TYPE_CHECKING:
    from consentkit.core.purpose import Purpose
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = [
    "consent_centre_link",
    "consent_head",
    "consent_widget",
    "widget_view",
]

_WIDGET = "consentkit/widget.html"


def consent_widget(purpose: str | Purpose) -> Markup:
    """Return the question about one purpose, for any template of the host.

    Nothing can be passed to it that would set an answer. Somebody who has answered
    sees the answer and the way out of it; nobody is asked again within the cool-down,
    nor where their browser says no. While the database does not answer, it says that
    nothing can be shown and nothing is shared.

    Raises:
        DeclarationError: no such purpose is declared.
        ConfigurationError: a template that the app put in place of ours breaks a rule.
    """
    g.consentkit_widget = True
    check_before_showing()
    state = current_state()
    locale = frame.current_locale(state)
    try:
        view = widget_view(state, id_of(purpose), locale, ask_again=False)
    except LogError as error:
        # The page is the app's own: it goes on without us, and nothing is asked.
        log_problem(error)
        view = _nothing_to_show(locale)
    values = context(view, site=frame.site(state, locale), locale=locale)
    html = render_template(_WIDGET, **values)
    html = state.overrides.judge(_WIDGET, values, html)
    return Markup(html)  # noqa: S704  our own template, autoescaped


def _nothing_to_show(locale: Locale) -> WidgetView:
    return WidgetView(
        lang=locale.code,
        dir=locale.direction,
        refused=locale.text(
            "We cannot show your choices right now. Nothing is shared until we can."
        ),
        centre_url=url_for("consentkit.centre"),
    )


def consent_centre_link() -> Markup:
    """A link to the person's own choices, for every page's footer (R52)."""
    locale = frame.current_locale(current_state())
    return Markup('<a href="{}" lang="{}" data-ck-manage>{}</a>').format(
        url_for("consentkit.centre"), locale.code, locale.text("Your choices")
    )


def consent_head() -> Markup:
    """What our widgets load, for the head of a page that has one: style and script."""
    _, integrity = frame.stylesheet()
    return Markup(
        '<link rel="stylesheet" href="{}" integrity="{}">'
        '<script src="{}" integrity="{}" defer></script>'
    ).format(
        url_for("consentkit.static", filename=frame.STYLESHEET),
        integrity,
        *frame.script(frame.FRESH),
    )


def widget_view(
    state: AppState, purpose_id: str, locale: Locale, *, ask_again: bool
) -> WidgetView:
    """The question as the current person gets it.

    ``ask_again`` shows the question beside an answer that stands: on the question's
    own page, which a person opens to decide anew.

    Raises:
        DeclarationError: no such purpose is declared.
    """
    questions = state.installation.registry.questions(purpose_id)
    if not questions:
        known = ", ".join(sorted(state.installation.registry.purposes))
        raise DeclarationError(
            f"expected the id of a declared purpose ({known}); got {purpose_id!r:.80}"
        )
    subject = current_subject(state)
    signal = is_signalled() and any(each.covered_by_signal for each in questions)
    if subject is None:
        return WidgetView(
            lang=locale.code,
            dir=locale.direction,
            sign_in_url=frame.host_url(
                state.config.sign_in_url or state.config.home_url
            ),
            opt_out_signal=signal,
        )
    refused = refusal_of(state, locale, {purpose_id})
    if refused is not None:
        return WidgetView(lang=locale.code, dir=locale.direction, refused=refused)
    honour_for(state, subject)
    return Visit.of(
        state, subject, locale, questions, ask_again=ask_again, signal=signal
    ).view()
