"""What a person can look up: the centre, who received the data, a receipt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from consentkit.core.act import Assurance
from consentkit.core.decision import Reason
from consentkit.core.legal_basis import LegalBasis
from consentkit.core.legal_basis import has_left
from consentkit.web.answers import Matter
from consentkit.web.answers import data_titles
from consentkit.web.locale import mark

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Iterator
    from collections.abc import Sequence

    from consentkit.core.act import Millis
    from consentkit.core.registry import Registry
    from consentkit.web.answers import CardView
    from consentkit.web.answers import ChoiceLine
    from consentkit.web.locale import Locale

__all__ = [
    "CentreView",
    "CheckingView",
    "DisclosureRow",
    "DisclosuresView",
    "GroupView",
    "ReceiptView",
    "assurance_text",
    "centre_view",
    "disclosure_row",
]

_REFUSALS = {
    Reason.NOT_ASKED: mark("Refused: you had not answered."),
    Reason.REFUSED: mark("Refused: you had said no."),
    Reason.DEFERRED: mark("Refused: you had not decided yet."),
    Reason.WITHDRAWN: mark("Refused: you had stopped it."),
    Reason.REVOKED: mark("Refused: the agreement had been ended."),
    Reason.INVALIDATED: mark("Refused: your yes had been cancelled."),
    Reason.EXPIRED: mark("Refused: your yes had run out."),
    Reason.DATA_NOT_COVERED: mark("Refused: you had not agreed to all of this data."),
    Reason.SCOPE_CHANGED: mark("Refused: something had changed since your yes."),
    Reason.CROSS_BORDER_CONSENT_MISSING: mark(
        "Refused: you had not agreed to sending data abroad."
    ),
    Reason.GUARDIAN_REAFFIRMATION_NEEDED: mark(
        "Refused: you had not confirmed your guardian's yes."
    ),
    Reason.PROHIBITED_FOR_MINORS: mark("Refused: this is not allowed under age."),
    Reason.OPT_OUT_SIGNAL: mark("Refused: your browser asks us not to share."),
    Reason.PURPOSE_UNKNOWN: mark("Refused: this was never put to you as a question."),
    Reason.RECIPIENT_UNKNOWN: mark("Refused: this was never put to you as a question."),
    Reason.RECIPIENT_INACTIVE: mark("Refused: this recipient was switched off."),
    Reason.SUSPENDED: mark("Refused: this kind of sharing was switched off."),
}
_RELEASED = {
    LegalBasis.LEGAL_OBLIGATION: mark(
        "Released without your consent: the law requires it."
    ),
    LegalBasis.VITAL_INTEREST: mark(
        "Released without your consent: to protect somebody's life."
    ),
}
_REFUSED = mark("Refused: it could not be checked that you agree.")

_GROUPS = (
    ("agreed", mark("Agreed"), mark("You have agreed to nothing. That is fine.")),
    ("partial", mark("Agreed in part"), None),
    (
        "declined",
        mark("Not agreed"),
        mark("Questions that you answered with no, or not yet, stand here."),
    ),
    (
        "ended",
        mark("Ended"),
        mark("What you stopped, or what came to its end, stands here."),
    ),
)

_ASSURANCES = {
    Assurance.ASSERTED: mark(
        "Somebody else told us; it does not count as your answer."
    ),
    Assurance.SESSION: mark("You were signed in."),
    Assurance.CONFIRMED: mark("You were signed in and confirmed it a second time."),
    Assurance.SIGNED: mark("You signed it with your own key."),
}


@dataclass(frozen=True, slots=True)
class GroupView:
    """One of the groups of cards, and what it says when it is empty."""

    id: str
    title: Markup
    empty: Markup
    cards: tuple[CardView, ...]


@dataclass(frozen=True, slots=True)
class DisclosureRow:
    """One share, or one attempt that was refused (R77).

    ``basis`` says on which answer it rests, ``receipt_url`` leads there.
    """

    at: Markup
    recipient: str
    data: tuple[str, ...]
    purpose: str
    outcome: Markup
    refused: bool
    basis: Markup | None = None
    receipt_url: str = ""


@dataclass(frozen=True, slots=True)
class DisclosuresView:
    """A page of the table of shares. Empty addresses are not shown.

    ``recipients`` are (id, name) to filter by, ``recipient`` the one filtered by.
    ``may_be_barred`` says that a court could keep a line from this page for a time.
    ``lang`` is the language that the form has to ask for again, if any was asked for.
    """

    rows: tuple[DisclosureRow, ...]
    may_be_barred: bool = False
    url: str = ""
    lang: str = ""
    recipients: tuple[tuple[str, str], ...] = ()
    recipient: str = ""
    newer_url: str = ""
    older_url: str = ""
    all_url: str = ""
    export_url: str = ""


@dataclass(frozen=True, slots=True)
class CentreView:
    """All standing answers of one person, and what was shared last.

    ``stop_all_token`` is empty unless there is more than one thing to stop. ``asks``
    are (title, address) of purposes that never came up. ``acting`` says for whom who
    is signed in answers; with ``limited`` they see what was left to them and no more.
    """

    summary: Markup
    groups: tuple[GroupView, ...]
    disclosures: DisclosuresView
    revoke_url: str
    account: str = ""
    stop_all_token: str = ""
    csrf_token: str = ""
    asks: tuple[tuple[str, str], ...] = ()
    export_url: str = ""
    copy_url: str = ""
    erase_url: str = ""
    opt_out_signal: bool = False
    despite_signal: bool = False
    acting: Markup | None = None
    delegations_url: str = ""
    limited: bool = False


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A receipt to read and to print; the files beside it are the proof.

    ``index`` and ``size`` are None until the log holds the entry; until then the signed
    entry is a promise. ``entry`` is the leaf hash, ``root`` the root hash, both in hex.
    ``correction`` leads to what counts instead, if this was recorded by mistake.
    ``keys`` are the verifier keys under which the script checks the proof in the page,
    and ``checking_url`` tells how to check it elsewhere.
    """

    id: str
    at: Markup
    lines: tuple[ChoiceLine, ...]
    assurance: Markup
    handle: str
    notice: str
    notice_url: str
    log: str
    entry: str
    index: int | None
    size: int | None
    root: str
    proof_url: str
    json_url: str
    correction: Markup | None = None
    keys: tuple[str, ...] = ()
    checking_url: str = ""
    script_url: str = ""
    script_integrity: str = ""


