"""Asking and answering over JSON: by the same notice, token and writer as the form.

An app that draws its own question gets it here, and sends back what the person pressed.
Nothing is chosen until then: a question is logged before it leaves, a token answers it
once, and one answer is about one purpose and one recipient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from typing import Any

from flask import jsonify
from flask import url_for

from consentkit.audit.replay import act_of
from consentkit.core.act import Channel
from consentkit.core.act import Millis
from consentkit.core.record import rfc3339
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogUnavailableError
from consentkit.service.choosing import Submission
from consentkit.service.choosing import choose
from consentkit.web import frame
from consentkit.web.acting import bar_of
from consentkit.web.acting import check_may_act
from consentkit.web.api_body import json_object
from consentkit.web.api_person import of_a_person
from consentkit.web.cards import cards_for
from consentkit.web.centre import facts_of_request
from consentkit.web.gpc import honour_for
from consentkit.web.gpc import is_signalled
from consentkit.web.links import link_hint
from consentkit.web.links import send_link
from consentkit.web.locale import Locale
from consentkit.web.locale import negotiate
from consentkit.web.notices import notice_is_ours
from consentkit.web.origin import check_same_site
from consentkit.web.presenting import beside
from consentkit.web.presenting import plain
from consentkit.web.presenting import question_keys
from consentkit.web.presenting import standing_answer
from consentkit.web.presenting import wording
from consentkit.web.questions import notice_view
from consentkit.web.schemas import ChoicesSchema
from consentkit.web.schemas import PresentationSchema
from consentkit.web.schemas import json_answers
from consentkit.web.schemas import means_several
from consentkit.web.subject import bearer
from consentkit.web.subject import current_representative
from consentkit.web.subject import is_delegate
from consentkit.web.widgets import widget_view

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Collection
    from collections.abc import Iterable

    from flask import Response
    from flask.typing import ResponseReturnValue

    from consentkit.core.notice import Notice
    from consentkit.service.choosing import Chosen
    from consentkit.web.answers import CardView
    from consentkit.web.pages import WidgetView
    from consentkit.web.state import AppState

    Route = tuple[str, Callable[..., ResponseReturnValue], tuple[str, ...]]

__all__ = ["ROUTES"]

_PRESENTATION = PresentationSchema()
_CHOICES = ChoicesSchema()


@of_a_person
def _presentations(state: AppState, subject: str) -> ResponseReturnValue:
    """A POST: its answer holds a token that counts once, and no cache may keep it.

    Two loads are not one and the same either (RFC 9110 §9.2.1, §9.3.3): the notice is
    logged, and a reminder is spent.
    """
    check_same_site()
    wanted = _PRESENTATION.load(json_object('{"purpose": "credit-score"}'))
    purpose = _asked_purpose(state, subject, wanted["purpose"])
    locale = _locale(state, wanted["locale"])
    view = widget_view(state, purpose, locale, ask_again=wanted["again"])
    notice = _logged(state, view)
    return _unkept(
        purpose=purpose,
        notice=_named(notice, locale) if notice else None,
        wording=_wording(state, notice, view, locale) if notice else None,
        questions=[
            question_keys(offer)
            for _, offer in (sorted(notice.offers.items()) if notice else ())
        ],
        beside=beside(view, locale),
        answers=_standing(state, subject, view.cards),
        token=view.token or None,
        expires=_expiry(state) if notice else None,
        choices_url=url_for("consentkit.api.choices", lang=locale.code),
        centre_url=url_for("consentkit.centre", lang=locale.code),
    )


@of_a_person
def _choices(state: AppState, subject: str) -> ResponseReturnValue:
    check_same_site()
    body = json_object('{"token": "…", "answers": […]}')
    _check_each_is_meant(state, subject, body)
    sent = _CHOICES.load(body)
    token = state.tokens.read_answer(sent["token"], bearer(state, subject))
    chosen = choose(
        state.installation,
        Submission(
            subject=subject,
            notice=token.notice,
            challenge=token.challenge,
            answers=json_answers(sent["answers"]),
            channel=Channel.API,
            facts=facts_of_request(state),
            signal=is_signalled(),
            representative=current_representative(state),
            opened=token.opened,
        ),
    )
    return _told(state, subject, chosen, link=send_link(state, subject, chosen))


@of_a_person
def _status(state: AppState, subject: str) -> ResponseReturnValue:
    honour_for(state, subject)
    locale = frame.current_locale(state)
    return _unkept(
        answers=_standing(state, subject, cards_for(state, subject, locale)),
        opt_out_signal=is_signalled(),
        centre_url=url_for("consentkit.centre"),
    )


def _asked_purpose(state: AppState, subject: str, purpose: str) -> str:
    """The purpose, if it can be asked about and who is here may answer."""
    declared = state.installation.registry.purposes.get(purpose)
    if declared is None:
        raise InvalidRequestError(
            "no purpose of that id is declared", code="unknown-purpose"
        )
    check_may_act(state, current_representative(state), {purpose})
    if barred := bar_of(state, subject, declared):
        raise InvalidRequestError("nobody here can say yes to this", code=barred)
    return purpose


def _locale(state: AppState, wanted: str | None) -> Locale:
    """The language asked for, as far as the app has it; else that of the request."""
    found = negotiate([wanted], state.installation.registry.locales) if wanted else None
    return Locale(found) if found else frame.current_locale(state)


def _logged(state: AppState, view: WidgetView) -> Notice | None:
    """The notice that was logged for this question; None if nothing is asked."""
    if not view.fingerprint:
        return None
    notice = state.installation.history.notice(view.fingerprint)
    if notice is None:
        raise LogUnavailableError("a notice that was just stored is not there")
    return notice


def _named(notice: Notice, locale: Locale) -> dict[str, Any]:
    digest = notice.digest
    return {
        "digest": digest,
        "version": notice.version,
        "locale": locale.code,
        "direction": locale.direction,
        "url": url_for("consentkit.notice", digest=digest),
        "html_url": url_for("consentkit.notice_html", digest=digest),
        "manifest_url": url_for("consentkit.notice_manifest", digest=digest),
        "manifest": dict(notice.manifest),
    }


def _wording(
    state: AppState, notice: Notice, view: WidgetView, locale: Locale
) -> dict[str, Any] | None:
    """The notice's own sentences; None where a template of the app's words it."""
    if not notice_is_ours():
        return None
    found = (state.installation.registry.question(*key) for key in notice.offers)
    shown = notice_view(
        [each for each in found if each is not None],
        locale,
        centre_url=url_for("consentkit.centre", lang=None),
        signal=notice.tells_of_signal,
        standing=view.standing,
    )
    return wording(shown, locale)


def _expiry(state: AppState) -> str:
    """Until when the token answers; it counts whole seconds, from now."""
    seconds = state.installation.clock() // 1000 + state.config.form_lifetime
    return rfc3339(Millis(seconds * 1000))


def _check_each_is_meant(state: AppState, subject: str, body: dict[str, Any]) -> None:
    """Refuse one yes to several questions where one of them takes a yes of its own.

    Raises:
        InvalidRequestError: it is one (code ``separate-consent-required``), or its
            token is not genuine.
    """
    token = body.get("token")
    if not isinstance(token, str) or not means_several(body):
        return
    digest = state.tokens.notice_of(token, bearer(state, subject))
    notice = state.installation.history.notice(digest)
    keys = notice.offers if notice else ()
    asked = (state.installation.registry.question(*key) for key in keys)
    if any(each is None or each.separate for each in asked):
        raise InvalidRequestError(
            "each of these questions takes a yes of its own: send one answer for each "
            "purpose and recipient; nothing was stored",
            code="separate-consent-required",
        )


def _told(state: AppState, subject: str, chosen: Chosen, *, link: str) -> Response:
    """The act, and what stands now of what it was about, read back from the store."""
    locale = frame.current_locale(state)
    asked = {choice.key for choice in act_of(chosen.leaf).choices}
    cards = [c for c in cards_for(state, subject, locale) if c.matter.key in asked]
    answers = _standing(state, subject, cards)
    act = chosen.leaf.id
    goes_on = any(each["holds"] for each in answers)
    hint = link_hint(link, locale, goes_on=goes_on)
    return _unkept(
        record_id=act,
        receipt_url=(
            None
            if is_delegate(state)
            else url_for("consentkit.receipt", receipt_id=act)
        ),
        answers=answers,
        link=link or None,
        told=[plain(each) for each in hint or ()],
    )


def _standing(
    state: AppState, subject: str, cards: Iterable[CardView]
) -> list[dict[str, Any]]:
    statuses = state.installation.history.statuses(subject)
    of_age = state.installation.representations.of_age(subject)
    now = state.installation.clock()
    return [
        standing_answer(card, statuses[card.matter.key].by_age(of_age), now=now)
        for card in cards
        if card.matter.key in statuses
    ]


def _unkept(**members: Any) -> Response:
    response = jsonify(**members)
    response.headers["Cache-Control"] = "no-store"
    return response


ROUTES: Collection[Route] = (
    ("/v1/choices", _choices, ("POST",)),
    ("/v1/presentations", _presentations, ("POST",)),
    ("/v1/status", _status, ("GET",)),
)
"""Path, view and methods of each."""
