"""Whom a person lets answer for them: the page that shows it and takes it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint
from flask import Response
from flask import request
from flask import url_for

from consentkit.service.representing import end_delegation
from consentkit.web import frame
from consentkit.web.acting import account_of
from consentkit.web.centre import signed_in
from consentkit.web.locale import mark
from consentkit.web.origin import check_same_site
from consentkit.web.schemas import form_token

if TYPE_CHECKING:
    from markupsafe import Markup

    from consentkit.core.act import Millis
    from consentkit.core.registry import Registry
    from consentkit.store.representing import Delegation
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = ["DelegationView", "DelegationsView", "add_routes", "delegation_view"]

_HOLDS = mark("Can answer for you until {until}")
_ENDED = mark("You took this back on {ended}.")
_OVER = mark("This ended by itself on {until}.")


@dataclass(frozen=True, slots=True)
class DelegationView:
    """One of them; without ``token`` there is nothing to take back any more."""

    element: str
    label: str
    stands: Markup
    since: Markup
    purposes: tuple[str, ...]
    token: str = ""


@dataclass(frozen=True, slots=True)
class DelegationsView:
    """All that the person ever let somebody do, the newest first."""

    delegations: tuple[DelegationView, ...]
    action: str
    account: str = ""
    csrf_token: str = ""


def delegation_view(
    delegation: Delegation,
    registry: Registry,
    locale: Locale,
    *,
    now: Millis,
    token: str,
) -> DelegationView:
    """One delegation in words; a purpose that is no longer declared by its id.

    One that has got two stages since is left out: nobody can say yes to it for them.
    """
    holds = delegation.holds(now)
    stands = _HOLDS if holds else _OVER if delegation.ended is None else _ENDED
    known = registry.purposes
    return DelegationView(
        element=f"consentkit-{delegation.id}",
        label=delegation.label,
        stands=locale.text(
            stands,
            until=locale.date(delegation.until),
            ended=locale.date(delegation.ended or delegation.until),
        ),
        since=locale.text("Since {since}", since=locale.date(delegation.since)),
        purposes=tuple(
            locale.localise(known[each].title) if each in known else each
            for each in delegation.purposes
            if each not in known or not known[each].two_stage
        ),
        token=token if holds else "",
    )


@signed_in
def _delegations(state: AppState, subject: str) -> Response:
    installation, locale = state.installation, frame.current_locale(state)
    now = installation.clock()
    view = DelegationsView(
        delegations=tuple(
            delegation_view(
                each,
                installation.registry,
                locale,
                now=now,
                token=state.tokens.issue_delegation(subject, each.id),
            )
            for each in reversed(installation.representations.delegations(subject))
        ),
        action=url_for("consentkit.delegation_end"),
        account=account_of(state),
        csrf_token=frame.host_csrf_token(),
    )
    return frame.page("delegations.html", view)


@signed_in
def _end(state: AppState, subject: str) -> Response:
    check_same_site()
    delegation = state.tokens.read_delegation(form_token(request.form), subject)
    end_delegation(state.installation, subject, delegation)
    return frame.see_other(url_for("consentkit.delegations"))


def add_routes(blueprint: Blueprint) -> None:
    """Put the two on the blueprint."""
    add = blueprint.add_url_rule
    add("/delegations", "delegations", _delegations)
    add("/delegations", "delegation_end", _end, methods=["POST"])
