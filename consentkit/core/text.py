"""Texts for people, and the forms that declared ids, names and codes must have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from consentkit.errors import DeclarationError

__all__ = [
    "FALLBACK_LOCALE",
    "TextLike",
    "check_country",
    "check_curie",
    "check_id",
    "check_line",
    "check_locale",
    "check_party_name",
    "freeze_text",
    "is_telling",
    "locales_of",
    "localise",
]

TextLike = str | Mapping[str, str]
"""A text for people: one string, or one per BCP 47 locale."""

FALLBACK_LOCALE = "en"

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z")
_CURIE = re.compile(r"[a-z][a-z0-9-]*:[A-Za-z0-9_.-]+\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_CLASS = (
    r"(?:(?:our|your|the|all|any|some|select(?:ed)?|certain|various|several|trusted|"
    r"other|external|affiliated|associated|related|group|partner|business|marketing|"
    r"advertising|commercial|service|third[ -]party)\s+)*"
    r"(?:partners?|affiliates?|third[ -]part(?:y|ies)|advertisers|vendors|suppliers|"
    r"providers|processors|recipients|subsidiaries|companies|organi[sz]ations|"
    r"compan(?:y|ies) (?:of|in) (?:our|the) group)"
)
_UMBRELLA = re.compile(
    rf"{_CLASS}(?:\s*(?:,|/|&|\band\b|\bor\b)\s*{_CLASS})*\Z", re.IGNORECASE
)
_MAX_TEXT = 4_000  # a notice is read by a person in one go; a book is not a notice


def localise(text: TextLike, locale: str) -> str:
    """The text in ``locale``, else in its language, else in English, else the first.

    Ever shorter tags are tried, as RFC 4647 §3.4 looks a language up:

    >>> titles = {"en": "Your city", "zh-Hans": "您的城市"}
    >>> localise(titles, "zh-Hans-SG")
    '您的城市'
    >>> localise(titles, "de")
    'Your city'
    """
    if isinstance(text, str):
        return text
    parts = locale.split("-")
    tags = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    for tag in (*tags, FALLBACK_LOCALE):
        if tag in text:
            return text[tag]
    return next(iter(text.values()), "")


def locales_of(text: TextLike) -> frozenset[str] | None:
    """The locales a text is written in, or None if it is one string for all."""
    return None if isinstance(text, str) else frozenset(text)


def check_id(kind: str, value: str) -> None:
    """Refuse an id that is not of the one form all ids have.

    Raises:
        DeclarationError: it is not; the message says which kind of thing it names.
    """
    if not isinstance(value, str) or not _ID.match(value):
        raise DeclarationError(
            f"a {kind} needs an id of a-z, 0-9 and '-', 64 characters at most and "
            f"beginning with a letter or digit; got {value!r:.80}"
        )


def check_country(what: str, value: str) -> None:
    """Refuse what is neither empty nor an ISO 3166-1 alpha-2 code.

    Raises:
        DeclarationError: it is neither.
    """
    check_line(what, "country", value)
    if value and not _COUNTRY.match(value):
        raise DeclarationError(
            f"{what}: country must be two capital letters (ISO 3166-1), such as 'GB'; "
            f"got {value!r:.40}"
        )


def check_curie(what: str, value: str) -> None:
    """Refuse what is neither empty nor a CURIE of the Data Privacy Vocabulary.

    Raises:
        DeclarationError: it is neither.
    """
    check_line(what, "iri", value)
    if value and not _CURIE.match(value):
        raise DeclarationError(
            f"{what}: iri must be a DPV CURIE such as 'pd:Location'; got {value!r:.80}"
        )


def check_line(what: str, name: str, value: str) -> None:
    """Refuse what is not a text of sane length without control characters.

    Raises:
        DeclarationError: it is not.
    """
    if not isinstance(value, str):
        raise DeclarationError(
            f"{what}: {name} must be text, got {type(value).__name__}"
        )
    if _CONTROL.search(value) or len(value) > _MAX_TEXT:
        raise DeclarationError(
            f"{what}: {name} must be at most {_MAX_TEXT} characters without control "
            "characters"
        )


def is_telling(value: str) -> bool:
    """Whether it can say anything: two letters or digits at least, of any script."""
    return sum(map(str.isalnum, value)) > 1


def check_party_name(what: str, name: str) -> None:
    """Refuse a class of recipients where one party has to be named (C-154/21).

    Raises:
        DeclarationError: the name is such as "partners" or "our group companies".
    """
    if _UMBRELLA.match(name.strip()):
        raise DeclarationError(
            f"{what}: name must be the legal name of one party, not a class of "
            f"recipients; got {name!r:.60}"
        )


def check_locale(what: str, name: str, value: str) -> None:
    """Refuse what is not of the form of a BCP 47 language tag.

    Raises:
        DeclarationError: it is not.
    """
    if not isinstance(value, str) or not _LOCALE.match(value):
        raise DeclarationError(
            f"{what}: {name} must name BCP 47 locales such as 'en' or 'zh-Hans'; "
            f"got {value!r:.40}"
        )


def freeze_text(what: str, name: str, value: TextLike) -> TextLike:
    """The text, unchangeable from here on, once its form is known to be good.

    Raises:
        DeclarationError: it is neither text nor a mapping of locale to text.
    """
    if isinstance(value, str):
        check_line(what, name, value)
        return value
    if not isinstance(value, Mapping) or not value:
        raise DeclarationError(
            f"{what}: {name} must be text or a mapping of locale to text, "
            f"got {type(value).__name__}"
        )
    for locale, text in value.items():
        check_locale(what, name, locale)
        check_line(what, f"{name}.{locale}", text)
    return MappingProxyType(dict(value))
