"""The pages that ask or stop, as this app would show them to somebody invented.

What is judged is what this app renders: every declared question in every declared
language, through whatever templates the app has. Nothing is asked of anybody, nothing
is stored, and no token here is worth anything.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from flask import render_template
from flask import url_for
from markupsafe import Markup
from markupsafe import escape

from consentkit.core.act import Assurance
from consentkit.core.act import Millis
from consentkit.core.act import State
from consentkit.core.status import Status
from consentkit.service.awaiting import Awaited
from consentkit.web import frame
from consentkit.web.locale import Locale
from consentkit.web.pages import CardView
from consentkit.web.pages import ConfirmationView
from consentkit.web.pages import DisclosuresView
from consentkit.web.pages import NoticeView
from consentkit.web.pages import WidgetView
from consentkit.web.pages import answered_questions
from consentkit.web.pages import card_view
from consentkit.web.pages import centre_view
from consentkit.web.pages import context
from consentkit.web.pages import ends_today
from consentkit.web.pages import notice_view

if TYPE_CHECKING:
    from consentkit.core.registry import Question
    from consentkit.web.state import AppState

__all__ = [
    "PAGES",
    "Rehearsed",
    "Renderer",
    "Scene",
    "as_sent",
    "ask_page",
    "centre_page",
    "confirmation_page",
    "first_scenes",
    "scenes",
    "stops_of",
]

PAGES = (
    "consentkit/ask.html",
    "consentkit/centre.html",
    "consentkit/confirmation.html",
)
"""The templates that the pages rehearsed here begin with."""

Renderer = Callable[[str, Mapping[str, Any]], str]

_A_DAY = 86_400_000
_SHAPE = "0" * 64  # stands where a fingerprint stands
_NO_ACT = "0" * 32
_ANSWER, _STOP, _HOST = "answer-token", "stop-token", "host-token"


@dataclass(frozen=True, slots=True)
class Scene:
    """One situation: which questions are asked, in which language.

    With ``again`` there is an answer already, what was asked has changed since then,
    and the browser says no.
    """

    name: str
    questions: tuple[Question, ...]
    locale: Locale
    again: bool = False


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A page as it would be sent, and the forms that it has to hold.

    ``fragment`` is the notice, whose bytes would be logged. ``answer`` and ``stops``
    are addresses with the fields that a form has to send there.
    """

    html: str
    notice: NoticeView | None = None
    fragment: str = ""
    answer: tuple[str, Mapping[str, str]] | None = None
    stops: tuple[tuple[str, Mapping[str, str]], ...] = ()


def as_sent(template: str, values: Mapping[str, Any]) -> str:
    """Render as the app does; host functions that add to every template run too."""
    return render_template(template, **values)


def first_scenes(state: AppState) -> Iterator[Scene]:
    """Yield each declared question in each language, asked for the first time."""
    registry = state.installation.registry
    for purpose_id in registry.purposes:
        for code in registry.locales:
            name = f"question {purpose_id}, {code}"
            yield Scene(name, registry.questions(purpose_id), Locale(code))


def scenes(state: AppState) -> Iterator[Scene]:
    """Yield the same, and in one language what else a template may tell apart.

    That is a question that is asked again, and one whose others are answered.
    """
    first = state.installation.registry.locales[0]
    for each in first_scenes(state):
        yield each
        if each.locale.code == first:
            asked = each.questions
            yield Scene(f"{each.name}, asked again", asked, each.locale, again=True)
            if len(asked) > 1:
                yield Scene(f"{each.name}, one of them", asked[:1], each.locale)


