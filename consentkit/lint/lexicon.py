"""The words that rules look for, per language, from the data file ``lexicon.json``.

Phrases match as whole words, patterns as regular expressions, both on *folded* text:
compatibility forms unified, invisible characters removed, curly quotes made straight,
one space between words, lower case. Spelling tricks do not hide a phrase.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "claims",
    "clean",
    "count",
    "fold",
    "has",
    "matches",
    "parties",
    "purpose_families",
    "search",
]

_QUOTES = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2010": "-"}
)

# A legal name: capitalised words before a company form; in Chinese, up to the form.
_PARTY = re.compile(
    r"(?:[A-Z0-9][\w&'.-]*\s+(?:(?:of|and|the|&)\s+)?){1,6}?"
    r"(?:Ltd|Limited|Inc|LLC|LLP|PLC|plc|Corp|Corporation|Company|GmbH|AG|S\.A\.|SA|SAS"
    r"|B\.V\.|BV|N\.V\.|NV|Oy|AB|AS|ASA|A/S|Pty|SpA|S\.p\.A\.|Srl|SE|KG|KK|University"
    r"|Foundation|Council|Agency|Authority|Hospital|Bank)(?![\w])"
    r"|(?:University|Bank|City|Ministry|Council) of (?:[A-Z][\w'-]+ ?){1,4}"
    r"|[\u4e00-\u9fffA-Za-z0-9]{2,20}?(?:有限责任公司|股份有限公司|有限公司|银行|大学)"
)


def clean(text: str) -> str:
    """Unify forms and spaces, keep the case."""
    if text.isascii():
        return " ".join(text.split())
    unified = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    shown = "".join(c for c in unified if unicodedata.category(c) != "Cf")
    return " ".join(shown.split())


def fold(text: str) -> str:
    """Return the text as the lexicon is written."""
    return clean(text).lower()


def search(name: str, folded: str) -> str:
    """Return the first words of ``folded`` that are on the list, or ``""``."""
    match = _expression(name).search(folded)
    return match.group() if match else ""


def has(name: str, folded: str) -> bool:
    """Tell whether anything on the list occurs."""
    return _expression(name).search(folded) is not None


def matches(name: str, folded: str) -> bool:
    """Tell whether the whole text is on the list."""
    return _expression(name).fullmatch(folded) is not None


def count(name: str, folded: str) -> int:
    """Count how often anything on the list occurs."""
    return sum(1 for _ in _expression(name).finditer(folded))


def claims(name: str, folded: str) -> str:
    """Return the first words on the list that the sentence asserts, or ``""``.

    "There is no reward" and "we never pass it to partners" name the thing and deny
    it: words with a negation before them in their own clause are passed over.
    """
    for match in _expression(name).finditer(folded):
        before = _clause(folded[: match.start()])
        if not has("negation", before):
            return match.group()
    return ""


def _clause(text: str) -> str:
    """Return what follows the last break between clauses."""
    end = 0
    for match in _expression("clause-break").finditer(text):
        end = match.start() + 1
    return text[end:]


def parties(text: str) -> tuple[str, ...]:
    """Return the legal names in a text, each once; the text keeps its case."""
    return tuple(
        dict.fromkeys(match.group().strip() for match in _PARTY.finditer(text))
    )


def purpose_families(folded: str) -> tuple[str, ...]:
    """Return the kinds of purpose that a text names, such as marketing and research."""
    table: Mapping[str, list[str]] = _data()["purpose-families"]
    return tuple(
        family
        for family, words in table.items()
        if re.search("|".join(_bounded(word) for word in words), folded)
    )


@cache
def _data() -> Mapping[str, Any]:
    text = files("consentkit.lint").joinpath("lexicon.json").read_text("utf-8")
    data: Mapping[str, Any] = json.loads(text)
    return data


@cache
def _expression(name: str) -> re.Pattern[str]:
    entry = _data()[name]
    phrases = [p for words in entry.get("phrases", {}).values() for p in words]
    patterns = [p for words in entry.get("patterns", {}).values() for p in words]
    # The longest phrase first: "third parties" is found as such, not as "parties".
    ordered = sorted(phrases, key=len, reverse=True)
    parts = [_bounded(re.escape(phrase)) for phrase in ordered]
    return re.compile("|".join([*parts, *(f"(?:{p})" for p in patterns)]))


def _bounded(expression: str) -> str:
    """Match whole words only; Chinese has no spaces, so only Latin counts."""
    return rf"(?<![a-z0-9])(?:{expression})(?![a-z0-9])"
