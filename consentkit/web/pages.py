"""Everything a template is given: frozen, worded, escaped; no Flask and no store.

A view function gathers values, a builder here turns them into one of these, and the
template of the same name lays it out. ``context`` is what every template gets.

======================  ================================  =========================
template                ``page``                          built by
======================  ================================  =========================
``notice.html``         ``NoticeView``                    ``notice_view``
``widget.html``         ``WidgetView``                    itself, ``ends_today``
``ask.html``            ``WidgetView``                    the same
``result.html``         ``ResultView``                    itself, ``choice_line``
``confirmation.html``   ``ConfirmationView``              itself, ``notice_view``
``centre.html``         ``CentreView``                    ``centre_view``, ``card_view``
``disclosures.html``    ``DisclosuresView``               itself, ``disclosure_row``
``receipt.html``        ``ReceiptView``                   itself, ``choice_line``
``notice_page.html``    ``NoticePageView``                itself
``checking.html``       ``CheckingView``                  itself
``export.html``         ``ExportView``                    ``export_view``
``erasure.html``        ``ErasureView``                   itself, ``erasure_view``
``erased.html``         nothing
``problem.html``        ``ProblemView``                   ``problem_view``
``head.html``           ``SiteView`` as ``site``          itself
======================  ================================  =========================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any

from consentkit.web.answers import CardView
from consentkit.web.answers import ChoiceLine
from consentkit.web.answers import card_view
from consentkit.web.answers import choice_line
from consentkit.web.answers import data_titles
from consentkit.web.confirmation import ConfirmationView
from consentkit.web.confirmation import answered_questions
from consentkit.web.erasure import ErasureView
from consentkit.web.erasure import erasure_view
from consentkit.web.export import ExportView
from consentkit.web.export import export_view
from consentkit.web.history import CentreView
from consentkit.web.history import CheckingView
from consentkit.web.history import DisclosureRow
from consentkit.web.history import DisclosuresView
from consentkit.web.history import ReceiptView
from consentkit.web.history import assurance_text
from consentkit.web.history import centre_view
from consentkit.web.history import disclosure_row
from consentkit.web.locale import mark
from consentkit.web.problem_words import NOT_THEIRS
from consentkit.web.questions import NoticeView
from consentkit.web.questions import QuestionView
from consentkit.web.questions import notice_view
from consentkit.web.wording import contact_link

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from consentkit.core.act import Millis
    from consentkit.core.registry import Question
    from consentkit.core.vocabulary import Controller
    from consentkit.web.links import LinkHint
    from consentkit.web.locale import Locale

__all__ = [
    "CardView",
    "CentreView",
    "CheckingView",
    "ChoiceLine",
    "ConfirmationView",
    "DisclosureRow",
    "DisclosuresView",
    "ErasureView",
    "ExportView",
    "LanguageLink",
    "NoticePageView",
    "NoticeView",
    "ProblemView",
    "QuestionView",
    "ReceiptView",
    "ResultView",
    "SiteView",
    "WidgetView",
    "answered_questions",
    "assurance_text",
    "card_view",
    "centre_view",
    "choice_line",
    "context",
    "data_titles",
    "disclosure_row",
    "ends_today",
    "erasure_view",
    "export_view",
    "mask_account",
    "notice_view",
    "problem_view",
    "site_view",
]

_FOREIGN = (
    mark("We could not tell where this came from"),
    mark("Nothing was saved. Open the page in our app and answer there."),
)
_ABSENT = (
    mark("There is nothing at this address"),
    mark("Check the address, or start from your choices page."),
)
_UNREADABLE = (
    mark("We could not read this answer"),
    mark("Nothing was saved. Go back, load the page again, then answer."),
)
_UNAVAILABLE = (
    mark("We cannot save this right now"),
    mark("Nothing was saved and nothing is shared. Please try again later."),
)
_UNSAVED = mark("Nothing was saved. Your choices belong to your account.")
_PROBLEMS = {
    **NOT_THEIRS,
    "consent-missing": (
        mark("We did not share your data"),
        mark("This needs your yes, and we do not have it. You can decide now."),
    ),
    "cross-site": _FOREIGN,
    "erased-since": (
        mark("This page is older than the erasure of the records"),
        mark("Nothing was saved. Load the page again if you want to answer."),
    ),
    "forbidden": (
        mark("This page is not yours to see"),
        mark("Each person sees only their own choices."),
    ),
    "foreign-token": (
        mark("This page was opened by somebody else"),
        mark("Nothing was saved. Load the page again to answer for yourself."),
    ),
    "link-expired": (
        mark("This link is too old"),
        mark("Nothing was saved. Answer the question again to get a new link."),
    ),
    "link-foreign": (
        mark("This link was sent to somebody else"),
        mark("Sign in with the account that the message was sent for."),
    ),
    "link-invalid": (
        mark("This link is not whole"),
        mark("Open it from the message itself, or copy all of it."),
    ),
    "link-void": (
        mark("This link no longer counts"),
        mark("You answered or stopped this since then, or the question has changed."),
    ),
    "no-answer": (
        mark("You have not chosen an answer"),
        mark("Nothing was saved. Go back and choose, or leave it open."),
    ),
    "not-found": _ABSENT,
    "not-published": (
        mark("The proof is not ready yet"),
        mark("Your answer is saved. Load this page again in a moment."),
    ),
    "restart-needed": _UNAVAILABLE,  # whose work that is, is not the person's concern
    "sign-in": (
        mark("Please sign in first"),
        mark("Your choices belong to your account."),
    ),
    "stale-notice": (
        mark("The question has changed"),
        mark("Nothing was saved. Load the page again to see the new question."),
    ),
    "token-expired": (
        mark("This page was open for too long"),
        mark("Nothing was saved. Go back, load the page again, then answer."),
    ),
    "token-invalid": _FOREIGN,
    "token-spent": (
        mark("This page was already used for another answer"),
        mark("Nothing was saved. Go back, load the page again, then answer."),
    ),
    "too-soon": (
        mark("We sent you a link a moment ago"),
        mark("Please wait a minute before you have it sent again."),
    ),
    "unavailable": _UNAVAILABLE,
    "unknown-purpose": _ABSENT,
    "unknown-recipient": _ABSENT,
}


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """The same page in another language."""

    code: str
    name: str
    url: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class SiteView:
    """What stands round every page: whose it is, where things are, which style sheet.

    ``home_url`` leads back into the host app. ``css_integrity`` is an SRI value, and
    ``fresh`` the script for a question that somebody comes back to, with its own.
    """

    controller: str
    contact: Markup
    address: str
    authority: str
    home_url: str
    centre_url: str
    disclosures_url: str
    css_url: str
    css_integrity: str = ""
    fresh: tuple[str, str] = ("", "")
    languages: tuple[LanguageLink, ...] = ()


@dataclass(frozen=True, slots=True)
class WidgetView:
    """A notice with what is not part of it: the account, the form, the day, the link.

    With ``sign_in_url`` nobody is signed in and nothing can be answered. With ``cards``
    the person has answered before: the answers are shown, with their way out.
    ``changes`` says what is different since then, a sentence each; ``ending`` that an
    answer is about to end; ``included`` what an empty box would take back.
    ``standing`` is where a yes stands and "later" is not offered. ``unasked`` is in a
    page that the person did not open for it: what is not granted is then one line.
    ``acting`` says for whom they answer, ``whose`` whose yes it takes, and ``refused``
    why there is nothing here that they can answer.
    """

    lang: str
    dir: str
    title_id: str = ""
    notice_html: Markup | None = None
    action: str = ""
    token: str = ""
    csrf_token: str = ""
    account: str = ""
    ends: Markup | None = None
    notice_url: str = ""
    fingerprint: str = ""
    version: str = ""
    sign_in_url: str = ""
    cards: tuple[CardView, ...] = ()
    stop_all_token: str = ""
    revoke_url: str = ""
    centre_url: str = ""
    changes: tuple[Markup, ...] = ()
    included: tuple[Markup, ...] = ()
    standing: bool = False
    ending: Markup | None = None
    opt_out_signal: bool = False
    despite_signal: bool = False
    unasked: bool = False
    acting: Markup | None = None
    whose: Markup | None = None
    refused: Markup | None = None


@dataclass(frozen=True, slots=True)
class ResultView:
    """What stands now, as it was stored (R31).

    ``hint`` is what became of a link that confirms a yes, None where there was none;
    ``again`` has it sent again: address, token and the host's own token. ``onward`` is
    a link to the page that they came from or wanted, None where none is known.
    """

    lines: tuple[ChoiceLine, ...]
    receipt_url: str = ""
    hint: LinkHint | None = None
    again: tuple[str, str, str] | None = None
    acting: Markup | None = None
    onward: Markup | None = None


@dataclass(frozen=True, slots=True)
class NoticePageView:
    """A notice at its permanent address, byte for byte as it was shown (R13)."""

    notice_html: Markup
    lang: str
    digest: str
    html_sha256: str
    version: str
    manifest_url: str
    first_shown: Markup | None = None
    ask_url: str = ""


@dataclass(frozen=True, slots=True)
class ProblemView:
    """Why something did not work, and what to do now; never a person's data."""

    title: Markup
    detail: Markup
    status: int
    sign_in_url: str = ""
    ask_url: str = ""


