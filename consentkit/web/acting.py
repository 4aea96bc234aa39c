"""Somebody acts for somebody else on our pages: what they are told, where they get.

Whether they may act is decided in ``service.representing``; here is what a page says of
it, and which pages are none of a delegate's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import request
from flask import url_for

from consentkit.core.act import Actor
from consentkit.errors import InvalidRequestError
from consentkit.service.maturity import bar
from consentkit.service.maturity import is_joint
from consentkit.service.representing import check_authority
from consentkit.service.representing import delegation_for
from consentkit.web.locale import mark
from consentkit.web.pages import mask_account
from consentkit.web.pages import problem_view
from consentkit.web.state import current_state
from consentkit.web.subject import current_representative
from consentkit.web.subject import signed_in_subject

if TYPE_CHECKING:
    from collections.abc import Collection

    from markupsafe import Markup

    from consentkit.core.act import Millis
    from consentkit.core.purpose import Purpose
    from consentkit.core.representative import Representative
    from consentkit.web.history import CentreView
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = [
    "FORBIDDEN",
    "account_of",
    "acting_line",
    "as_seen",
    "bar_of",
    "check_may_act",
    "left_to",
    "refusal_of",
    "refuse_who_may_not",
    "whose_yes",
]

_LINES = {
    Actor.PARENT: mark(
        "You answer for *{name}*, as a parent. “You” on this page means {name}."
    ),
    Actor.GUARDIAN: mark(
        "You answer for *{name}*, as a guardian. “You” on this page means {name}."
    ),
    Actor.DELEGATE: mark(
        "You answer for *{name}*, who left this to you. "
        "“You” on this page means {name}."
    ),
}
_TOO_YOUNG = mark(
    "You are not old enough to say yes to this alone: a parent or guardian has to. "
    "You can say no yourself."
)
_UNKNOWN = mark(
    "We do not know how old you are, so you cannot say yes here yet. "
    "You can say no yourself."
)
_BOTH = mark("Your yes counts once a parent or guardian says yes as well.")
_BOTH_FOR = mark("Your yes counts once {name} says yes as well.")
_NOBODY = mark(
    "You are not old enough to say yes to this, and nobody can say it for you. "
    "So nothing is done here, and there is nothing to decide."
)
FORBIDDEN = mark(
    "The law forbids this for children, whoever agrees. So nothing is done here, "
    "and there is nothing to decide."
)
"""Of a purpose that a profile forbids."""

_BARRED = {
    "age-needed": mark("We do not know how old you are."),
    "not-before-of-age": _NOBODY,
    "own-confirmation": mark("Only the person can say yes to this."),
    "prohibited-for-minors": FORBIDDEN,
}

# Open to everybody, or of no person.
_PUBLIC = frozenset(
    {
        *("static", "checking", "nothing_left"),
        *("notice", "notice_manifest", "notice_html"),
        *("log_checkpoint", "log_tile", "log_timestamp"),
        *("api.checks", "api.elsewhere", "api.notice", "api.openapi"),
    }
)
_OF_DELEGATES = frozenset(
    {
        *("centre", "ask", "choices", "revocations", "result"),
        *("api.choices", "api.presentations", "api.revocations", "api.status"),
    }
)
# What only the person can do: confirm a yes of theirs, let somebody answer for them.
_OF_THE_PERSON = frozenset(
    {
        *("confirmation", "confirmations", "confirmation_again"),
        *("delegations", "delegation_end"),
    }
)


def account_of(state: AppState) -> str:
    """The account that is signed in, as its owner knows it."""
    here = signed_in_subject(state)
    return mask_account(state.loaders.account_label(here)) if here else ""


def acting_line(state: AppState, locale: Locale) -> Markup | None:
    """For whom the person signed in answers; None if for themselves."""
    acting = current_representative(state)
    if acting is None:
        return None
    return locale.text(_LINES[Actor(acting.actor)], name=acting.label)


def left_to(state: AppState, acting: Representative | None) -> frozenset[str] | None:
    """The purposes that a delegate may answer about; None is no limit."""
    if acting is None or acting.is_guardian:
        return None
    now = state.installation.clock()
    given = state.installation.representations.delegations(str(acting.subject))
    return frozenset(
        purpose
        for each in given
        if each.delegate == str(acting.by) and each.holds(now)
        for purpose in each.purposes
    )


def as_seen(
    state: AppState, subject: str, view: CentreView, locale: Locale
) -> CentreView:
    """The centre as who is signed in may see it."""
    acting = current_representative(state)
    view = replace(view, acting=acting_line(state, locale))
    if acting is None:
        given = state.installation.representations.delegations(subject)
        here = url_for("consentkit.delegations") if given else ""
        return replace(view, delegations_url=here)
    limit = left_to(state, acting)
    if limit is None:
        return view
    known = state.installation.registry.purposes
    mine = {
        url_for("consentkit.ask", purpose=each)
        for each in limit
        if each in known and not known[each].two_stage
    }
    return replace(
        view,
        limited=True,
        stop_all_token="",
        asks=tuple(each for each in view.asks if each[1] in mine),
        export_url="",
        copy_url="",
        erase_url="",
    )


def check_may_act(
    state: AppState, acting: Representative | None, purposes: Collection[str] = ()
) -> None:
    """Refuse who may not answer for the person, about these purposes or at all.

    Raises:
        InvalidRequestError: see ``service.representing``.
    """
    if acting is None:
        return
    now = state.installation.clock()
    check_authority(state.installation, acting, now)
    if not acting.is_guardian:
        given = state.installation.representations.delegations(str(acting.subject))
        delegation_for(given, acting, purposes, now)


def refusal_of(
    state: AppState, locale: Locale, purposes: Collection[str]
) -> Markup | None:
    """Why the person signed in may not answer about these; None if they may."""
    try:
        check_may_act(state, current_representative(state), purposes)
    except InvalidRequestError as error:
        return problem_view(error.code, locale, status=403).title
    return None


def refuse_who_may_not() -> None:
    """Before each request of ours: keep who may not act from the person's pages.

    Raises:
        InvalidRequestError: see ``service.representing``, or the page is the person's
            alone (code ``forbidden``).
    """
    _, _, name = (request.endpoint or "").partition(".")
    state = current_state()
    if state.loaders.representative is None or name in _PUBLIC:
        return
    acting = current_representative(state)
    if acting is None:
        return
    check_may_act(state, acting)
    if name in _OF_THE_PERSON or not (acting.is_guardian or name in _OF_DELEGATES):
        raise InvalidRequestError(
            "this is for the person themselves; nothing was stored", code="forbidden"
        )


def bar_of(state: AppState, subject: str, purpose: Purpose) -> str:
    """Why no yes of who is signed in can succeed; empty if one can, see ``bar``."""
    noted = state.installation.representations.of_age(subject)
    return _bar(state, subject, purpose, noted)


def _bar(state: AppState, subject: str, purpose: Purpose, noted: Millis | None) -> str:
    return bar(
        state.installation,
        subject,
        purpose,
        represented=current_representative(state) is not None,
        noted=noted,
    )


def whose_yes(
    state: AppState, subject: str, purpose: Purpose, locale: Locale
) -> Markup | None:
    """What has to be said before a question of whose yes it takes; None if nothing."""
    installation, acting = state.installation, current_representative(state)
    now = installation.clock()
    noted = installation.representations.of_age(subject)
    if barred := _bar(state, subject, purpose, noted):
        return locale.text(_BARRED[barred])
    if not installation.ages.is_child(subject, now, noted):
        return None
    if installation.ages.is_unknown(subject, noted):
        return locale.text(_UNKNOWN)
    joint = is_joint(installation, purpose)
    if acting is None or not acting.is_guardian:
        return locale.text(_BOTH if joint else _TOO_YOUNG)
    return locale.text(_BOTH_FOR, name=acting.label) if joint else None
