"""The person's own pages: the question, the answer, the overview, the way out.

Each view reads the request, calls one service and renders. What is allowed is decided
elsewhere; here is no ``if`` about consent.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING
from typing import Any

from flask import Blueprint
from flask import Response
from flask import jsonify
from flask import request
from flask import url_for
from markupsafe import Markup

from consentkit.core.act import Assurance
from consentkit.core.act import Channel
from consentkit.core.registry import CROSS_BORDER
from consentkit.errors import InvalidRequestError
from consentkit.errors import LogError
from consentkit.log.leaf import Leaf
from consentkit.service.choosing import Submission
from consentkit.service.choosing import choose
from consentkit.service.receipts import find_act
from consentkit.service.revoking import Ending
from consentkit.service.revoking import revoke
from consentkit.web import frame
from consentkit.web.acting import account_of
from consentkit.web.acting import as_seen
from consentkit.web.acting import check_may_act
from consentkit.web.cards import cards_for
from consentkit.web.disclosures import disclosures_file
from consentkit.web.disclosures import disclosures_view
from consentkit.web.errands import carried
from consentkit.web.errands import left_out
from consentkit.web.errands import wanted_line
from consentkit.web.gpc import honour_for
from consentkit.web.gpc import is_signalled
from consentkit.web.links import send_link
from consentkit.web.origin import check_same_site
from consentkit.web.pages import NoticePageView
from consentkit.web.pages import ResultView
from consentkit.web.pages import centre_view
from consentkit.web.pages import problem_view
from consentkit.web.problems import PROBLEM_STATUS
from consentkit.web.problems import log_problem
from consentkit.web.results import result_view
from consentkit.web.schemas import form_answers
from consentkit.web.schemas import form_token
from consentkit.web.state import current_state
from consentkit.web.subject import bearer
from consentkit.web.subject import current_representative
from consentkit.web.subject import current_subject
from consentkit.web.visit import holds_despite
from consentkit.web.widgets import widget_view

if TYPE_CHECKING:
    from collections.abc import Callable

    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = ["add_routes", "facts_of_request", "signed_in", "to_result"]

_ASK_AGAIN = frozenset(
    {"erased-since", "no-answer", "stale-notice", "token-expired", "token-spent"}
)
_RECENT = 5  # disclosures on the overview; the whole list has a page of its own
_FURTHEST = 1_000_000  # entries into the list; no address of ours goes further
_MAX_AGENT = 200  # characters of a user agent that are kept, sealed, as evidence


def signed_in(
    view: Callable[..., Response],
) -> Callable[..., Response]:
    """Give the view the person of this request; ask others to sign in first."""

    @functools.wraps(view)
    def checked(**values: Any) -> Response:
        state = current_state()
        subject = current_subject(state)
        if subject is None:
            return frame.problem_page("sign-in", ask_url=_sent_from(state))
        return view(state, subject, **values)

    return checked


def _sent_from(state: AppState) -> str:
    """The question that was answered with this form; empty if it was none."""
    for name in request.form:
        purpose = name.partition(".")[2].rpartition(".")[0].removesuffix(CROSS_BORDER)
        if purpose in state.installation.registry.purposes:
            return url_for("consentkit.ask", purpose=purpose, errand=carried())
    return ""


def facts_of_request(state: AppState) -> dict[str, Any]:
    """The private circumstances of an act: sealed, and only committed to in the log."""
    return {
        "locale": frame.current_locale(state).code,
        "path": request.path,
        "user_agent": request.headers.get("User-Agent", "")[:_MAX_AGENT],
    }


@signed_in
def _centre(state: AppState, subject: str) -> Response:
    locale = frame.current_locale(state)
    honour_for(state, subject)
    standing = state.installation.history.statuses(subject)
    cards = cards_for(state, subject, locale)
    answered = {card.matter.key[0].removesuffix(CROSS_BORDER) for card in cards}
    view = centre_view(
        cards,
        locale,
        disclosures=disclosures_view(state, subject, locale, limit=_RECENT),
        revoke_url=url_for("consentkit.revocations"),
        account=account_of(state),
        stop_all_token=state.tokens.issue_stop(bearer(state, subject)),
        csrf_token=frame.host_csrf_token(),
        export_url=url_for("consentkit.export_file"),
        copy_url=url_for("consentkit.export"),
        erase_url=url_for("consentkit.erasure"),
        asks=[
            (locale.localise(purpose.title), url_for("consentkit.ask", purpose=key))
            for key, purpose in state.installation.registry.purposes.items()
            if key not in answered
        ],
        opt_out_signal=is_signalled(),
        despite_signal=is_signalled() and holds_despite(state, standing),
    )
    return frame.page("centre.html", as_seen(state, subject, view, locale))


def _ask(purpose: str) -> Response:
    state = current_state()
    if purpose not in state.installation.registry.purposes:
        return frame.problem_page("not-found")
    check_may_act(state, current_representative(state), {purpose})
    locale, subject = frame.current_locale(state), current_subject(state)
    view = widget_view(state, purpose, locale, ask_again=True)
    return frame.page("ask.html", view, **_errand(state, subject, purpose, locale))


def _errand(
    state: AppState, subject: str | None, purpose: str, locale: Locale
) -> dict[str, Any]:
    """What a page says to somebody whom a gate sent there: why they are asked."""
    lacks = left_out(state, subject, purpose, locale)
    wanted = None if lacks else wanted_line(state, subject, purpose, locale)
    return {"left_out": lacks, "wanted": wanted}


@signed_in
def _choices(state: AppState, subject: str) -> Response:
    check_same_site()
    sent = form_token(request.form)
    try:
        token = state.tokens.read_answer(sent, bearer(state, subject))
        chosen = choose(
            state.installation,
            Submission(
                subject=subject,
                notice=token.notice,
                challenge=token.challenge,
                answers=form_answers(request.form),
                channel=Channel.WEB,
                facts=facts_of_request(state),
                signal=is_signalled(),
                representative=current_representative(state),
                opened=token.opened,
            ),
        )
    except InvalidRequestError as error:
        if error.code not in _ASK_AGAIN:
            raise
        return _ask_again(state, subject, sent, error.code)
    return to_result(chosen.leaf, link=send_link(state, subject, chosen))


def _ask_again(state: AppState, subject: str, sent: str, code: str) -> Response:
    """The question anew, nothing chosen; on top it says that nothing was saved.

    There is no time limit on deciding, only on the form (R112).
    """
    digest = state.tokens.notice_of(sent, bearer(state, subject))
    notice = state.installation.history.notice(digest)
    purpose = str(notice.manifest["id"]) if notice else ""
    if purpose not in state.installation.registry.purposes:
        return frame.problem_page(code)
    locale = frame.current_locale(state)
    status = PROBLEM_STATUS[code]
    view = widget_view(state, purpose, locale, ask_again=True)
    hint = problem_view(code, locale, status=status).title
    errand = _errand(state, subject, purpose, locale)
    return frame.page("ask.html", view, status=status, hint=hint, **errand)


@signed_in
def _revocations(state: AppState, subject: str) -> Response:
    check_same_site()
    token = state.tokens.read_stop(form_token(request.form), bearer(state, subject))
    done = revoke(
        state.installation,
        Ending(
            subject=subject,
            purpose=token.purpose,
            recipient=token.recipient,
            assurance=Assurance.SESSION,
            channel=Channel.WEB,
            facts=facts_of_request(state),
            representative=current_representative(state),
        ),
    )
    return to_result(done.leaf)


def to_result(leaf: Leaf | None, *, link: str = "") -> Response:
    """On to the page that tells what came of an act; None if nothing was left to do.

    ``link`` is what became of a link that confirms a yes, if there was one.
    """
    if leaf is None:
        return frame.see_other(url_for("consentkit.nothing_left"))
    told = link or None  # which ``url_for`` leaves out
    address = url_for(
        "consentkit.result", receipt_id=leaf.id, link=told, errand=carried()
    )
    return frame.see_other(address)


@signed_in
def _result(state: AppState, subject: str, receipt_id: str) -> Response:
    """What stands now of what an act was about, read back from what is stored.

    A form that is sent again long after leads to its first receipt, and here too the
    person is told what they have answered since.
    """
    leaf = find_act(state.installation, subject, receipt_id)
    if leaf is None:
        return frame.problem_page("not-found")
    locale = frame.current_locale(state)
    return frame.page("result.html", result_view(state, subject, locale, leaf))


@signed_in
def _nothing_left(_state: AppState, _subject: str) -> Response:
    return frame.page("result.html", ResultView(lines=()))


def _notice(digest: str) -> Response:
    state = current_state()
    notice = state.installation.history.notice(digest)
    if notice is None:
        return frame.problem_page("not-found")
    purpose = str(notice.manifest["id"])
    view = NoticePageView(
        notice_html=Markup(notice.html.decode()),  # noqa: S704  byte for byte as shown
        lang=notice.locale,
        digest=notice.digest,
        html_sha256=notice.html_sha256,
        version=notice.version,
        manifest_url=url_for("consentkit.notice_manifest", digest=digest),
        ask_url=(
            url_for("consentkit.ask", purpose=purpose)
            if purpose in state.installation.registry.purposes
            else ""
        ),
    )
    return frame.page("notice_page.html", view)


def _notice_manifest(digest: str) -> Response:
    notice = current_state().installation.history.notice(digest)
    if notice is None:
        return frame.problem_page("not-found")
    return Response(notice.manifest_bytes, mimetype="application/json")


def _notice_html(digest: str) -> Response:
    notice = current_state().installation.history.notice(digest)
    if notice is None:
        return frame.problem_page("not-found")
    return Response(notice.html, mimetype="text/html")


@signed_in
def _disclosures(state: AppState, subject: str) -> Response:
    asked = request.args.get("after", default=0, type=int)
    locale = frame.current_locale(state)
    offset = min(max(asked, 0), _FURTHEST)
    view = disclosures_view(
        state,
        subject,
        locale,
        offset=offset,
        recipient=request.args.get("recipient", ""),
    )
    return frame.page("disclosures.html", view)


@signed_in
def _disclosures_file(state: AppState, subject: str) -> Response:
    response = jsonify(disclosures_file(state, subject))
    response.headers["Content-Disposition"] = 'attachment; filename="disclosures.json"'
    return response


def _refused(error: InvalidRequestError) -> Response:
    return frame.problem_page(error.code)


def _unavailable(error: LogError) -> Response:
    return frame.problem_page(log_problem(error))


def add_routes(blueprint: Blueprint) -> None:
    """Put the person's pages on the blueprint."""
    add = blueprint.add_url_rule
    add("/", "centre", _centre)
    add("/ask/<purpose>", "ask", _ask)
    add("/choices", "choices", _choices, methods=["POST"])
    add("/revocations", "revocations", _revocations, methods=["POST"])
    add("/result", "nothing_left", _nothing_left)
    add("/result/<receipt_id>", "result", _result)
    add("/notices/<digest>", "notice", _notice)
    add("/notices/<digest>.json", "notice_manifest", _notice_manifest)
    add("/notices/<digest>.html", "notice_html", _notice_html)
    add("/disclosures", "disclosures", _disclosures)
    add("/disclosures.json", "disclosures_file", _disclosures_file)
    blueprint.register_error_handler(InvalidRequestError, _refused)
    blueprint.register_error_handler(LogError, _unavailable)
