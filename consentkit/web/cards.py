"""The standing answers of one person, as the cards that several pages show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request
from flask import url_for

from consentkit.core.act import Assurance
from consentkit.core.pairing import lacks_its_pair
from consentkit.core.registry import CROSS_BORDER
from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.errors import ConfigurationError
from consentkit.errors import VerificationError
from consentkit.service.awaiting import awaiting
from consentkit.service.confirming import can_be_sent_again
from consentkit.service.honouring import ended_by_signal
from consentkit.service.receipts import list_receipts
from consentkit.web.abroad import paired_card
from consentkit.web.others import told_of_others
from consentkit.web.pages import CardView
from consentkit.web.pages import card_view
from consentkit.web.subject import bearer

if TYPE_CHECKING:
    from consentkit.core.status import Status
    from consentkit.service.awaiting import Awaited
    from consentkit.store.deliveries import Delivery
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

__all__ = ["cards_for"]

_ASKING = frozenset({"consentkit.ask", "consentkit.choices"})


def cards_for(
    state: AppState, subject: str, locale: Locale, *, purpose_id: str | None = None
) -> tuple[CardView, ...]:
    """One card a standing answer, newest first; of one purpose or of all.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    standing = state.installation.history.statuses(subject)
    wanted = [
        (key, status)
        for key, status in standing.items()
        if purpose_id in (None, key[0].removesuffix(CROSS_BORDER))
    ]
    if not wanted:
        return ()
    now = state.installation.clock()
    wanted.sort(key=lambda item: (-item[1].since, item[0]))
    told = _told_by_act(state, subject)
    asserted = any(status.assurance is Assurance.ASSERTED for _, status in wanted)
    corrected = _corrections(state, subject) if asserted else frozenset()
    signalled = ended_by_signal(
        state.installation, subject, [status for _, status in wanted]
    )
    waits = awaiting(state.installation, subject, dict(wanted))
    of_age = state.installation.representations.of_age(subject)
    cards = tuple(
        _card(
            state,
            subject,
            key,
            # Until when it holds; once it has lapsed, ``told_of_others`` says why.
            status.by_age(of_age) if now < status.ends(of_age) else status,
            locale,
            awaited=waits.get(key),
            delivery=told.get((status.record, key[1])),
            corrected=status.record in corrected,
            signalled=status.record in signalled,
        )
        for key, status in wanted
    )
    registry = state.installation.registry
    cards = tuple(
        paired_card(card, registry, locale)
        if lacks_its_pair(card.matter.key, standing, registry, now=now)
        else card
        for card in cards
    )
    return told_of_others(state, subject, cards, dict(wanted), locale)


def _told_by_act(state: AppState, subject: str) -> dict[tuple[str, str], Delivery]:
    """What each recipient was, or is to be, told, by the act that it is about."""
    person = state.installation.history.person(subject)
    found = state.installation.deliveries.about(person.handle) if person else ()
    return {(each.record, each.recipient): each for each in found}


def _corrections(state: AppState, subject: str) -> frozenset[str]:
    """The acts that stand for a mistake; none if their private facts do not open."""
    try:
        receipts = list_receipts(state.installation, subject)
    except (VerificationError, ConfigurationError):
        return frozenset()
    return frozenset(each.correction.id for each in receipts if each.correction)


def _card(
    state: AppState,
    subject: str,
    key: tuple[str, str],
    status: Status,
    locale: Locale,
    *,
    awaited: Awaited | None,
    delivery: Delivery | None,
    corrected: bool,
    signalled: bool,
) -> CardView:
    registry = state.installation.registry
    base = key[0].removesuffix(CROSS_BORDER)
    asking = request.endpoint in _ASKING
    now = state.installation.clock()
    again = awaited is not None and can_be_sent_again(status, now)
    return card_view(
        status,
        key,
        registry,
        locale,
        now=now,
        stop_token=state.tokens.issue_stop(bearer(state, subject), *key),
        receipt_url=url_for("consentkit.receipt", receipt_id=status.record),
        # Not from the question's own page to itself.
        ask_url=(
            url_for("consentkit.ask", purpose=base)
            if registry.question(*key) and not asking
            else ""
        ),
        delivery=delivery if key[1] != OWN_USE_ID else None,
        corrected=corrected,
        signalled=signalled,
        quiet_until=None if asking else state.config.cooldown.ends(status),
        awaited=awaited,
        again_token=(
            state.tokens.issue_again(subject, awaited.rests_on)
            if awaited and again and bearer(state, subject) == subject
            else ""
        ),
        again_url=url_for("consentkit.confirmation_again") if again else "",
    )
