"""The second stage: the page of a link, the press on it, and another link on request.

Opening a link grants nothing: what scans mail opens every address in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint
from flask import Response
from flask import request
from flask import url_for

from consentkit.core.act import Channel
from consentkit.core.registry import CROSS_BORDER
from consentkit.errors import InvalidRequestError
from consentkit.service.choosing import Submission
from consentkit.service.confirming import confirm
from consentkit.service.confirming import send_again
from consentkit.service.confirming import still_open
from consentkit.service.confirming import used_link
from consentkit.service.representing import base_purposes
from consentkit.web import frame
from consentkit.web.acting import account_of
from consentkit.web.acting import bar_of
from consentkit.web.centre import facts_of_request
from consentkit.web.centre import signed_in
from consentkit.web.centre import to_result
from consentkit.web.gpc import is_signalled
from consentkit.web.links import USED
from consentkit.web.links import send_link
from consentkit.web.origin import check_same_site
from consentkit.web.pages import ConfirmationView
from consentkit.web.pages import answered_questions
from consentkit.web.pages import ends_today
from consentkit.web.pages import notice_view
from consentkit.web.schemas import form_answers
from consentkit.web.schemas import form_token
from consentkit.web.subject import bearer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Sequence

    from markupsafe import Markup

    from consentkit.core.status import Status
    from consentkit.service.awaiting import Awaited
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState
    from consentkit.web.tokens import LinkToken

__all__ = ["add_routes"]

_OVER = frozenset({"link-expired", "link-void", "stale-notice"})


@signed_in
def _open(state: AppState, subject: str, token: str) -> Response:
    installation = state.installation
    try:
        link = _own_link(state, subject, token)
    except InvalidRequestError as error:
        return frame.problem_page(error.code)
    used = used_link(installation, subject, link.challenge)
    if used is not None:
        return to_result(used, link=USED)
    standing = installation.history.statuses(subject)
    left = still_open(installation, subject, link.awaited, standing)
    if not left:
        return _over("link-void", state, link)
    known = installation.registry.purposes
    for purpose in sorted(base_purposes(each.key for each in left)):
        if barred := bar_of(state, subject, known[purpose]):
            return frame.problem_page(barred)  # no yes is offered that must fail
    view = _view(state, link, left=left, standing=standing, token=token)
    return frame.page("confirmation.html", view)


def _own_link(state: AppState, subject: str, token: str) -> LinkToken:
    """What the link confirms; it is the person's own, and nobody's who acts for them.

    Raises:
        InvalidRequestError: it is somebody else's, too old, or not whole.
    """
    now = state.installation.clock()
    return state.tokens.read_link(token, bearer(state, subject), now=now)


def _view(
    state: AppState,
    link: LinkToken,
    *,
    left: Sequence[Awaited],
    standing: Mapping[tuple[str, str], Status],
    token: str,
) -> ConfirmationView:
    locale = frame.current_locale(state)
    questions = answered_questions(left, state.installation.registry)
    return ConfirmationView(
        asked=notice_view(questions, locale, centre_url=url_for("consentkit.centre")),
        token=token,
        action=url_for("consentkit.confirmations"),
        notice_url=url_for("consentkit.notice", digest=link.notice),
        csrf_token=frame.host_csrf_token(),
        account=account_of(state),
        ends=ends_today(questions, locale, now=state.installation.clock()),
        goes_on=_goes_on(left, standing, locale),
    )


def _goes_on(
    left: Sequence[Awaited],
    standing: Mapping[tuple[str, str], Status],
    locale: Locale,
) -> Markup | None:
    """That a yes which was given before stands until another is confirmed."""
    since = [
        standing[each.key].since
        for each in left
        if standing[each.key].record == each.rests_on and standing[each.key].until
    ]
    if not since:
        return None
    return locale.text(
        "Your earlier yes of {date} goes on until you press a button here.",
        date=locale.date(min(since)),
    )


@signed_in
def _confirm(state: AppState, subject: str) -> Response:
    check_same_site()
    installation = state.installation
    link = _own_link(state, subject, form_token(request.form))
    submission = Submission(
        subject=subject,
        notice=link.notice,
        challenge=link.challenge,
        answers=form_answers(request.form),
        channel=Channel.WEB,
        facts=facts_of_request(state),
        signal=is_signalled(),
    )
    try:
        leaf = confirm(installation, submission, link.awaited)
    except InvalidRequestError as error:
        return _refused(error, state, subject, link)
    return to_result(leaf)


def _refused(
    error: InvalidRequestError, state: AppState, subject: str, link: LinkToken
) -> Response:
    used = used_link(state.installation, subject, link.challenge)
    if used is not None:
        return to_result(used, link=USED)
    if error.code in _OVER:
        return _over(error.code, state, link)
    raise error


def _over(code: str, state: AppState, link: LinkToken) -> Response:
    """Why nothing can be confirmed here, and where the question is."""
    purpose = link.awaited[0].purpose.removesuffix(CROSS_BORDER)
    known = purpose in state.installation.registry.purposes
    return frame.problem_page(
        code, ask_url=url_for("consentkit.ask", purpose=purpose) if known else ""
    )


@signed_in
def _again(state: AppState, subject: str) -> Response:
    check_same_site()
    sent = form_token(request.form)
    act, challenge = state.tokens.read_again(sent, bearer(state, subject))
    chosen = send_again(
        state.installation,
        Submission(
            subject=subject,
            notice="",
            challenge=challenge,
            answers={},
            channel=Channel.WEB,
            facts=facts_of_request(state),
        ),
        act,
    )
    return to_result(chosen.leaf, link=send_link(state, subject, chosen))


def add_routes(blueprint: Blueprint) -> None:
    """Put the three on the blueprint."""
    add = blueprint.add_url_rule
    add("/confirmations/<token>", "confirmation", _open)
    add("/confirmations", "confirmations", _confirm, methods=["POST"])
    add("/confirmations/again", "confirmation_again", _again, methods=["POST"])
