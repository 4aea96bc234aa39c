"""Which form fields carry a yes, told by their name and value."""

from __future__ import annotations

import re

from consentkit.lint import lexicon

__all__ = ["is_certain_grant", "is_grant"]

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


def is_grant(name: str, value: str) -> bool:
    """Tell whether sending the field gives consent, inside a question."""
    if _has_word("field-bookkeeping", name) or _says_no(value):
        return False
    return _has_word("field-consent", name) or (
        _has_word("field-perhaps-consent", name) and _says_yes(value)
    )


def is_certain_grant(name: str, value: str) -> bool:
    """Tell it of a field anywhere on a page, where only plain words may count."""
    return (
        _has_word("field-consent", name)
        and not _has_word("field-bookkeeping", name)
        and _says_yes(value)
    )


def _has_word(list_: str, name: str) -> bool:
    """Tell whether a part of a name like ``optIn_source`` is on the list."""
    return any(lexicon.matches(list_, word.lower()) for word in _WORD.findall(name))


def _says_yes(value: str) -> bool:
    return lexicon.matches("field-yes", lexicon.fold(value))


def _says_no(value: str) -> bool:
    folded = lexicon.fold(value)
    return not folded or lexicon.matches("field-no", folded)