def context(
    page: object, *, site: SiteView | None, locale: Locale, **more: Any
) -> dict[str, Any]:
    """What every template gets: ``page``, ``site``, ``locale``, ``t`` and ``tn``."""
    return {
        "page": page,
        "site": site,
        "locale": locale,
        "t": locale.text,
        "tn": locale.plural,
        **more,
    }


def site_view(
    controller: Controller,
    locale: Locale,
    *,
    home_url: str,
    centre_url: str,
    disclosures_url: str,
    css_url: str,
    css_integrity: str = "",
    fresh: tuple[str, str] = ("", ""),
    languages: Sequence[LanguageLink] = (),
) -> SiteView:
    """The frame of all pages of one controller."""
    return SiteView(
        controller=controller.name,
        contact=contact_link(controller.contact),
        address=controller.address,
        authority=locale.localise(controller.authority),
        home_url=home_url,
        centre_url=centre_url,
        disclosures_url=disclosures_url,
        css_url=css_url,
        css_integrity=css_integrity,
        fresh=fresh,
        languages=tuple(languages),
    )


def ends_today(
    questions: Sequence[Question], locale: Locale, *, now: Millis
) -> Markup | None:
    """Until when a yes of today would hold; None if it has no end of its own."""
    length = questions[0].purpose.valid_for
    if length is None:
        return None
    end = locale.date(now + int(length.total_seconds() * 1000))
    return locale.text("A yes given today ends on {date}.", date=end)


def mask_account(account: str) -> str:
    """The account as its owner knows it and nobody else reads it: ``a•••@example.org``.

    Only a mail address is shortened; a name that the app shows is shown as it is.
    """
    name, at, host = account.rpartition("@")
    return f"{name[:1]}•••@{host}" if at and name and host else account


def problem_view(
    code: str,
    locale: Locale,
    *,
    status: int,
    sign_in_url: str = "",
    ask_url: str = "",
    unsaved: bool = False,
) -> ProblemView:
    """The page for a problem code; an unknown code is told as a bad request.

    ``unsaved`` is for somebody who answered and was signed out by then.
    """
    title, detail = _PROBLEMS.get(code, _UNREADABLE)
    detail = _UNSAVED if unsaved else detail
    return ProblemView(
        title=locale.text(title),
        detail=locale.text(detail),
        status=status,
        sign_in_url=sign_in_url,
        ask_url=ask_url,
    )
