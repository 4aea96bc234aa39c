"""What a person reads before they erase their records.

Said in plain words: what goes, what stays, why and until when (GDPR Art. 17(3); R92).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consentkit.web.answers import choice_line
from consentkit.web.wording import contact_link

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Sequence

    from markupsafe import Markup

    from consentkit.core.act import Choice
    from consentkit.core.act import Millis
    from consentkit.core.registry import Registry
    from consentkit.web.locale import Locale

__all__ = ["ErasureView", "erasure_view"]


@dataclass(frozen=True, slots=True)
class ErasureView:
    """The page with the button. Without ``token`` nothing is there to erase.

    ``received`` are those who have the person's data already: name and contact.
    ``receipts`` are links to take along first, each with what was said. Empty addresses
    are not shown.
    """

    action: str
    token: str = ""
    csrf_token: str = ""
    account: str = ""
    goes: tuple[Markup, ...] = ()
    stays: tuple[Markup, ...] = ()
    received: tuple[tuple[str, Markup], ...] = ()
    receipts: tuple[tuple[Markup, tuple[Markup, ...]], ...] = ()
    disclosures_url: str = ""
    export_url: str = ""
    copy_url: str = ""


def erasure_view(
    locale: Locale,
    registry: Registry,
    *,
    action: str,
    token: str,
    entries: int,
    received: Iterable[str],
    receipts: Iterable[tuple[Millis, Iterable[Choice], str]],
    delegates: Sequence[str] = (),
    csrf_token: str = "",
    account: str = "",
    disclosures_url: str = "",
    export_url: str = "",
    copy_url: str = "",
) -> ErasureView:
    """The page for somebody about whom the log holds so many ``entries``.

    ``received`` are the ids of recipients, ``receipts`` when each act was, what was
    said and where its receipt is, ``delegates`` the names of those who can answer for
    the person now.
    """
    return ErasureView(
        action=action,
        token=token,
        csrf_token=csrf_token,
        account=account,
        goes=_goes(locale, delegates),
        stays=_stays(locale, registry, entries),
        received=tuple(_party(each, registry) for each in received),
        receipts=tuple(
            _receipt(time, choices, url, registry, locale)
            for time, choices, url in receipts
        ),
        disclosures_url=disclosures_url,
        export_url=export_url,
        copy_url=copy_url,
    )


def _receipt(
    time: Millis,
    choices: Iterable[Choice],
    url: str,
    registry: Registry,
    locale: Locale,
) -> tuple[Markup, tuple[Markup, ...]]:
    """A link to one receipt, and what was said there: many are of the same minute."""
    link = locale.text("[Receipt of {moment}]", link=url, moment=locale.moment(time))
    said = (choice_line(each, each.key, registry, locale).said for each in choices)
    return link, tuple(said)


def _goes(locale: Locale, delegates: Sequence[str]) -> tuple[Markup, ...]:
    ended = locale.text(
        "*Who can answer for you*: {names}. After that nobody can.",
        names=locale.names(delegates),
    )
    return (
        locale.text(
            "*Your answers.* What you allowed ends at once. "
            "Nothing is shared until you agree again."
        ),
        locale.text("*The list* of who received your data."),
        locale.text("*The details* of each answer: its language, page and browser."),
        *([ended] if delegates else []),
        locale.text("*The link* between you and your number in the log."),
    )


def _stays(locale: Locale, registry: Registry, entries: int) -> tuple[Markup, ...]:
    return (
        locale.sentences(
            locale.plural(
                "*{count} entry in the log*, under a number drawn by chance.",
                "*{count} entries in the log*, under a number drawn by chance.",
                entries,
            ),
            locale.text(
                "Afterwards only your own receipts show that this number is you."
            ),
            locale.text(
                "Entries stay as long as the log, so that anyone can check it is whole."
            ),
        ),
        locale.text("*One more entry*: that this number was erased, and when."),
        locale.text(
            "*Your account* with {controller}. You stay signed in.",
            controller=registry.controller.name,
        ),
        locale.text(
            "*Backups* hold your records until newer backups take their place."
        ),
    )


def _party(recipient: str, registry: Registry) -> tuple[str, Markup]:
    """Name and contact; the bare id of one that is no longer declared."""
    known = registry.recipients.get(recipient)
    if known is None:
        return recipient, contact_link("")
    return known.name, contact_link(known.contact)
