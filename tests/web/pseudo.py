"""A language that nobody speaks: each of our messages, longer, accented, in brackets.

What shows up without accents never went through the catalogue; what was cut off lacks
a bracket. Dates, lists and countries stay those of the language that is lent.
"""

from __future__ import annotations

import gettext
import re

from consentkit.web.locale import Locale

__all__ = ["GROWTH", "Pseudo", "disguise"]

GROWTH = 1.4  # German is about a third longer than English, Finnish rather more

_ACCENTS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "åƀçđéƒĝĥîĵķļɱñöþǫŕšţûṽŵẋýžÅƁÇĐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽ",
)
_PLACEHOLDER = re.compile(r"(\{\w+\})")
_VOWEL = re.compile(r"([aeiouyAEIOUY])")


class Pseudo(Locale):
    """A locale that speaks in disguise and borrows all else from a real one."""

    @property
    def _catalogue(self) -> gettext.NullTranslations:
        return _Disguised()


class _Disguised(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        return disguise(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return disguise(msgid1 if n == 1 else msgid2)


def disguise(message: str) -> str:
    """The message 40 % longer in words that are longer too, its marks left alone."""
    parts = [
        part if _PLACEHOLDER.match(part) else _VOWEL.sub(r"\1\1", part)
        for part in _PLACEHOLDER.split(message)
    ]
    missing = int(len(message) * GROWTH) - sum(map(len, parts))
    padding = " " + "long " * (missing // len("long ") + 1) if missing > 0 else ""
    parts.append(padding.rstrip())
    return f"⟦{''.join(map(_accented, parts))}⟧"


def _accented(part: str) -> str:
    return part if _PLACEHOLDER.match(part) else part.translate(_ACCENTS)
