"""The question in a template, as the person of this request gets it.

What is asked is a notice, the same for everybody (``notices``). The form around it
carries a token that names the notice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import g
from flask import render_template
from flask import url_for
from markupsafe import Markup

from consentkit.errors import DeclarationError
from consentkit.errors import LogError
from consentkit.service.comparing import answered_notices
from consentkit.service.comparing import differences
from consentkit.service.honouring import is_covered
from consentkit.service.honouring import is_despite
from consentkit.service.openings import opening_for
from consentkit.service.reminding import remind
from consentkit.web import frame
from consentkit.web.acting import account_of
from consentkit.web.acting import acting_line
from consentkit.web.acting import bar_of
from consentkit.web.acting import refusal_of
from consentkit.web.acting import whose_yes
from consentkit.web.cards import cards_for
from consentkit.web.changes import change_text
from consentkit.web.errands import carried
from consentkit.web.errands import sent_from_here
from consentkit.web.gate import id_of
from consentkit.web.gpc import honour_for
from consentkit.web.gpc import is_signalled
from consentkit.web.links import check_can_confirm
from consentkit.web.narrowing import included
from consentkit.web.narrowing import yes_stands
from consentkit.web.notices import shown_notice
from consentkit.web.others import reopened
from consentkit.web.overriding import check_before_showing
from consentkit.web.pages import WidgetView
from consentkit.web.pages import context
from consentkit.web.pages import ends_today
from consentkit.web.problems import log_problem
from consentkit.web.state import current_state
from consentkit.web.subject import bearer
from consentkit.web.subject import current_subject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consentkit.core.notice import Notice
    from consentkit.core.purpose import Purpose
    from consentkit.core.registry import Question
    from consentkit.core.status import Status
    from consentkit.web.answers import CardView
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = [
    "consent_centre_link",
    "consent_head",
    "consent_widget",
    "holds_despite",
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
    return _view(state, subject, questions, locale, ask_again=ask_again, signal=signal)


def _view(
    state: AppState,
    subject: str,
    questions: tuple[Question, ...],
    locale: Locale,
    *,
    ask_again: bool,
    signal: bool,
) -> WidgetView:
    standing = _standing(state, subject, questions)
    notices = answered_notices(state.installation, subject, standing)
    cards = cards_for(state, subject, locale, purpose_id=questions[0].purpose.id)
    view = WidgetView(
        lang=locale.code,
        dir=locale.direction,
        account=account_of(state),
        acting=acting_line(state, locale),
        cards=cards,
        stop_all_token=_stop_all(state, subject, questions, cards),
        revoke_url=url_for("consentkit.revocations"),
        centre_url=url_for("consentkit.centre"),
        csrf_token=frame.host_csrf_token(),
        opt_out_signal=signal,
        despite_signal=signal and holds_despite(state, standing),
        unasked=not ask_again,
    )
    renewed = reopened(state, subject, standing)
    asked = questions if ask_again else _open(state, questions, standing, notices)
    reminded = _reminded(state, subject, asked, standing)
    opened = renewed | reminded.keys()
    asked = tuple(each for each in questions if each in asked or each.key in opened)
    if not asked:
        return view
    purpose = questions[0].purpose
    barred = bar_of(state, subject, purpose)
    if barred or not renewed:  # where one yes waits for theirs, the card says so
        view = replace(view, whose=whose_yes(state, subject, purpose, locale))
    if barred:
        return view
    check_can_confirm(state, asked)
    errand = carried() if ask_again else sent_from_here(state, subject, purpose.id)
    conflict = signal and any(each.covered_by_signal for each in asked)
    stands = yes_stands(state, asked, standing)
    notice, title_id = shown_notice(
        state, asked, locale, signal=conflict, standing=stands
    )
    return replace(
        view,
        title_id=title_id,
        notice_html=Markup(notice.html.decode()),  # noqa: S704  as hashed, byte for byte
        action=url_for("consentkit.choices", errand=errand),
        token=state.tokens.issue_answer(
            bearer(state, subject),
            notice.digest,
            opening_for(state.installation, subject),
        ),
        ends=ends_today(questions, locale, now=state.installation.clock()),
        notice_url=url_for("consentkit.notice", digest=notice.digest),
        fingerprint=notice.digest,
        version=notice.version,
        standing=stands,
        included=included(state, asked, standing, locale),
        ending=_ending(reminded, locale),
        changes=tuple(
            change_text(each, state.installation.registry, locale)
            for each in differences(questions, notices)
        ),
    )


def _reminded(
    state: AppState,
    subject: str,
    asked: tuple[Question, ...],
    standing: Mapping[tuple[str, str], Status],
) -> dict[tuple[str, str], Status]:
    """What is about to end and asked about once before it does (R90).

    Nobody is reminded for somebody else, nor of what their browser says no to.
    """
    if bearer(state, subject) != subject:
        return {}
    signal, open_keys = is_signalled(), {each.key for each in asked}
    left = {
        key: status
        for key, status in standing.items()
        if key not in open_keys and not (signal and is_covered(state.installation, key))
    }
    return {key: left[key] for key in remind(state.installation, subject, left)}


def _ending(
    reminded: Mapping[tuple[str, str], Status], locale: Locale
) -> Markup | None:
    if not reminded:
        return None
    return locale.text(
        "Your yes ends on {date}. If you do nothing, it ends by itself.",
        date=locale.date(min(each.until for each in reminded.values())),
    )


def _stop_all(
    state: AppState,
    subject: str,
    questions: tuple[Question, ...],
    cards: tuple[CardView, ...],
) -> str:
    """What was agreed to by one press can be stopped by one; none where that is one."""
    if sum(bool(each.stop_token) for each in cards) <= 1:
        return ""
    return state.tokens.issue_stop(bearer(state, subject), questions[0].purpose.id)


def _standing(
    state: AppState, subject: str, questions: tuple[Question, ...]
) -> dict[tuple[str, str], Status]:
    """What the person has answered to these questions."""
    found = state.installation.history.statuses(subject)
    return {each.key: found[each.key] for each in questions if each.key in found}


def _open(
    state: AppState,
    questions: tuple[Question, ...],
    standing: Mapping[tuple[str, str], Status],
    notices: Mapping[tuple[str, str], Notice],
) -> tuple[Question, ...]:
    """What may be asked of somebody who did not come for it (R29).

    What their browser says no to is answered (11 CCR §7025(c)(1)).
    """
    now, signal = state.installation.clock(), is_signalled()
    return tuple(
        each
        for each in questions
        if state.config.cooldown.reopens(
            each,
            standing.get(each.key),
            notices[each.key].offers[each.key] if each.key in notices else None,
            now=now,
        )
        and not (signal and each.covered_by_signal)
    )


def holds_despite(state: AppState, standing: Mapping[tuple[str, str], Status]) -> bool:
    """Whether a yes holds that the person gave in the face of their browser's no."""
    now = state.installation.clock()
    return any(
        status.authorises(now)
        and is_covered(state.installation, key)
        and is_despite(state.installation, status)
        for key, status in standing.items()
    )
