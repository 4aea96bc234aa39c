"""Which mandatory elements of a notice a registry lacks.

GDPR Art. 13-14; EDPB guidelines 05/2020 §64; PIPL Art. 17, 23, 30, 39; ISO/IEC 29184
5.3.2-5.3.16. Every missing element is named at once: a person who fixes declarations
should not have to start the app once for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.text import TextLike
from consentkit.core.text import locales_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consentkit.core.registry import Question
    from consentkit.core.registry import Registry
    from consentkit.core.vocabulary import Purpose
    from consentkit.core.vocabulary import Recipient

__all__ = ["missing_elements"]


def missing_elements(registry: Registry) -> Iterator[str]:
    """Each missing element as a line: where it belongs, what it is, what it is for."""
    locales = registry.locales
    yield from _controller(registry)
    if not registry.purposes:
        yield "the registry: at least one purpose"
    for recipient in registry.recipients.values():
        if recipient.relation != "own":
            yield from _recipient(recipient, locales)
    for purpose in registry.purposes.values():
        yield from _purpose(purpose, locales)
    for question in registry.all_questions():
        if not question.transfer:
            yield from _question(question, locales)


def _controller(registry: Registry) -> Iterator[str]:
    controller = registry.controller
    where = f"controller {controller.id!r}"
    yield from _lacking(
        where,
        registry.locales,
        name=(controller.name, "its legal name"),
        contact=(controller.contact, "where people reach it"),
        address=(controller.address, "its postal address"),
        country=(controller.country, "its home territory"),
        authority=(controller.authority, "whom to complain to"),
        rights=(controller.rights, "which other rights there are and how to use them"),
    )


def _recipient(recipient: Recipient, locales: tuple[str, ...]) -> Iterator[str]:
    yield from _lacking(
        f"recipient {recipient.id!r}",
        locales,
        name=(recipient.name, "its legal name"),
        contact=(recipient.contact, "where people reach it"),
        country=(recipient.country, "where the data goes"),
        agreement=(recipient.agreement, "the contract that binds it"),
    )


def _purpose(purpose: Purpose, locales: tuple[str, ...]) -> Iterator[str]:
    where = f"purpose {purpose.id!r}"
    yield from _lacking(
        where,
        locales,
        title=(purpose.title, "what the data is used for"),
        description=(purpose.description, "the same in a sentence or two"),
        retention=(purpose.retention, "how long the data is kept"),
    )
    if purpose.aim:
        yield from _lacking(
            where, locales, aim=(purpose.aim, "the same in all locales")
        )
    if not purpose.items:
        yield f"{where}: data (which data categories are used)"
    if not purpose.recipients and not purpose.own_use:
        yield f"{where}: recipients, or own_use=True (who uses the data)"
    if purpose.valid_for is None:
        yield f"{where}: valid_for (until when an answer holds; endless is refused)"
    for item in purpose.items:
        category = f"data category {item.category.id!r} of {where}"
        yield from _lacking(
            category,
            locales,
            title=(item.category.title, "its name"),
            if_refused=(
                item.if_refused or purpose.if_refused,
                "what happens without it",
            ),
        )
    if any(item.category.sensitive or item.category.special for item in purpose.items):
        yield from _lacking(
            where,
            locales,
            necessity=(purpose.necessity, "why the sensitive data is needed"),
            impact=(purpose.impact, "what it can mean for the person"),
        )
    if purpose.automated is not None:
        yield from _lacking(
            f"automated decision of {where}",
            locales,
            logic=(purpose.automated.logic, "how it works"),
            consequence=(purpose.automated.consequence, "what follows from it"),
            human=(purpose.automated.human, "how to refuse it or get a human"),
        )


def _question(question: Question, locales: tuple[str, ...]) -> Iterator[str]:
    recipient, purpose = question.recipient, question.purpose
    if recipient.relation != "own":
        yield from _lacking(
            f"recipient {recipient.id!r} or purpose {purpose.id!r}",
            locales,
            method=(recipient.method or purpose.method, "how the data travels"),
        )
    if question.cross_border:
        yield from _lacking(
            f"recipient {recipient.id!r} (outside {question.controller.country})",
            locales,
            safeguard=(recipient.safeguard, "what protects the data there"),
            rights_url=(recipient.rights_url, "how to use one's rights there"),
            risks=(recipient.risks, "what the transfer can mean"),
        )


def _lacking(
    where: str, locales: tuple[str, ...], **elements: tuple[TextLike, str]
) -> Iterator[str]:
    for name, (value, meaning) in elements.items():
        if not value or (isinstance(value, str) and not value.strip()):
            yield f"{where}: {name} ({meaning})"
            continue
        written = locales_of(value)
        for locale in locales if written is not None else ():
            if locale not in (written or ()) or not _text(value, locale).strip():
                yield f"{where}: {name} in {locale!r} ({meaning})"


def _text(value: TextLike, locale: str) -> str:
    return value if isinstance(value, str) else value.get(locale, "")