@dataclass(frozen=True, slots=True)
class CheckingView:
    """How to check a receipt without us: ``logs`` are (origin, verifier keys).

    The keys are those of the log and of its collectors.
    """

    logs: tuple[tuple[str, tuple[str, ...]], ...]


def centre_view(
    cards: Sequence[CardView],
    locale: Locale,
    *,
    disclosures: DisclosuresView,
    revoke_url: str,
    account: str = "",
    stop_all_token: str = "",
    csrf_token: str = "",
    asks: Iterable[tuple[str, str]] = (),
    export_url: str = "",
    copy_url: str = "",
    erase_url: str = "",
    opt_out_signal: bool = False,
    despite_signal: bool = False,
) -> CentreView:
    """The centre with its cards in groups; each group keeps the cards' order."""
    return CentreView(
        summary=_summary(cards, locale),
        groups=tuple(_groups(cards, locale)),
        disclosures=disclosures,
        revoke_url=revoke_url,
        account=account,
        stop_all_token=stop_all_token if _stoppable(cards) > 1 else "",
        csrf_token=csrf_token,
        asks=tuple(asks),
        export_url=export_url,
        copy_url=copy_url,
        erase_url=erase_url,
        opt_out_signal=opt_out_signal,
        despite_signal=despite_signal,
    )


def disclosure_row(
    *,
    registry: Registry,
    locale: Locale,
    time: Millis,
    purpose: str,
    recipient: str,
    data: Iterable[str],
    reason: Reason | LegalBasis = Reason.GRANTED,
    agreed: Millis | None = None,
    receipt_url: str = "",
) -> DisclosureRow:
    """The row of one share or release, or of one attempt if ``reason`` is a refusal.

    ``agreed`` is when the person gave the answer that the share rests on.
    """
    matter = Matter.of((purpose, recipient), registry, locale)
    return DisclosureRow(
        at=locale.moment(time),
        recipient=matter.recipient,
        data=data_titles(data, registry, locale),
        purpose=matter.purpose,
        outcome=_outcome(reason, locale),
        refused=not has_left(reason),
        basis=(
            locale.text("Your yes of {date}", date=locale.date(agreed))
            if agreed is not None
            else None
        ),
        receipt_url=receipt_url,
    )


def _outcome(reason: Reason | LegalBasis, locale: Locale) -> Markup:
    if isinstance(reason, LegalBasis):
        return locale.text(_RELEASED[reason])
    if reason is Reason.GRANTED:
        return locale.text("Shared.")
    return locale.text(_REFUSALS.get(reason, _REFUSED))


def assurance_text(assurance: Assurance, locale: Locale) -> Markup:
    """How we know that it was the person, in one sentence."""
    return locale.text(_ASSURANCES[assurance])


def _groups(cards: Sequence[CardView], locale: Locale) -> Iterator[GroupView]:
    """The groups in their order; one with nothing to say when empty is left out."""
    for name, title, empty in _GROUPS:
        held = tuple(card for card in cards if card.group == name)
        if held or empty:
            yield GroupView(
                id=name,
                title=locale.text(title),
                empty=locale.text(empty) if empty else Markup(),
                cards=held,
            )


def _summary(cards: Sequence[CardView], locale: Locale) -> Markup:
    """With how many the person shares data, by name."""
    names = dict.fromkeys(
        card.matter.recipient
        for card in cards
        if card.group == "agreed" and card.matter.deed == "share"
    )
    if not names:
        return locale.text("You share data with *nobody*.")
    return locale.plural(
        "You share data with *{count} organisation*: {names}.",
        "You share data with *{count} organisations*: {names}.",
        len(names),
        names=locale.names(names),
    )


def _stoppable(cards: Sequence[CardView]) -> int:
    return sum(1 for card in cards if card.stop_token)
