"""The sentences a question is made of, whole, in the person's language.

A consent has to say who does what with which data for whom and why, in words the
person could speak (GDPR Art. 4(11); EDPB guidelines 05/2020 §64, §84). Nothing here is
put together from halves of sentences: what varies is a name, a list or a date.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup

from consentkit.web.locale import mark

if TYPE_CHECKING:
    from consentkit.core.purpose import Purpose
    from consentkit.core.registry import Question
    from consentkit.core.vocabulary import DataItem
    from consentkit.web.locale import Locale

__all__ = [
    "accept_label",
    "also_label",
    "contact_link",
    "data_label",
    "decline_label",
    "heading",
    "item_note",
    "keeping",
    "lasting",
    "party",
    "relation",
    "role",
    "safe_href",
    "statement",
    "stopping",
]

_EMAIL = re.compile(r"[^@\s<>\"'?&]+@[^@\s<>\"'?&]+\Z")
_WEB = re.compile(r"https?://[^\s<>\"']+\Z")
_NAMED_IN_LABEL = 2  # a button that lists more than this is no longer read

_RELATIONS = {
    "own": mark("A part of {controller}."),
    "affiliate": mark("A company in the same group as {controller}."),
    "partner": mark("An outside company that works with {controller}."),
    "supplier": mark("An outside company that works for {controller}."),
    "public-body": mark("A public body."),
}
_ROLES = {
    "controller": mark("It answers for your data itself."),
    "joint-controller": mark("It answers for your data together with {controller}."),
    "processor": mark("It only does what {controller} tells it to do."),
}
_SHARE = mark(
    "I agree that *{controller}* shares *{data}* with *{recipient}* "
    "for the purpose “{purpose}”."
)
_SHARE_SO_THAT = mark(
    "I agree that *{controller}* shares *{data}* with *{recipient}* "
    "so that {recipient} *{aim}*."
)
_USE = mark("I agree that *{controller}* uses *{data}* for the purpose “{purpose}”.")
_USE_SO_THAT = mark("I agree that *{controller}* uses *{data}* so that it *{aim}*.")
_SEND_ABROAD = mark(
    "I agree that *{controller}* sends *{data}* to *{recipient}* abroad "
    "(*{country}*), for the purpose “{purpose}”."
)


def statement(question: Question, locale: Locale) -> Markup:
    """The sentence that the person agrees to, complete (R25)."""
    aim = locale.localise(question.purpose.aim)
    if question.transfer:
        message = _SEND_ABROAD
    elif question.own_use:
        message = _USE_SO_THAT if aim else _USE
    else:
        message = _SHARE_SO_THAT if aim else _SHARE
    return locale.text(
        message,
        aim=aim,
        controller=question.controller.name,
        country=locale.country(question.recipient.country),
        data=_named_data(question, locale),
        purpose=locale.localise(question.purpose.title),
        recipient=question.recipient.name,
    )


def heading(question: Question, locale: Locale) -> Markup:
    """What one question among several is about, and with whom."""
    if question.transfer:
        return locale.text(
            "Sending abroad to {recipient} ({country})",
            recipient=question.recipient.name,
            country=locale.country(question.recipient.country),
        )
    if question.own_use:
        return locale.text(
            "Use by {controller} itself", controller=question.controller.name
        )
    return locale.text("Sharing with {recipient}", recipient=question.recipient.name)


def decline_label(question: Question, locale: Locale) -> Markup:
    """The no, named by its deed; never a word of regret (lint D15)."""
    if question.own_use or question.transfer:
        return locale.text("Don't allow")
    return locale.text("Don't share")


def accept_label(question: Question, locale: Locale) -> Markup:
    """The yes, named by its deed (lint D20)."""
    phrases = [locale.localise(each.category.phrase) for each in _needed(question)]
    named = bool(phrases) and all(phrases) and len(phrases) <= _NAMED_IN_LABEL
    data = locale.listing(phrases)
    if question.transfer:
        return locale.text("Allow sending abroad")
    if question.own_use:
        if named:
            return locale.text("Allow use of {data}", data=data)
        return locale.text("Allow use of this data")
    if named:
        return locale.text("Share {data}", data=data)
    return locale.text("Share this data")


def also_label(question: Question, item: DataItem, locale: Locale) -> Markup:
    """The label of the empty box for one optional category."""
    data, recipient = _named(item, locale), question.recipient.name
    if question.own_use:
        return locale.text("Also allow use of {data}", data=data)
    if question.transfer:
        return locale.text(
            "Also send {data} to {recipient} abroad", data=data, recipient=recipient
        )
    return locale.text(
        "Also share {data} with {recipient}", data=data, recipient=recipient
    )


def data_label(question: Question, locale: Locale) -> Markup:
    """The name of the list of data categories."""
    if question.transfer:
        return locale.text("What goes abroad")
    if question.own_use:
        return locale.text("What is used")
    return locale.text("What is shared")


def item_note(item: DataItem, locale: Locale) -> str:
    """What happens without this category (ISO/IEC 29184 5.4.6).

    What a no to the whole question leads to is told once, with the question.
    """
    declared = locale.localise(item.if_refused)
    if declared:
        return declared
    if item.necessary:
        return locale.plain("This purpose needs it.")
    return locale.plain("Nothing is done with it if you leave the box empty.")


def party(question: Question, locale: Locale) -> tuple[Markup, ...]:
    """Who the recipient is: name; relation and role; country and address; contact."""
    recipient, controller = question.recipient, question.controller.name
    country = locale.country(recipient.country)
    place = [
        locale.text("Country: {country} (abroad).", country=country)
        if question.cross_border
        else locale.text("Country: {country}.", country=country)
    ]
    if recipient.address:
        place.append(locale.text("Address: {address}.", address=recipient.address))
    return (
        Markup("<strong><bdi>{}</bdi></strong>").format(recipient.name),
        locale.sentences(
            relation(recipient.relation, controller, locale),
            role(recipient.role, controller, locale),
        ),
        locale.sentences(*place),
        locale.text("Contact: {contact}", contact=contact_link(recipient.contact)),
    )


def relation(word: str, controller: str, locale: Locale) -> Markup:
    """What a recipient is to the controller, as a sentence."""
    return locale.text(_RELATIONS[word], controller=controller)


def role(word: str, controller: str, locale: Locale) -> Markup:
    """Who answers for the data, as a sentence."""
    return locale.text(_ROLES[word], controller=controller)


def lasting(purpose: Purpose, locale: Locale) -> Markup:
    """How long a yes holds (R41)."""
    if purpose.valid_for is None:
        return locale.text("Your yes lasts until you stop it.")
    return locale.text(
        "Your yes ends by itself after {duration}.",
        duration=locale.duration(purpose.valid_for),
    )


def keeping(question: Question, locale: Locale) -> Markup | None:
    """How long the recipient keeps the data, if that is declared."""
    if not question.purpose.retention:
        return None
    return locale.text(
        "{recipient} keeps the data for {duration}.",
        recipient=question.recipient.name,
        duration=locale.duration(question.purpose.retention),
    )


def stopping(locale: Locale, *, centre_url: str) -> Markup:
    """That a yes can be taken back, and the link to do it (GDPR Art. 7(3))."""
    return locale.text(
        "You can stop this at any time on [your choices page]. One press is enough.",
        link=centre_url,
    )


def contact_link(contact: str) -> Markup:
    """A contact as a link if it is a mail or web address, else as text."""
    href = f"mailto:{contact}" if _EMAIL.match(contact) else safe_href(contact)
    if not href:
        return Markup("<bdi>{}</bdi>").format(contact)
    return Markup('<a href="{}"><bdi>{}</bdi></a>').format(href, contact)


def safe_href(address: str) -> str:
    """The address if it is http or https, else nothing: no ``javascript:`` links."""
    return address if _WEB.match(address) else ""


def _needed(question: Question) -> list[DataItem]:
    return [item for item in question.items if item.necessary]


def _named(item: DataItem, locale: Locale) -> str:
    """A category in the person's own mouth, or its title in quotation marks."""
    phrase = locale.localise(item.category.phrase)
    title = locale.localise(item.category.title)
    return phrase or locale.quoted([title])


def _named_data(question: Question, locale: Locale) -> str:
    needed = [_named(item, locale) for item in _needed(question)]
    return locale.listing(needed) if needed else locale.plain("the data I tick")
