"""The notice that a page asks with: rendered, hashed, logged, and only then shown.

The fragment is rendered without anything personal, its bytes are fixed in a notice,
and the notice is stored before the first person sees it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from flask import current_app
from flask import render_template
from flask import url_for
from markupsafe import Markup

from consentkit.core.notice import SIGNALLED
from consentkit.core.notice import STANDARD
from consentkit.core.notice import Notice
from consentkit.errors import ConfigurationError
from consentkit.service.asking import publish_notice
from consentkit.web import frame
from consentkit.web.overriding import TEMPLATES
from consentkit.web.overriding import check_notice
from consentkit.web.overriding import is_being_built
from consentkit.web.overriding import render_ours
from consentkit.web.pages import context
from consentkit.web.pages import notice_view

if TYPE_CHECKING:
    from jinja2 import Template

    from consentkit.core.registry import Question
    from consentkit.web.locale import Locale
    from consentkit.web.questions import NoticeView
    from consentkit.web.state import AppState

__all__ = ["notice_is_ours", "shown_notice"]

_LOGGER = logging.getLogger("consentkit")
_TEMPLATE = "consentkit/notice.html"


def shown_notice(
    state: AppState,
    questions: tuple[Question, ...],
    locale: Locale,
    *,
    signal: bool = False,
    standing: bool = False,
) -> tuple[Notice, str]:
    """The notice that asks ``questions`` now, stored and logged; and its heading's id.

    With ``signal`` it says that a yes counts in spite of the browser's no; with
    ``standing`` it offers no "later", which would end the yes that stands.

    Raises:
        LogUnavailableError: it cannot be stored, so it must not be shown.
    """
    # Its bytes are kept for good: how this reader got to the language is not in them.
    centre_url = url_for("consentkit.centre", lang=None)
    template = current_app.jinja_env.get_template(_TEMPLATE)
    asked = tuple(question.key for question in questions)
    made_of = template, asked, locale.code, centre_url, signal, standing
    shown = state.notices.get(made_of)
    if shown is None:
        view = notice_view(
            questions, locale, centre_url=centre_url, signal=signal, standing=standing
        )
        shown = _publish(state, questions, view, locale)
        # What a host's own template puts in, nobody here knows: it is rendered anew.
        if _is_ours(template):
            state.notices[made_of] = shown
    return shown


def _publish(
    state: AppState,
    questions: tuple[Question, ...],
    view: NoticeView,
    locale: Locale,
) -> tuple[Notice, str]:
    values = context(view, site=None, locale=locale)
    html = render_template(_TEMPLATE, **values)
    notice = _made(questions, view, locale, html=html, template=_template_source())
    seen = state.seen_notices
    if notice.digest not in seen and not _is_fair(questions, view, locale, html=html):
        html = render_ours(_TEMPLATE, values)
        template = (TEMPLATES / _TEMPLATE).read_bytes()
        notice = _made(questions, view, locale, html=html, template=template)
    if notice.digest not in seen:
        publish_notice(state.installation, notice)
        seen.add(notice.digest)
    return notice, view.title_id


def _made(
    questions: tuple[Question, ...],
    view: NoticeView,
    locale: Locale,
    *,
    html: str,
    template: bytes,
) -> Notice:
    return Notice.of(
        questions,
        locale=locale.code,
        html=html.encode(),
        text=Markup(html).striptags(),  # noqa: S704  our own template, autoescaped
        template=template,
        assets={frame.STYLESHEET: frame.stylesheet()[0]},
        controls=view.controls,
        # A template of the host's may leave it out: then it told nobody.
        variant=SIGNALLED if view.signal and view.signal in html else STANDARD,
    )


def _is_fair(
    questions: tuple[Question, ...], view: NoticeView, locale: Locale, *, html: str
) -> bool:
    """Whether the app's own template made a notice that may be stored and shown.

    Raises:
        ConfigurationError: it did not, and the app is being built.
    """
    if notice_is_ours():
        return True
    try:
        check_notice(questions, view, html, locale)
    except ConfigurationError as error:
        if is_being_built():
            raise
        # Nobody's data is in a notice: what is wrong can be told in full.
        _LOGGER.error("consentkit: %s", error, extra={"event": "notice-invalid"})  # noqa: TRY400  it says it all
        return False
    return True


def notice_is_ours() -> bool:
    """Whether our own template words the notices, and not one of the app's."""
    return _is_ours(current_app.jinja_env.get_template(_TEMPLATE))


def _is_ours(template: Template) -> bool:
    return template.filename == str(TEMPLATES / _TEMPLATE)


def _template_source() -> bytes:
    """The source the fragment was rendered from, the host's own if it overrides it."""
    environment = current_app.jinja_env
    loader = environment.loader
    if loader is None:
        return b""
    source, _, _ = loader.get_source(environment, _TEMPLATE)
    return source.encode()
