"""Which mandatory elements of a notice a registry lacks.

GDPR Art. 13-14; EDPB guidelines 05/2020 §64; PIPL Art. 17, 23, 30, 39; ISO/IEC 29184
5.3.2-5.3.16. Every missing element is named at once: a person who fixes declarations
should not have to start the app once for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consentkit.core.legal_purpose import LegalPurpose
from consentkit.core.purpose import Purpose
from consentkit.core.text import TextLike
from consentkit.core.vocabulary import OWN_USE_ID
from consentkit.core.vocabulary import AutomatedDecision
from consentkit.core.vocabulary import Controller
from consentkit.core.vocabulary import DataCategory
from consentkit.core.vocabulary import DataItem
from consentkit.core.vocabulary import Recipient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping

    from consentkit.core.registry import Question
    from consentkit.core.registry import Registry

__all__ = ["missing_elements"]

_TEXTS: Mapping[type, tuple[str, ...]] = {
    Controller: ("authority", "rights"),
    Recipient: ("method", "safeguard", "risks"),
    DataCategory: ("title", "phrase"),
    DataItem: ("if_refused",),
    AutomatedDecision: ("logic", "consequence", "human"),
    Purpose: (
        *("title", "description", "aim", "method"),
        *("necessity", "impact", "if_refused"),
    ),
    LegalPurpose: ("title",),
}


def missing_elements(registry: Registry) -> Iterator[str]:
    """Each missing element as a line: where it belongs, what it is, what it is for.

    First what is absent, then what is there but not in every locale.
    """
    yield from _controller(registry.controller)
    if not registry.purposes:
        yield "the registry: at least one purpose"
    asked = {question.recipient_id for question in registry.all_questions()}
    for recipient in registry.recipients.values():
        if recipient.id in asked - {OWN_USE_ID}:
            yield from _recipient(recipient, home=registry.controller.country)
    for category in registry.categories.values():
        where = f"data category {category.id!r}"
        yield from _lacking(where, title=(category.title, "its name"))
    for purpose in registry.purposes.values():
        yield from _purpose(purpose)
    for legal in registry.legal_purposes.values():
        yield from _legal(legal, home=registry.controller.country)
    for question in registry.all_questions():
        if not question.transfer and not question.own_use:
            yield from _sharing(question)
    for where, name, text in _texts(registry):
        yield from _untranslated(where, name, text, registry.locales)


def _controller(controller: Controller) -> Iterator[str]:
    yield from _lacking(
        f"controller {controller.id!r}",
        name=(controller.name, "its legal name"),
        contact=(controller.contact, "where people reach it"),
        address=(controller.address, "its postal address"),
        country=(controller.country, "its home territory"),
        authority=(controller.authority, "whom to complain to"),
        rights=(controller.rights, "which other rights there are and how to use them"),
    )


def _recipient(recipient: Recipient, *, home: str) -> Iterator[str]:
    where = f"recipient {recipient.id!r}"
    yield from _lacking(
        where,
        name=(recipient.name, "its legal name"),
        contact=(recipient.contact, "where people reach it"),
        country=(recipient.country, "where the data goes"),
        agreement=(recipient.agreement, "the contract that binds it"),
    )
    if recipient.country and home and recipient.country != home:
        yield from _lacking(
            f"{where} (outside {home})",
            safeguard=(recipient.safeguard, "what protects the data there"),
            rights_url=(recipient.rights_url, "how to use one's rights there"),
            risks=(recipient.risks, "what the transfer can mean"),
        )


def _purpose(purpose: Purpose) -> Iterator[str]:
    where = f"purpose {purpose.id!r}"
    yield from _lacking(
        where,
        title=(purpose.title, "what the data is used for"),
        description=(purpose.description, "the same in a sentence or two"),
        retention=(purpose.retention, "how long the data is kept"),
    )
    if not purpose.items:
        yield f"{where}: data (which data categories are used)"
    if not purpose.recipients and not purpose.own_use:
        yield f"{where}: recipients, or own_use=True (who uses the data)"
    if purpose.valid_for is None:
        yield f"{where}: valid_for (until when an answer holds; endless is refused)"
    for item in purpose.items:
        yield from _lacking(
            _place(item, purpose),
            if_refused=(
                item.if_refused or purpose.if_refused,
                "what happens without it",
            ),
        )
    if any(item.category.sensitive or item.category.special for item in purpose.items):
        yield from _lacking(
            where,
            necessity=(purpose.necessity, "why the sensitive data is needed"),
            impact=(purpose.impact, "what it can mean for the person"),
        )
    if purpose.automated is not None:
        yield from _lacking(
            f"automated decision of {where}",
            logic=(purpose.automated.logic, "how it works"),
            consequence=(purpose.automated.consequence, "what follows from it"),
            human=(purpose.automated.human, "how to refuse it or get a human"),
        )


def _legal(purpose: LegalPurpose, *, home: str) -> Iterator[str]:
    """What a person has to be able to read of a release that nobody asked them for."""
    where = f"legal purpose {purpose.id!r}"
    yield from _lacking(where, title=(purpose.title, "what the data is released for"))
    for recipient in purpose.recipients:
        of_it = f"recipient {recipient.id!r}"
        yield from _lacking(of_it, name=(recipient.name, "its legal name"))
        if recipient.country and home and recipient.country != home:
            yield from _lacking(
                f"{of_it} (outside {home})",
                safeguard=(
                    recipient.safeguard,
                    "the treaty or approval that allows it (GDPR Art. 48; PIPL 41)",
                ),
            )


def _sharing(question: Question) -> Iterator[str]:
    recipient, purpose = question.recipient, question.purpose
    yield from _lacking(
        f"recipient {recipient.id!r} or purpose {purpose.id!r}",
        method=(recipient.method or purpose.method, "how the data travels"),
    )


def _place(item: DataItem, purpose: Purpose) -> str:
    return f"data category {item.category.id!r} of purpose {purpose.id!r}"


def _lacking(where: str, **elements: tuple[TextLike, str]) -> Iterator[str]:
    for name, (value, meaning) in elements.items():
        if not value or (isinstance(value, str) and not value.strip()):
            yield f"{where}: {name} ({meaning})"


def _texts(registry: Registry) -> Iterator[tuple[str, str, TextLike]]:
    """Every text that people can come to read, with its place and name."""
    for where, value in _places(registry):
        for kind, names in _TEXTS.items():
            if isinstance(value, kind):
                yield from ((where, name, getattr(value, name)) for name in names)


def _places(registry: Registry) -> Iterator[tuple[str, object]]:
    yield f"controller {registry.controller.id!r}", registry.controller
    for recipient in registry.recipients.values():
        yield f"recipient {recipient.id!r}", recipient
    for category in registry.categories.values():
        yield f"data category {category.id!r}", category
    for purpose in registry.purposes.values():
        yield f"purpose {purpose.id!r}", purpose
        for item in purpose.items:
            yield _place(item, purpose), item
        if purpose.automated is not None:
            yield f"automated decision of purpose {purpose.id!r}", purpose.automated
    for legal in registry.legal_purposes.values():
        yield f"legal purpose {legal.id!r}", legal


def _untranslated(
    where: str, name: str, text: TextLike, locales: tuple[str, ...]
) -> Iterator[str]:
    if isinstance(text, str):
        return  # one text for all locales; if it is missing, that has been said
    for locale in locales:
        if not text.get(locale, "").strip():
            yield f"{where}: {name} in {locale!r} (a notice is whole in each language)"
