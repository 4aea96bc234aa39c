"""Everything that is held about a person, to read and to print (GDPR Art. 15; R91)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from dataclasses import replace
from typing import TYPE_CHECKING

from markupsafe import Markup

from consentkit.audit.replay import act_of
from consentkit.core.act import Millis
from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.web.answers import Matter
from consentkit.web.answers import choice_line
from consentkit.web.answers import data_titles
from consentkit.web.answers import told_text
from consentkit.web.locale import Locale
from consentkit.web.locale import mark

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Iterable
    from collections.abc import Iterator

    from consentkit.core.notice import Notice
    from consentkit.core.registry import Registry
    from consentkit.service.personal import PersonalRecords
    from consentkit.service.receipts import Receipt
    from consentkit.store.deliveries import Delivery
    from consentkit.web.answers import CardView
    from consentkit.web.answers import ChoiceLine
    from consentkit.web.history import DisclosureRow

__all__ = ["ActView", "ExportView", "ShownView", "export_view"]

_ENDED = mark("“{purpose}” ended on {moment}.")
_NARROWED = mark("“{purpose}” ended on {moment} for some of the data: {data}.")
_PASSAGE = re.compile(r"(.*?)</(button|dd|div|dt|h[1-6]|label|legend|li|p)>", re.DOTALL)
_HEADINGS = frozenset({"dt", "legend", *(f"h{level}" for level in range(1, 7))})


@dataclass(frozen=True, slots=True)
class ActView:
    """One act: when it was, what was answered, and where it stands in the log."""

    at: Markup
    lines: tuple[ChoiceLine, ...]
    id: str
    entry: str
    index: int | None
    receipt_url: str


@dataclass(frozen=True, slots=True)
class ShownView:
    """A notice as text; ``url`` is where it stands as it was shown.

    ``passages`` are texts, each with whether it is a heading of what follows.
    """

    title: str
    passages: tuple[tuple[str, bool], ...]
    lang: str
    dir: str
    digest: str
    url: str


@dataclass(frozen=True, slots=True)
class ExportView:
    """What is held, in words. ``rows`` and ``notices`` are read while it is sent.

    ``told`` are what ended, and whether the one who is told of it knows. ``handle`` is
    empty where nothing is held.
    """

    made: Markup
    account: str
    handle: str
    file_url: str
    cards: tuple[CardView, ...]
    acts: tuple[ActView, ...]
    told: tuple[tuple[Markup, Markup], ...]
    shared: int
    rows: Iterator[DisclosureRow]
    notices: Iterator[ShownView]


def export_view(
    records: PersonalRecords,
    locale: Locale,
    *,
    account: str,
    file_url: str,
    cards: Iterable[CardView],
    shared: int,
    rows: Iterator[DisclosureRow],
    receipt_url: Callable[[str], str],
    notice_url: Callable[[str], str],
) -> ExportView:
    """The page over these records; ``shared`` is how many ``rows`` there are."""
    registry = records.installation.registry
    return ExportView(
        made=locale.moment(records.made),
        account=account,
        handle=str(records.person.handle) if records.person else "",
        file_url=file_url,
        # On paper there is nothing to press.
        cards=tuple(
            replace(each, stop_token="", again_token="", receipt_url="", ask_url="")
            for each in cards
        ),
        acts=tuple(_act(each, records, locale, receipt_url) for each in records.acts),
        told=tuple(
            _told(each, registry, locale)
            for each in records.told
            if each.recipient != OWN_USE_ID
        ),
        shared=shared,
        rows=rows,
        notices=(_shown(each, notice_url) for each in records.notices()),
    )


def _act(
    receipt: Receipt,
    records: PersonalRecords,
    locale: Locale,
    receipt_url: Callable[[str], str],
) -> ActView:
    leaf, registry = receipt.leaf, records.installation.registry
    waits = {each.key: each for each in records.awaited(leaf)}
    return ActView(
        at=locale.moment(Millis(leaf.time)),
        lines=tuple(
            choice_line(each, each.key, registry, locale, awaited=waits.get(each.key))
            for each in act_of(leaf).choices
        ),
        id=leaf.id,
        entry=leaf.hash.hex(),
        index=receipt.index,
        receipt_url=receipt_url(leaf.id),
    )


def _told(
    delivery: Delivery, registry: Registry, locale: Locale
) -> tuple[Markup, Markup]:
    """What ended and when, and whether the one who is told of it knows by now."""
    message = json.loads(delivery.body)["data"]
    when = locale.moment(delivery.created)
    ended = dict.fromkeys(each["purpose"] for each in message.get("ended", ()))
    matter = Matter.of(("", delivery.recipient), registry, locale)
    sentences = [
        *(
            locale.text(_ENDED, purpose=_title(each, registry, locale), moment=when)
            for each in ended
        ),
        *(
            locale.text(
                _NARROWED,
                purpose=_title(each["purpose"], registry, locale),
                moment=when,
                data=locale.quoted(data_titles(each["data"], registry, locale)),
            )
            for each in message.get("narrowed", ())
        ),
    ]
    return locale.sentences(*sentences), told_text(delivery, matter, locale)


def _title(purpose: str, registry: Registry, locale: Locale) -> str:
    return Matter.of((purpose, ""), registry, locale).purpose


def _shown(notice: Notice, notice_url: Callable[[str], str]) -> ShownView:
    # As text: the fragments of two notices would share the ids of their elements.
    found = (
        (Markup(html).striptags(), tag in _HEADINGS)  # noqa: S704  never used as markup
        for html, tag in _PASSAGE.findall(notice.html.decode())
    )
    passages = tuple(each for each in found if each[0])
    return ShownView(
        title=next((text for text, heads in passages if heads), notice.version),
        passages=passages,
        lang=notice.locale,
        dir=Locale(notice.locale).direction,
        digest=notice.digest,
        url=notice_url(notice.digest),
    )