def ask_page(state: AppState, scene: Scene, render: Renderer) -> Rehearsed:
    """The question's own page, as somebody gets it who is signed in."""
    locale, questions = scene.locale, scene.questions
    notice = notice_view(
        questions, locale, centre_url=url_for("consentkit.centre"), signal=scene.again
    )
    bare = context(notice, site=None, locale=locale)
    fragment = render("consentkit/notice.html", bare)
    cards = (_card(state, questions[0], locale),) if scene.again else ()
    view = WidgetView(
        lang=locale.code,
        dir=locale.direction,
        title_id=notice.title_id,
        notice_html=Markup(fragment),  # noqa: S704  as rendered
        action=url_for("consentkit.choices"),
        token=_ANSWER,
        csrf_token=_HOST,
        account="a•••@example.org",
        ends=ends_today(questions, locale, now=state.installation.clock()),
        notice_url=url_for("consentkit.notice", digest=_SHAPE),
        fingerprint=_SHAPE,
        version=_SHAPE[:12],
        cards=cards,
        revoke_url=url_for("consentkit.revocations"),
        centre_url=url_for("consentkit.centre"),
        changes=_changes(questions[0], locale) if scene.again else (),
        opt_out_signal=scene.again,
    )
    return Rehearsed(
        html=_page(state, "ask.html", view, locale, render),
        notice=notice,
        fragment=fragment,
        answer=(view.action, {"token": _ANSWER, "csrf_token": _HOST}),
        stops=stops_of(cards, view.revoke_url, {"csrf_token": _HOST}),
    )


def confirmation_page(state: AppState, scene: Scene, render: Renderer) -> Rehearsed:
    """The second stage of the same questions, every one answered with yes."""
    locale, centre_url = scene.locale, url_for("consentkit.centre")
    awaited = [
        Awaited(
            purpose=each.purpose_id,
            recipient=each.recipient_id,
            data=tuple(sorted(item.category.id for item in each.items)),
            rests_on=_NO_ACT,
        )
        for each in scene.questions
    ]
    questions = answered_questions(awaited, state.installation.registry)
    view = ConfirmationView(
        asked=notice_view(questions, locale, centre_url=centre_url),
        token=_ANSWER,
        action=url_for("consentkit.confirmations"),
        notice_url=url_for("consentkit.notice", digest=_SHAPE),
        csrf_token=_HOST,
        account="a•••@example.org",
        ends=ends_today(questions, locale, now=state.installation.clock()),
    )
    return Rehearsed(
        html=_page(state, "confirmation.html", view, locale, render),
        notice=view.asked,
        answer=(view.action, {"token": _ANSWER, "csrf_token": _HOST}),
    )


def centre_page(state: AppState, locale: Locale, render: Renderer) -> Rehearsed:
    """The centre of somebody who agreed to everything."""
    registry = state.installation.registry
    cards = [
        _card(state, question, locale)
        for purpose_id in registry.purposes
        for question in registry.questions(purpose_id)
    ]
    revoke_url = url_for("consentkit.revocations")
    view = centre_view(
        cards,
        locale,
        disclosures=DisclosuresView(rows=(), url=url_for("consentkit.disclosures")),
        revoke_url=revoke_url,
        csrf_token=_HOST,
    )
    return Rehearsed(
        html=_page(state, "centre.html", view, locale, render),
        stops=stops_of(cards, revoke_url, {"csrf_token": _HOST}),
    )


def _page(
    state: AppState, name: str, view: object, locale: Locale, render: Renderer
) -> str:
    site = frame.site(state, locale)
    return render(f"consentkit/{name}", context(view, site=site, locale=locale))


def _card(state: AppState, question: Question, locale: Locale) -> CardView:
    """The card of a yes that was given just now."""
    now = state.installation.clock()
    status = Status(
        state=State.GIVEN,
        data=frozenset(item.category.id for item in question.items),
        until=Millis(now + _A_DAY),
        scope=question.scope,
        assurance=Assurance.SESSION,
        record=_NO_ACT,
        since=now,
    )
    return card_view(
        status,
        question.key,
        state.installation.registry,
        locale,
        now=now,
        stop_token=f"{_STOP}-{question.purpose_id}-{question.recipient_id}",
        receipt_url=url_for("consentkit.receipt", receipt_id=_NO_ACT),
    )


def _changes(question: Question, locale: Locale) -> tuple[Markup, ...]:
    return (escape(locale.localise(question.purpose.description)),)


def stops_of(
    cards: Iterable[CardView], url: str, host: Mapping[str, str]
) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """The forms that stop these; ``host`` is what the app wants in each form."""
    return tuple(
        (url, {"token": card.stop_token, **host}) for card in cards if card.stop_token
    )
