"""The words that rules look for, from one data file for each language in ``words/``.

All languages are looked for at once: a page may mix them, and few say which they are.
Phrases match as whole words, patterns as regular expressions, both on *folded* text:
compatibility forms unified, invisible characters removed, curly quotes made straight,
one space between words, lower case. Spelling tricks do not hide a phrase.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from functools import cache
from functools import lru_cache
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
    "foreign_passage",
    "foreign_tongue",
    "has",
    "matches",
    "parties",
    "purpose_families",
    "search",
]

_QUOTES = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2010": "-"}
)

_LANGUAGES = ("ar", "de", "en", "es", "fr", "hi", "zh")
# A text without a sign of these scripts holds no words of these languages.
_SIGNS = {
    "ar": re.compile("[\u0600-\u06ff]"),
    "hi": re.compile("[\u0900-\u097f]"),
    "zh": re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]"),
}
# Below this many little words a text is a name or a label, and shows no language.
_FEWEST_LITTLE_WORDS = 6
_TIMES_AS_MANY = 3
_FEWEST_ALONE = 3
# Vowel signs and the stretching sign, which Arabic may set or leave out.
_ARABIC_SIGNS = frozenset("\u0640\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652")

# A legal name: capitalised words before a company form; in Chinese, up to the form.
_PARTY = re.compile(
    r"(?:[A-Z0-9À-ÖØ-ÞŒ][\w&'.-]*\s+(?:(?:of|and|the|&|und|et|de|y)\s+)?){1,6}?"
    r"(?:Ltd|Limited|Inc|LLC|LLP|PLC|plc|Corp|Corporation|Company|GmbH|mbH|AG|KGaA|UG"
    r"|e\.V\.|S\.A\.|SA|SAS|SARL|Sarl|SL|S\.L\.|Ltda|B\.V\.|BV|N\.V\.|NV|Oy|AB|AS|ASA"
    r"|A/S|Pty|SpA|S\.p\.A\.|Srl|SE|KG|KK|University|Foundation|Council|Agency"
    r"|Authority|Hospital|Bank)(?![\w])"
    r"|(?:University|Bank|City|Ministry|Council) of (?:[A-Z][\w'-]+ ?){1,4}"
    r"|(?:Universität|Universidad|Université|Hospital|Hôpital|Klinik|Banco|Banque)"
    r"(?: d[eu](?: la)?)? [A-ZÀ-Þ][\w'-]+"
    r"|(?:[\u0900-\u0963\u0970-\u097f]+ ){1,3}(?:लिमिटेड|विश्वविद्यालय|बैंक)"
    r"|شركة [\u0621-\u064a]+(?: [\u0621-\u064a]+)?"
    r"|[\u4e00-\u9fffA-Za-z0-9]{2,20}?(?:有限责任公司|股份有限公司|有限公司|银行|大学)"
)


def clean(text: str) -> str:
    """Unify forms and spaces, keep the case."""
    if text.isascii():
        return " ".join(text.split())
    return " ".join(_unify(text).split())


def _unify(text: str) -> str:
    unified = unicodedata.normalize("NFKC", text).translate(_QUOTES)
    return "".join(
        sign
        for sign in unified
        if unicodedata.category(sign) != "Cf" and sign not in _ARABIC_SIGNS
    )


def fold(text: str) -> str:
    """Return the text as the lexicon is written."""
    return clean(text).lower()


def search(name: str, folded: str) -> str:
    """Return the first words of ``folded`` that are on the list, or ``""``."""
    match = _expression_for(name, folded).search(folded)
    return match.group() if match else ""


@lru_cache(maxsize=2_048)
def has(name: str, folded: str) -> bool:
    """Tell whether anything on the list occurs."""
    return _expression_for(name, folded).search(folded) is not None


def matches(name: str, folded: str) -> bool:
    """Tell whether the whole text is on the list."""
    return _expression_for(name, folded).fullmatch(folded) is not None


def count(name: str, folded: str) -> int:
    """Count how often anything on the list occurs."""
    return sum(1 for _ in _expression_for(name, folded).finditer(folded))


@lru_cache(maxsize=2_048)
def claims(name: str, folded: str) -> str:
    """Return the first words on the list that the sentence asserts, or ``""``.

    "There is no reward" and "we never pass it to partners" name the thing and deny
    it: words with a negation before them in their own clause are passed over.
    """
    for match in _expression_for(name, folded).finditer(folded):
        before = _clause(folded[: match.start()])
        if not has("negation", before):
            return match.group()
    return ""


def _clause(text: str) -> str:
    """Return what follows the last break between clauses."""
    end = 0
    for match in _expression_for("clause-break", text).finditer(text):
        end = match.start() + 1
    return text[end:]


def parties(text: str) -> tuple[str, ...]:
    """Return the legal names in a text, each once; the text keeps its case."""
    return tuple(
        dict.fromkeys(match.group().strip() for match in _PARTY.finditer(text))
    )


def purpose_families(folded: str) -> tuple[str, ...]:
    """Return the kinds of purpose that a text names, such as marketing and research."""
    return tuple(
        family for family, words in _families().items() if words.search(folded)
    )


def foreign_tongue(folded: str, language: str) -> str:
    """Return the language that a text is in when it is clearly another, or ``""``.

    Only languages whose little words are listed can be told: those in Latin letters.
    """
    counted = {
        tongue: sum(1 for _ in expression.finditer(folded))
        for tongue, expression in _little_words().items()
    }
    tongue = max(counted, key=counted.__getitem__)
    expected = counted.get(language)
    if expected is None or counted[tongue] < _FEWEST_LITTLE_WORDS:
        return ""
    return tongue if counted[tongue] > _TIMES_AS_MANY * expected else ""


def foreign_passage(folded: str, language: str) -> str:
    """Return the language of a short text without one little word of its own."""
    counted = {
        tongue: sum(1 for _ in expression.finditer(folded))
        for tongue, expression in _little_words().items()
    }
    tongue = max(counted, key=counted.__getitem__)
    alone = counted.get(language) == 0 and counted[tongue] >= _FEWEST_ALONE
    return tongue if alone else ""


@cache
def _data(language: str) -> Mapping[str, Any]:
    file = files("consentkit.lint").joinpath("words", f"{language}.json")
    data: Mapping[str, Any] = json.loads(file.read_text("utf-8"))
    return data


@cache
def _families() -> Mapping[str, re.Pattern[str]]:
    table: defaultdict[str, list[str]] = defaultdict(list)
    for language in _LANGUAGES:
        for family, words in _data(language).get("purpose-families", {}).items():
            table[family] += words
    return {
        family: re.compile("|".join(_bounded(_unify(word)) for word in words))
        for family, words in table.items()
    }


@cache
def _little_words() -> Mapping[str, re.Pattern[str]]:
    return {
        language: re.compile(entry["patterns"][0])
        for language in _LANGUAGES
        if (entry := _data(language).get("function-words"))
    }


def _expression_for(name: str, folded: str) -> re.Pattern[str]:
    """Return the list in the languages that the text's scripts can be.

    A page in one script is not searched for the words of all the others.
    """
    spoken = tuple(
        language
        for language in _LANGUAGES
        if language not in _SIGNS or _SIGNS[language].search(folded)
    )
    return _expression(name, spoken)


@cache
def _expression(name: str, languages: tuple[str, ...]) -> re.Pattern[str]:
    entries = [_data(language).get(name, {}) for language in languages]
    phrases = [_unify(p) for entry in entries for p in entry.get("phrases", ())]
    patterns = [_unify(p) for entry in entries for p in entry.get("patterns", ())]
    # The longest phrase first: "third parties" is found as such, not as "parties".
    ordered = sorted(set(phrases), key=len, reverse=True)
    parts = [_bounded(re.escape(phrase)) for phrase in ordered]
    # A list that none of these languages has matches nothing.
    return re.compile("|".join([*parts, *(f"(?:{p})" for p in patterns)]) or "(?!)")


def _bounded(expression: str) -> str:
    """Match whole words only; Chinese has no spaces, so only Latin counts."""
    return rf"(?<![a-z0-9à-öø-ÿœ])(?:{expression})(?![a-z0-9à-öø-ÿœ])"
