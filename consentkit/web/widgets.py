"""The question in a template: rendered, hashed, logged, and only then shown.

The fragment is rendered without anything personal, its bytes are fixed in a notice,
and the notice is stored before the first person sees it. The form around it carries a
token that names the notice.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flask import current_app
from flask import g
from flask import render_template
from flask import url_for
from markupsafe import Markup

from consentkit.core.notice import Notice
from consentkit.errors import DeclarationError
from consentkit.service.asking import publish_notice
from consentkit.web import frame
from consentkit.web.cards import cards_for
from consentkit.web.gate import id_of
from consentkit.web.pages import WidgetView
from consentkit.web.pages import context
from consentkit.web.pages import ends_today
from consentkit.web.pages import mask_account
from consentkit.web.pages import notice_view
from consentkit.web.state import current_state
from consentkit.web.subject import current_subject

if TYPE_CHECKING:
    from consentkit.core.registry import Question
    from consentkit.core.vocabulary import Purpose
    from consentkit.web.locale import Locale
    from consentkit.web.pages import CardView
    from consentkit.web.state import AppState

__all__ = [
    "consent_centre_link",
    "consent_head",
    "consent_widget",
    "shown_notice",
    "widget_view",
]

_TEMPLATE = "consentkit/notice.html"
_OURS = Path(__file__).with_name("templates")


def consent_widget(purpose: str | Purpose) -> Markup:
    """Return the question about one purpose, for any template of the host.

    Nothing can be passed to it that would set an answer. Somebody who has answered
    sees the answer and the way out of it.

    Raises:
        DeclarationError: no such purpose is declared.
        LogUnavailableError: the notice cannot be stored, so it must not be shown.
    """
    g.consentkit_widget = True
    state = current_state()
    locale = frame.current_locale(state)
    view = widget_view(state, id_of(purpose), locale, ask_again=False)
    html = render_template(
        "consentkit/widget.html",
        **context(view, site=frame.site(state, locale), locale=locale),
    )
    return Markup(html)  # noqa: S704  our own template, autoescaped


def consent_centre_link() -> Markup:
    """A link to the person's own choices, for every page's footer (R52)."""
    locale = frame.current_locale(current_state())
    return Markup('<a href="{}" lang="{}" data-ck-manage>{}</a>').format(
        url_for("consentkit.centre"), locale.code, locale.text("Your choices")
    )


def consent_head() -> Markup:
    """The style sheet of our widgets, for the head of a page that has one."""
    _, integrity = frame.stylesheet()
    return Markup('<link rel="stylesheet" href="{}" integrity="{}">').format(
        url_for("consentkit.static", filename=frame.STYLESHEET), integrity
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
    if subject is None:
        return WidgetView(
            lang=locale.code,
            dir=locale.direction,
            sign_in_url=frame.host_url(
                state.config.sign_in_url or state.config.home_url
            ),
        )
    cards = cards_for(state, subject, locale, purpose_id=purpose_id)
    open_questions = {question.key for question in questions} - {
        card.matter.key for card in cards
    }
    asking = ask_again or bool(open_questions)
    return _view(state, subject, questions, locale, cards=cards, asking=asking)


def _view(
    state: AppState,
    subject: str,
    questions: tuple[Question, ...],
    locale: Locale,
    *,
    cards: tuple[CardView, ...],
    asking: bool,
) -> WidgetView:
    view = WidgetView(
        lang=locale.code,
        dir=locale.direction,
        account=mask_account(state.loaders.account_label(subject)),
        cards=cards,
        revoke_url=url_for("consentkit.revocations"),
        centre_url=url_for("consentkit.centre"),
        csrf_token=frame.host_csrf_token(),
    )
    if not asking:
        return view
    notice, title_id = shown_notice(state, questions, locale)
    return replace(
        view,
        title_id=title_id,
        notice_html=Markup(notice.html.decode()),  # noqa: S704  as hashed, byte for byte
        action=url_for("consentkit.choices"),
        token=state.tokens.issue_answer(subject, notice.digest),
        ends=ends_today(questions, locale, now=state.installation.clock()),
        notice_url=url_for("consentkit.notice", digest=notice.digest),
        fingerprint=notice.digest,
        version=notice.version,
    )


def shown_notice(
    state: AppState, questions: tuple[Question, ...], locale: Locale
) -> tuple[Notice, str]:
    """The notice that asks ``questions`` now, stored and logged; and its heading's id.

    Raises:
        LogUnavailableError: it cannot be stored, so it must not be shown.
    """
    # Its bytes are kept for good: how this reader got to the language is not in them.
    centre_url = url_for("consentkit.centre", lang=None)
    template = current_app.jinja_env.get_template(_TEMPLATE)
    asked = tuple(question.key for question in questions)
    made_of = template, asked, locale.code, centre_url
    shown = state.notices.get(made_of)
    if shown is None:
        shown = _publish(state, questions, locale, centre_url=centre_url)
        # What a host's own template puts in, nobody here knows: it is rendered anew.
        if template.filename == str(_OURS / _TEMPLATE):
            state.notices[made_of] = shown
    return shown


def _publish(
    state: AppState, questions: tuple[Question, ...], locale: Locale, *, centre_url: str
) -> tuple[Notice, str]:
    view = notice_view(questions, locale, centre_url=centre_url)
    html = render_template(_TEMPLATE, **context(view, site=None, locale=locale))
    notice = Notice.of(
        questions,
        locale=locale.code,
        html=html.encode(),
        text=Markup(html).striptags(),  # noqa: S704  our own template, autoescaped
        template=_template_source(),
        assets={frame.STYLESHEET: frame.stylesheet()[0]},
        controls=view.controls,
        variant="standard",
    )
    if notice.digest not in state.seen_notices:
        publish_notice(state.installation, notice)
        state.seen_notices.add(notice.digest)
    return notice, view.title_id


def _template_source() -> bytes:
    """The source the fragment was rendered from, the host's own if it overrides it."""
    environment = current_app.jinja_env
    loader = environment.loader
    if loader is None:
        return b""
    source, _, _ = loader.get_source(environment, _TEMPLATE)
    return source.encode()
