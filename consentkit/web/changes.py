"""What has changed since the last answer, a plain sentence each (R89)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from consentkit.core.change import Aspect
from consentkit.web import wording
from consentkit.web.answers import data_titles
from consentkit.web.locale import mark

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Mapping

    from markupsafe import Markup

    from consentkit.core.registry import Registry
    from consentkit.service.comparing import Difference
    from consentkit.web.locale import Locale

    Say = Callable[[tuple[str, ...], Registry, Locale], str | Markup]

__all__ = ["change_text"]

_TEXTS = {
    Aspect.ASKER_NAME: mark("We who ask you were *{before}*. We are now *{after}*."),
    Aspect.ASKER_COUNTRY: mark(
        "{controller} was in *{before}* before. It is now in *{after}*."
    ),
    Aspect.RECIPIENT_ADDED: mark("You were not asked about *{after}* before."),
    Aspect.RECIPIENT_REMOVED: mark("*{before}* no longer gets the data."),
    Aspect.RECIPIENT_NAME: mark(
        "The recipient was *{before}* before. It is now *{after}*."
    ),
    Aspect.RECIPIENT_COUNTRY: mark(
        "{recipient} was in *{before}* before. It is now in *{after}*."
    ),
    Aspect.RECIPIENT_RELATION: mark(
        "What {recipient} is to us was: “{before}” It is now: “{after}”"
    ),
    Aspect.RECIPIENT_ROLE: mark(
        "Who answers for the data at {recipient} was: “{before}” It is now: “{after}”"
    ),
    Aspect.RETENTION: mark(
        "{recipient} kept the data for *{before}* before. It is now *{after}*."
    ),
    Aspect.VALIDITY: mark("Your yes lasted *{before}* before. It now lasts *{after}*."),
    Aspect.AUTOMATED: mark("A computer now decides something with the data."),
    Aspect.NOT_AUTOMATED: mark("A computer no longer decides anything with the data."),
    Aspect.OPERATIONS: mark(
        "What is done with the data was *{before}* before. It is now *{after}*."
    ),
    Aspect.DATA_ADDED: mark("{recipient} would now also get: *{after}*."),
    Aspect.DATA_REMOVED: mark("{recipient} would no longer get: *{before}*."),
    Aspect.DATA_NEEDED: mark("Needed now, and optional before: *{after}*."),
    Aspect.DATA_OPTIONAL: mark("Optional now, and needed before: *{after}*."),
}


def _name(values: tuple[str, ...], _registry: Registry, _locale: Locale) -> str:
    return values[0]


def _listed(values: tuple[str, ...], _registry: Registry, locale: Locale) -> str:
    return locale.quoted(values)


def _data(values: tuple[str, ...], registry: Registry, locale: Locale) -> str:
    return locale.quoted(data_titles(values, registry, locale))


def _country(values: tuple[str, ...], _registry: Registry, locale: Locale) -> str:
    return locale.country(values[0])


def _length(values: tuple[str, ...], _registry: Registry, locale: Locale) -> str:
    return locale.duration(values[0])


def _seconds(values: tuple[str, ...], _registry: Registry, locale: Locale) -> str:
    return locale.duration(timedelta(seconds=int(values[0])))


def _relation(values: tuple[str, ...], registry: Registry, locale: Locale) -> Markup:
    return wording.relation(values[0], registry.controller.name, locale)


def _role(values: tuple[str, ...], registry: Registry, locale: Locale) -> Markup:
    return wording.role(values[0], registry.controller.name, locale)


_VALUES: Mapping[Aspect, Say] = {
    Aspect.ASKER_COUNTRY: _country,
    Aspect.RECIPIENT_COUNTRY: _country,
    Aspect.RECIPIENT_RELATION: _relation,
    Aspect.RECIPIENT_ROLE: _role,
    Aspect.RETENTION: _length,
    Aspect.VALIDITY: _seconds,
    Aspect.OPERATIONS: _listed,
    Aspect.DATA_ADDED: _data,
    Aspect.DATA_REMOVED: _data,
    Aspect.DATA_NEEDED: _data,
    Aspect.DATA_OPTIONAL: _data,
}


def change_text(difference: Difference, registry: Registry, locale: Locale) -> Markup:
    """One change as the person reads it."""
    change = difference.change
    say = _VALUES.get(change.aspect, _name)
    recipient = registry.recipients.get(difference.recipient)
    return locale.text(
        _TEXTS[change.aspect],
        before=say(change.before, registry, locale) if change.before else "",
        after=say(change.after, registry, locale) if change.after else "",
        controller=registry.controller.name,
        recipient=recipient.name if recipient else difference.recipient,
    )
