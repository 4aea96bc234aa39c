"""The standing answers of one person, as the cards that several pages show."""

from __future__ import annotations

from dataclasses import dataclass
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
    from collections.abc import Collection
    from collections.abc import Mapping

    from consentkit.core.status import Status
    from consentkit.service.awaiting import Awaited
    from consentkit.store.deliveries import Delivery
    from consentkit.web.locale import Locale
    from consentkit.web.state import AppState

    Key = tuple[str, str]

__all__ = ["cards_for"]

_ASKING = frozenset({"consentkit.ask", "consentkit.choices"})


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of answers beside themselves, and of the acts they rest on.

    ``told`` is what each recipient was, or is to be, told, by act and recipient;
    ``corrected`` and ``signalled`` are acts that stand for a mistake, or that a
    browser's signal made; ``waits`` are the yeses that are to be confirmed.
    """

    told: Mapping[tuple[str, str], Delivery]
    corrected: Collection[str]
    signalled: Collection[str]
    waits: Mapping[Key, Awaited]

    @classmethod
    def of(
        cls, state: AppState, subject: str, standing: Mapping[Key, Status]
    ) -> _Known:
        installation, found = state.installation, standing.values()
        asserted = any(each.assurance is Assurance.ASSERTED for each in found)
        return cls(
            told=_told_by_act(state, subject),
            corrected=_corrections(state, subject) if asserted else (),
            signalled=ended_by_signal(installation, subject, list(found)),
            waits=awaiting(installation, subject, standing),
        )


def cards_for(
    state: AppState, subject: str, locale: Locale, *, purpose_id: str | None = None
) -> tuple[CardView, ...]:
    """One card a standing answer, newest first; of one purpose or of all.

    Raises:
        LogUnavailableError: the database cannot be reached.
    """
    installation = state.installation
    standing = installation.history.statuses(subject)
    wanted = _newest_first(standing, purpose_id)
    if not wanted:
        return ()
    now, registry = installation.clock(), installation.registry
    known = _Known.of(state, subject, wanted)
    of_age = installation.representations.of_age(subject)
    cards = []
    for key, status in wanted.items():
        # Until when it holds; once it has lapsed, ``told_of_others`` says why.
        held = status.by_age(of_age) if now < status.ends(of_age) else status
        card = _card(state, subject, key, held, locale, known=known)
        if lacks_its_pair(key, standing, registry, now=now):
            card = paired_card(card, registry, locale)
        cards.append(card)
    return told_of_others(state, subject, cards, wanted, locale)


def _newest_first(
    standing: Mapping[Key, Status], purpose_id: str | None
) -> dict[Key, Status]:
    """Those about one purpose, or all."""
    wanted = (
        (key, status)
        for key, status in standing.items()
        if purpose_id in (None, key[0].removesuffix(CROSS_BORDER))
    )
    return dict(sorted(wanted, key=lambda item: (-item[1].since, item[0])))


def _told_by_act(state: AppState, subject: str) -> dict[tuple[str, str], Delivery]:
    """What each recipient was, or is to be, told; nobody is of our own use."""
    person = state.installation.history.person(subject)
    found = state.installation.deliveries.about(person.handle) if person else ()
    return {
        (each.record, each.recipient): each
        for each in found
        if each.recipient != OWN_USE_ID
    }


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
    key: Key,
    status: Status,
    locale: Locale,
    *,
    known: _Known,
) -> CardView:
    now, awaited = state.installation.clock(), known.waits.get(key)
    again = awaited if awaited and can_be_sent_again(status, now) else None
    asking = request.endpoint in _ASKING
    return card_view(
        status,
        key,
        state.installation.registry,
        locale,
        now=now,
        stop_token=state.tokens.issue_stop(bearer(state, subject), *key),
        receipt_url=url_for("consentkit.receipt", receipt_id=status.record),
        # Not from the question's own page to itself.
        ask_url="" if asking else _ask_url(state, key),
        delivery=known.told.get((status.record, key[1])),
        corrected=status.record in known.corrected,
        signalled=status.record in known.signalled,
        quiet_until=None if asking else state.config.cooldown.ends(status),
        awaited=awaited,
        again_token=_again_token(state, subject, again) if again else "",
        again_url=url_for("consentkit.confirmation_again") if again else "",
    )


def _ask_url(state: AppState, key: Key) -> str:
    """Where the question can be answered anew; empty if it is no longer declared."""
    if not state.installation.registry.question(*key):
        return ""
    return url_for("consentkit.ask", purpose=key[0].removesuffix(CROSS_BORDER))


def _again_token(state: AppState, subject: str, awaited: Awaited) -> str:
    """For the person alone, not for who acts for them."""
    if bearer(state, subject) != subject:
        return ""
    return state.tokens.issue_again(subject, awaited.rests_on)
